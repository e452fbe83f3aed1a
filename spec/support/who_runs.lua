--- The processes of this machine whose command line has all of these words in it.

local uv = require "luv"

local function has_all(text, words)
  for _, word in ipairs(words) do if not text:find(word, 1, true) then return false end end
  return true
end

---@param ... string
---@return string[] pids
return function(...)
  local pids, scan = {}, uv.fs_scandir "/proc"
  while true do
    local pid = uv.fs_scandir_next(scan)
    if not pid then return pids end
    local file = pid:find "^%d+$" and io.open(("/proc/%s/cmdline"):format(pid))
    if file then
      local line = (file:read "*a" or ""):gsub("%z", " ") -- nothing of who ends now
      file:close()
      if has_all(line, { ... }) then pids[#pids + 1] = pid end
    end
  end
end
