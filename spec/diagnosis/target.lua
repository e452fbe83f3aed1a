--- What a run takes of the target, beside what the target takes by itself: told for cases whose own work is steady.

local async = require "runtime.async"
local uv = require "luv"

local target = {}

local ALONE_S = 1

--- CPU seconds of all threads of a process, as the kernel's scheduler counts them.
---@param os_pid integer
---@return number
function target.cpu(os_pid)
  local spent, scan = 0, assert(uv.fs_scandir(("/proc/%d/task"):format(os_pid)))
  for thread in function() return (uv.fs_scandir_next(scan)) end do
    local file = assert(io.open(("/proc/%d/task/%s/schedstat"):format(os_pid, thread)))
    spent = spent + file:read "*n"
    file:close()
  end
  return spent / 1e9
end

--- CPU seconds that the node takes in one second while nobody looks. Waits.
---@param os_pid integer
---@return number
function target.alone(os_pid)
  local before, began = target.cpu(os_pid), async.now()
  async.sleep(ALONE_S)
  return (target.cpu(os_pid) - before) / (async.now() - began)
end

return target
