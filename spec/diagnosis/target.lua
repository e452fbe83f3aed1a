--- What a run takes of the target's CPU, over what the target takes by itself: told for cases whose own work is steady.

local async = require "runtime.async"

local target = {}

local ALONE_S = 1

--- CPU seconds of all threads of a process.
---@param os_pid integer
---@return number
function target.cpu(os_pid)
  local file = assert(io.open(("/proc/%d/stat"):format(os_pid)))
  local user, system = file:read("*a"):match "%) %S+ %S+ %S+ %S+ %S+ %S+ %S+ %S+ %S+ %S+ %S+ (%d+) (%d+)"
  file:close()
  return (tonumber(user) + tonumber(system)) / 100
end

--- Milliseconds of CPU that a window of so many seconds took more than the node takes alone. Waits a second.
---@param os_pid integer
---@param spent number     CPU seconds in the window
---@param seconds number
---@return number
function target.more(os_pid, spent, seconds)
  local before, began = target.cpu(os_pid), async.now()
  async.sleep(ALONE_S)
  local alone = (target.cpu(os_pid) - before) / (async.now() - began)
  return math.max(0, spent - alone * seconds) * 1000
end

return target
