--- The keys of a table in their order: what is put together from a table has another one in each process.

---@param t table<string, any>?
---@return string[]
return function(t)
  local keys = {}
  for key in pairs(t or {}) do keys[#keys + 1] = key end
  table.sort(keys)
  return keys
end
