--- What a watch costs in a day at the pace seen: told once there is a pace to go by, then every hour, and on
--- show in between. What has no price of ours is told in tokens alone.

local async = require "runtime.async"
local telemetry = require "runtime.telemetry"

local pace = {
  look_s = 5,
  enough_s = 120, -- for the first estimate, or so many requests of each watcher, whichever comes first
  enough_calls = 3,
}

local DAY_S, HOUR_S = 86400, 3600

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
---@param watchers fun(): integer     how many share the sum
---@param spent fun(): { calls: integer, tokens: integer, usd: number? }
function pace.tell(watchers, spent)
  local function sum()
    local s = spent()
    s.at = async.now()
    return s
  end
  local before, first = sum(), true
  while async.sleep(pace.look_s) do
    local now = sum()
    local enough = now.at - before.at >= (first and pace.enough_s or HOUR_S)
      or first and now.calls >= pace.enough_calls * math.max(1, watchers())
    if enough and now.tokens > before.tokens then
      telemetry.emit("cost.estimate", pace.of(before, now), { seconds = now.at - before.at })
      first = false
    end
    if enough then before = now end
  end
end

return pace
