--- When a process of this machine was started, in ticks since its boot: a process id alone may be another's tomorrow.

local ENDED = { Z = true, X = true } -- its parent has not asked yet how it ended

---@param pid integer
---@return string?   nil where there is none, or one that has ended
return function(pid)
  local file = io.open(("/proc/%d/stat"):format(pid), "rb")
  local text = file and file:read "*a" or ""
  if file then file:close() end
  local fields = {} -- behind its name, which may hold anything; the first of them is its state
  for field in (text:match ".*%)(.*)" or ""):gmatch "%S+" do fields[#fields + 1] = field end
  return not ENDED[fields[1]] and fields[20] or nil
end
