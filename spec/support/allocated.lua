--- How many bytes of Lua's memory a function takes, what it lets go again counted too: who copies the rest of a long
--- text with every piece of it takes many times the text.
---@param fn fun()
---@return integer
return function(fn)
  collectgarbage()
  collectgarbage "stop"
  local before = collectgarbage "count"
  local ok, err = pcall(fn)
  local bytes = (collectgarbage "count" - before) * 1024
  collectgarbage "restart"
  assert(ok, err)
  return bytes
end
