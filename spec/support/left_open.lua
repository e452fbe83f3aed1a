--- What this process holds open: for specs that do something a thousand times.

local uv = require "luv"

local left_open = {}

--- Handles of the loop that are not being closed. Where host.http was used there are some that are not luv's, and luv
--- ends the process when it meets one.
---@return integer
function left_open.handles()
  local count = 0
  uv.walk(function(handle) count = count + (uv.is_closing(handle) and 0 or 1) end)
  return count
end

--- The watches of files that the kernel keeps for it.
---@return integer
function left_open.watches()
  local count, scan = 0, uv.fs_scandir "/proc/self/fdinfo"
  for fd in function() return (uv.fs_scandir_next(scan)) end do
    local file = io.open("/proc/self/fdinfo/" .. fd)
    for line in (file and file:read "*a" or ""):gmatch "[^\n]+" do
      if line:match "^inotify wd" then count = count + 1 end
    end
    if file then file:close() end
  end
  return count
end

--- Files and sockets, those of libraries too.
---@return integer
function left_open.files()
  local count, scan = 0, uv.fs_scandir "/proc/self/fd"
  while uv.fs_scandir_next(scan) do count = count + 1 end
  return count
end

--- Bytes of Lua, when all that nobody holds is gone.
---@return integer
function left_open.memory()
  collectgarbage()
  collectgarbage()
  return collectgarbage "count" * 1024
end

return left_open
