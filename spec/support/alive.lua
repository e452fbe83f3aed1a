--- Whether a process runs. A zombie waits for a parent that does not care, and runs no more.

---@param pid integer|string
---@return boolean
return function(pid)
  local file = io.open(("/proc/%s/stat"):format(pid))
  local text = file and file:read "*a" or "" -- nothing of who ends now
  if file then file:close() end
  local state = text:match "%) (%a)"
  return state ~= nil and state ~= "Z"
end
