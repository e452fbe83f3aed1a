--- Whether a process runs on this machine with these words in its arguments.

local uv = require "luv"

---@param words string
---@return boolean
return function(words)
  local scan = uv.fs_scandir "/proc"
  while true do
    local name = uv.fs_scandir_next(scan)
    if not name then return false end
    local file = name:find "^%d+$" and io.open("/proc/" .. name .. "/cmdline")
    local line = file and (file:read "*a" or ""):gsub("%z", " ") or ""
    if file then file:close() end
    if line:find(words, 1, true) then return true end
  end
end
