--- What a watch costs in a day at the pace seen: told once there is a pace to go by, then every hour, and on
--- show in between. What has no price of ours is told in tokens alone.

local async = require "runtime.async"
local telemetry = require "runtime.telemetry"

local pace = {}

local DAY_S, HOUR_S = 86400, 3600
local LOOK_S = 5
local ENOUGH_CALLS, ENOUGH_S = 3, 120 -- of each watcher; whichever comes first

--- A day at the pace between two sums.
---@param before { at: number, calls: integer, tokens: integer, usd: number? }
---@param now { at: number, calls: integer, tokens: integer, usd: number? }
---@return { calls_per_day: number, tokens_per_day: number, usd_per_day: number? }
function pace.of(before, now)
  local days = (now.at - before.at) / DAY_S
  return {
    calls_per_day = math.floor((now.calls - before.calls) / days + 0.5),
    tokens_per_day = math.floor((now.tokens - before.tokens) / days + 0.5),
    usd_per_day = before.usd and now.usd and (now.usd - before.usd) / days or nil,
  }
end

--- Tells it until the task is cancelled. Where nothing was spent there is nothing to tell.
---@param watchers integer     how many share the sum
---@param spent fun(): { calls: integer, tokens: integer, usd: number? }
function pace.tell(watchers, spent)
  local function sum()
    local s = spent()
    s.at = async.now()
    return s
  end
  local before, due = sum(), async.now() + ENOUGH_S
  while async.sleep(LOOK_S) do
    local now = sum()
    local enough = now.at >= due or due - before.at == ENOUGH_S and now.calls - before.calls >= ENOUGH_CALLS * watchers
    if enough and now.tokens > before.tokens then
      telemetry.emit("cost.estimate", pace.of(before, now), { seconds = now.at - before.at })
    end
    if enough then before, due = now, now.at + HOUR_S end
  end
end

return pace
