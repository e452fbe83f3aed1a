--- Figures of a node as they come in life, one each 30 s, some with trouble in them: for whoever judges
--- figures. Made by a generator of our own, so they are the same everywhere and for ever.

local STEP_S, HOUR, DAY = 30, 3600, 86400
-- A Monday, midnight UTC.
local FROM = 1704067200

-- Numerical Recipes' generator: 32 bits are enough for noise.
local function generator(seed)
  return function()
    seed = (1664525 * seed + 1013904223) % 2 ^ 32
    return seed / 2 ^ 32
  end
end

-- Twelve uniform numbers are as good as normal between -3 and 3.
local function normal(random)
  local sum = -6
  for _ = 1, 12 do sum = sum + random() end
  return sum
end

-- What has a memory: each value keeps so much of the one before. Deviation 1.
local function slow_noise(keeps)
  local last, fresh = 0, math.sqrt(1 - keeps * keeps)
  return function(random)
    last = keeps * last + fresh * normal(random)
    return last
  end
end

local function between(t, from, to) return t >= from and t < to end
local function wave(t, height) return 1 + height * math.sin(2 * math.pi * (t / DAY - 0.375)) end

local function counter(rate)
  local total = 0
  return function(t, random)
    total = total + math.max(0, math.floor(rate(t, random) * STEP_S + 0.5))
    return total
  end
end

---@class Stream
---@field name string
---@field days number
---@field trouble { [1]: number, [2]: number }[]   seconds from the start, begin and end of each
---@field make fun(): table<string, fun(t: number, random: fun(): number): number>   t in seconds from the start

---@type Stream[]
local streams = {
  { name = "healthy steady counter", days = 3, trouble = {}, make = function()
    return { ["app.requests"] = counter(function(_, random) return 10 + normal(random) end) }
  end },
  { name = "counter with daily wave", days = 5, trouble = {}, make = function()
    return { ["app.requests"] = counter(function(t, random) return 10 * wave(t, 0.6) + normal(random) end) }
  end },
  { name = "constant then x1000", days = 1, trouble = { { 6 * HOUR, 8 * HOUR } }, make = function()
    return { ["app.waiting"] = function(t) return between(t, 6 * HOUR, 8 * HOUR) and 5000 or 5 end }
  end },
  { name = "nothing then something", days = 1, trouble = { { 9 * HOUR, 10 * HOUR } }, make = function()
    return { ["app.failed"] = function(t) return between(t, 9 * HOUR, 10 * HOUR) and 40 or 0 end }
  end },
  { name = "slow leak", days = 6, trouble = { { 0, 6 * DAY } }, make = function()
    return { ["beam.total_mb"] = function(t, random) return 400 * (1 + 0.3 * t / DAY) + 8 * normal(random) end }
  end },
  { name = "leak on top of a daily wave", days = 6, trouble = { { 2 * DAY, 6 * DAY } }, make = function()
    return { ["beam.total_mb"] = function(t, random)
      return 400 * wave(t, 0.3) + 10 * math.max(0, t - 2 * DAY) / HOUR + 8 * normal(random)
    end }
  end },
  { name = "leak within hours", days = 1, trouble = { { 0, DAY } }, make = function()
    return { ["ets.total_memory_mb"] = function(t, random) return 50 + 25 * t / HOUR + 2 * normal(random) end }
  end },
  { name = "atoms that only rise", days = 1, trouble = { { 0, DAY } }, make = function()
    return { ["beam.atom_count"] = function(t) return 15000 + math.floor(2 * t) end }
  end },
  { name = "daily wave", days = 8, trouble = {}, make = function()
    return { ["app.sessions"] = function(t, random) return 1000 * wave(t, 0.5) + 30 * normal(random) end }
  end },
  { name = "workdays and weekends", days = 21, trouble = {}, make = function()
    return { ["app.sessions"] = function(t, random)
      local weekend = math.floor(t / DAY) % 7 >= 5
      return (weekend and 500 or 1000) * wave(t, 0.4) + 30 * normal(random)
    end }
  end },
  { name = "noisy but healthy", days = 7, trouble = {}, make = function()
    return { ["app.latency_ms"] = function(_, random) return 200 + 40 * normal(random) end }
  end },
  { name = "noise with a memory", days = 7, trouble = {}, make = function()
    local noise = slow_noise(0.9)
    return { ["app.latency_ms"] = function(_, random) return math.max(0, 200 + 50 * noise(random)) end }
  end },
  { name = "single wild values", days = 7, trouble = {}, make = function()
    return { ["beam.scheduler_run_queue"] = function(_, random)
      return random() < 0.02 and math.floor(200 * random()) or math.floor(3 * random())
    end }
  end },
  { name = "wild values that take turns", days = 3, trouble = {}, make = function()
    local metrics = {}
    for k = 0, 2 do
      metrics["app.pool_" .. k] = function(t, random)
        local wild = t % (6 * HOUR) == 3 * HOUR + k * STEP_S
        return 20 + normal(random) + (wild and 500 or 0)
      end
    end
    return metrics
  end },
  { name = "step and back", days = 2, trouble = { { 12 * HOUR, 14 * HOUR } }, make = function()
    return { ["app.connections"] = function(t, random)
      return (between(t, 12 * HOUR, 14 * HOUR) and 900 or 300) + 10 * normal(random)
    end }
  end },
  { name = "step that stays", days = 2, trouble = { { 12 * HOUR, 13 * HOUR } }, make = function()
    return { ["app.connections"] = function(t, random)
      return (t >= 12 * HOUR and 900 or 300) + 10 * normal(random)
    end }
  end },
  { name = "step of a few minutes, twice", days = 2, trouble = {
    { 10 * HOUR, 10 * HOUR + 600 }, { 30 * HOUR, 30 * HOUR + 600 },
  }, make = function()
    return { ["app.connections"] = function(t, random)
      local high = between(t, 10 * HOUR, 10 * HOUR + 600) or between(t, 30 * HOUR, 30 * HOUR + 600)
      return (high and 900 or 300) + 10 * normal(random)
    end }
  end },
  { name = "counter that stops", days = 2, trouble = { { 30 * HOUR, 31 * HOUR } }, make = function()
    return { ["app.requests"] = counter(function(t, random)
      return between(t, 30 * HOUR, 31 * HOUR) and 0 or 10 * wave(t, 0.3) + normal(random)
    end) }
  end },
  { name = "counter ten times as fast", days = 2, trouble = { { 20 * HOUR, 20.5 * HOUR } }, make = function()
    return { ["app.errors"] = counter(function(t, random)
      return (between(t, 20 * HOUR, 20.5 * HOUR) and 3 or 0.3) * (1 + 0.2 * normal(random))
    end) }
  end },
  { name = "trouble on a daily wave", days = 4, trouble = { { 3 * DAY + 3 * HOUR, 3 * DAY + 5 * HOUR } },
    make = function()
      return { ["app.sessions"] = function(t, random)
        local high = between(t, 3 * DAY + 3 * HOUR, 3 * DAY + 5 * HOUR)
        return 1000 * wave(t, 0.5) * (high and 2.5 or 1) + 30 * normal(random)
      end }
    end },
  { name = "the same job each night", days = 7, trouble = {}, make = function()
    return { ["app.rows_busy"] = function(t, random)
      return (between(t % DAY, 2 * HOUR, 2.5 * HOUR) and 800 or 100) + 5 * normal(random)
    end }
  end },
  { name = "counter that begins anew", days = 2, trouble = {}, make = function()
    local total = 0
    return { ["app.requests"] = function(t, random)
      total = (t == 10 * HOUR and 0 or total) + math.floor(300 + 30 * normal(random))
      return total
    end }
  end },
}

--- Plays a stream.
---@param stream Stream
---@param take fun(t: number, figures: table<string, number>): any   says true to raise an alarm
---@return number[] alarms   seconds from the start
function streams.play(stream, take)
  local random, metrics, alarms = generator(#stream.name * 7919), stream.make(), {}
  local names = {}
  for name in pairs(metrics) do names[#names + 1] = name end
  table.sort(names)
  for t = 0, stream.days * DAY - STEP_S, STEP_S do
    local figures = {}
    for _, name in ipairs(names) do figures[name] = metrics[name](t, random) end
    if take(FROM + t, figures) then alarms[#alarms + 1] = t end
  end
  return alarms
end

--- Alarms against the truth: an alarm is right within trouble, or 5 minutes after its end.
---@return { right: integer, wrong: integer, found: integer, missed: integer }
function streams.score(stream, alarms)
  local score = { right = 0, wrong = 0, found = 0, missed = 0 }
  local hit = {}
  for _, t in ipairs(alarms) do
    local inside
    for k, trouble in ipairs(stream.trouble) do
      if between(t, trouble[1], trouble[2] + 300) then inside = k end
    end
    if inside then hit[inside] = true end
    score[inside and "right" or "wrong"] = score[inside and "right" or "wrong"] + 1
  end
  for k in ipairs(stream.trouble) do
    local as = hit[k] and "found" or "missed"
    score[as] = score[as] + 1
  end
  return score
end

return streams
