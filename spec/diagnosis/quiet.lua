--- How much of this machine others take: figures taken beside their work are no figures.

local async = require "runtime.async"

local quiet = {}

local WINDOW_S = 0.3

--- Above this share of all cores, a run was not made quietly.
quiet.MOST = 0.1

local function times()
  local file = assert(io.open "/proc/stat")
  local all, idle, i = 0, 0, 0
  for n in file:read("*l"):gmatch "%d+" do
    i, all = i + 1, all + tonumber(n)
    if i == 4 or i == 5 then idle = idle + tonumber(n) end
  end
  file:close()
  return all, idle
end

--- The share of all cores that is at work now. Inside a task, while nothing of ours runs.
---@return number
function quiet.busy()
  local all, idle = times()
  async.sleep(WINDOW_S)
  local all_now, idle_now = times()
  return 1 - (idle_now - idle) / math.max(1, all_now - all)
end

return quiet
