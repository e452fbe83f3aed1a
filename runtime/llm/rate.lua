--- How near a limit we are, by what a provider says with each answer. Below a tenth of it the next
--- request waits a little, for all agents of that client: slower is better than refused.

local rate = { longest_s = 10 }

local SHARE = 0.1
-- Names with what is limited in the place of %s.
local FORMS = {
  { limit = "anthropic-ratelimit-%s-limit", remaining = "anthropic-ratelimit-%s-remaining",
    reset = "anthropic-ratelimit-%s-reset", of = { "requests", "tokens", "input-tokens", "output-tokens" } },
  { limit = "x-ratelimit-limit-%s", remaining = "x-ratelimit-remaining-%s", reset = "x-ratelimit-reset-%s",
    of = { "requests", "tokens" } },
}

local UNITS = { h = 3600, m = 60, s = 1, ms = 0.001 }

-- "1m2.5s" or "120ms"
local function of_duration(text)
  local sum
  for number, unit in text:gmatch "([%d.]+)(%a+)" do
    if not (tonumber(number) and UNITS[unit]) then return nil end
    sum = (sum or 0) + tonumber(number) * UNITS[unit]
  end
  return sum
end

-- "2026-11-21T20:00:00Z". Both clocks in UTC, so that the zone of this machine drops out.
local function of_time(text)
  local year, month, day, hour, min, sec = text:match "^(%d+)-(%d+)-(%d+)T(%d+):(%d+):(%d+)"
  if not year then return nil end
  local at = os.time { year = year, month = month, day = day, hour = hour, min = min, sec = sec }
  return math.max(0, at - os.time(os.date "!*t"))
end

--- How long to wait before the next request, in seconds.
---@param headers table<string, string>   names in lower case
---@return number? seconds   nil: there is room
function rate.pause_s(headers)
  local longest
  for _, form in ipairs(FORMS) do
    for _, what in ipairs(form.of) do
      local limit = tonumber(headers[form.limit:format(what)])
      local remaining = tonumber(headers[form.remaining:format(what)])
      if limit and remaining and limit > 0 and remaining / limit < SHARE then
        local reset = headers[form.reset:format(what)] or ""
        local seconds = of_time(reset) or of_duration(reset) or 1
        longest = math.max(longest or 0, math.min(seconds, rate.longest_s))
      end
    end
  end
  return longest
end

return rate
