--- Says of each value of each metric whether it is unusual. Knows no clock and no node: time is passed in,
--- and all that it knows of a metric is one plain table, which can be written down and taken up again.
---
--- A metric learns, then is judged, and goes on learning from what was not unusual. So many unusual values
--- in a row, to the same side, are an anomaly, told once. It ends when as many usual ones follow, or it
--- stays, and is then what is usual. Besides, a level that climbs without ever jumping is a drift.

local baseline = require "runtime.anomaly.baseline"
local climb = require "runtime.anomaly.climb"
local days = require "runtime.anomaly.days"

local detector = {}

---@class AnomalySettings     what is asked for; the names are those of the config
---@field collection_interval_ms number
---@field learning_duration_ms number
---@field z_threshold number
---@field consecutive_required integer
---@field cooldown_ms number

-- Values that the baseline is made of: two hours at one in 30 s, so that a daily wave is a slow ramp in it.
local WINDOW = 240
-- Made anew each so many values: sorting for each one would cost as much as all the rest.
local REFRESH = 8
-- Fewer values than that are no learning, however long they took.
local LEAST_LEARNT = 5
-- What was not looked at for so long may be elsewhere by now and is learned again; hours and days are kept.
local STALE_S = 7200
-- A counter never falls and was seen to rise so often; it is watched by its rate.
local RISES = 5
-- Below a tenth of what it was, a counter began anew. One that does so often is none.
local RESET, RESETS = 0.1, 3
-- A level that never falls looks like a counter, and a rate hides its climb. So what is held at one time and
-- not counted through time is told by its name.
local HELD = { "_pct", "memory", "total_mb", "binary", "ets", "atom", "process", "port", "table", "queue", "child",
  "supervisor", "used" }
-- A climb is told when the level is this many times what it was; where this hour is known of other days, so
-- many times what is usual at this hour.
local CLIMBED, CLIMBED_OVER_USUAL = 3, 1.5
-- A drift is slow, and so is saying it again.
local DRIFT_AGAIN_S = 24 * 3600
-- What was usual before a change that stayed: within a day, its return is the end of that change.
local FORMER_S = 24 * 3600

---@class Verdict
---@field told boolean         an anomaly; else only a value that is unusual
---@field shape "above"|"below"|"drift"
---@field metric string        "skill.field"
---@field value number         per second, of a counter
---@field rate boolean
---@field median number        what is usual, or where the drift began
---@field spread number
---@field z number
---@field row integer          unusual values in a row

---@class Detector
---@field metrics table<string, table>   all that is known; plain data
local Detector = {}
Detector.__index = Detector

---@param settings AnomalySettings
---@param known? table<string, table>   the metrics of another one
---@return Detector
function detector.new(settings, known)
  return setmetatable({ settings = settings, metrics = known or {} }, Detector)
end

local function is_held(name)
  local field = name:match "%.(.*)$" or name
  for _, word in ipairs(HELD) do if field:find(word) then return true end end
  return false
end

local function learn_again(m)
  m.window, m.rates, m.row, m.pass, m.rises = {}, {}, {}, 0, 0
  m.base, m.away, m.former, m.since, m.climb = nil, nil, nil, nil, climb.new()
end

local function new_metric(name)
  local m = { kind = is_held(name) and "gauge" or "unsure", resets = 0, days = days.new() }
  learn_again(m)
  return m
end

local function push(list, value)
  list[#list + 1] = value
  if #list > WINDOW then table.remove(list, 1) end
end

function Detector:baseline(m, values)
  return baseline.of(values, m.kind == "counter" and "counter" or "gauge", self.settings.consecutive_required,
    days.reach(m.days))
end

function Detector:refresh(m) m.base, m.fresh = self:baseline(m, m.window), 0 end

-- What is usual, taken in.
function Detector:accept(m, value)
  push(m.window, value)
  m.fresh = m.fresh + 1
  if m.fresh >= REFRESH then self:refresh(m) end
end

-- The value to watch: the level, or how fast it rose. Nil where that cannot be said.
function Detector:watched(m, t, value)
  local before, seconds = m.raw, m.raw and t - m.t
  m.raw, m.t = value, t
  if m.kind == "gauge" then return value end
  if not before or seconds <= 0 then return m.kind == "unsure" and value or nil end
  if value < before then
    m.resets = m.kind == "counter" and value <= RESET * before and m.resets + 1 or RESETS
    if m.resets < RESETS then return nil end
    if m.kind == "counter" then learn_again(m) end
    m.kind, m.rates = "gauge", {}
    return value
  end
  local rate = (value - before) / seconds
  if m.kind == "counter" then return rate end
  push(m.rates, rate)
  m.rises = m.rises + (rate > 0 and 1 or 0)
  if m.rises < RISES then return value end
  m.kind, m.window, m.rates, m.row, m.away = "counter", m.rates, {}, {}, nil
  m.days, m.climb = days.new(), climb.new()
  if m.base then self:refresh(m) end
end

local function within(base, value, threshold) return math.abs(value - base.median) < threshold * base.spread end

-- Outside of what is usual now, and of what this hour of the day brings.
function Detector:is_unusual(m, t, value)
  if within(m.base, value, self.settings.z_threshold) then return false end
  local low, high = days.usual(m.days, t)
  return not low or value < low - m.base.spread or value > high + m.base.spread
end

local function verdict(m, name, value, shape, told)
  return {
    told = told, shape = shape, metric = name, value = value, rate = m.kind == "counter", median = m.base.median,
    spread = m.base.spread, z = (value - m.base.median) / m.base.spread, row = #m.row,
  }
end

-- An anomaly goes on: it ends when as many usual values follow, or it becomes what is usual.
function Detector:stay_away(m, t, value)
  push(m.away.values, value)
  m.pass = self:is_unusual(m, t, value) and 0 or m.pass + 1
  if m.pass >= self.settings.consecutive_required then
    m.away, m.pass = nil, 0
  elseif t - m.away.since >= self.settings.cooldown_ms / 1000 then
    m.former, m.former_until = m.window, t + FORMER_S
    m.window, m.away, m.pass, m.climb = m.away.values, nil, 0, climb.new()
    self:refresh(m)
  end
end

-- Whether the level that was given up for a new one has come back; then it is the usual one again.
function Detector:is_back(m, t, value)
  if not m.former or t > m.former_until then return false end
  if not within(self:baseline(m, m.former), value, self.settings.z_threshold) then return false end
  m.window, m.former, m.row, m.climb = m.former, nil, {}, climb.new()
  self:refresh(m)
  return true
end

-- A drift: nil, unless the metric climbs to where it never was.
function Detector:drift(m, name, t, value, point, hour)
  if m.away or m.kind == "counter" or t < (m.quiet_until or 0) then return end
  local from, to
  if point then
    from, to = climb.steady(m.climb)
    local _, usual = days.usual(m.days, t)
    local enough = from and (usual and math.max(from, CLIMBED_OVER_USUAL * usual) or CLIMBED * from)
    if not from or to <= enough or to - from < self.settings.z_threshold * m.base.spread then from = nil end
  end
  if not from and hour then from = days.rising(m.days, m.base.spread) end
  if not from then return end
  m.quiet_until, m.climb = t + DRIFT_AGAIN_S, climb.new()
  local v = verdict(m, name, value, "drift", true)
  v.median, v.z = from, (value - from) / m.base.spread
  return v
end

function Detector:judge(m, name, t, value)
  if m.away then return self:stay_away(m, t, value) end
  local z = (value - m.base.median) / m.base.spread
  local shape = z > 0 and "above" or "below"
  local unusual = self:is_unusual(m, t, value)
  if #m.row > 0 and (not unusual or shape ~= m.shape) then
    for _, blip in ipairs(m.row) do self:accept(m, blip) end
    m.row = {}
  end
  if not unusual then return self:accept(m, value) end
  m.row[#m.row + 1], m.shape = value, shape
  local told = #m.row >= self.settings.consecutive_required
  if told and self:is_back(m, t, value) then return end
  local v = verdict(m, name, value, shape, told)
  if told then
    m.away, m.row, m.quiet_until = { since = t, values = m.row }, {}, t + DRIFT_AGAIN_S
  end
  return v
end

--- Takes a value of a metric.
---@param name string     "skill.field"
---@param t number        unix seconds
---@param value any       what is no number is not watched
---@return Verdict?       nil while there is nothing to say
function Detector:feed(name, t, value)
  if type(value) ~= "number" or value ~= value or math.abs(value) == math.huge then return end
  local m = self.metrics[name] or new_metric(name)
  self.metrics[name] = m
  if m.t and t - m.t > STALE_S then
    learn_again(m)
    m.raw = nil
  end
  local seconds = m.t and t - m.t
  value = self:watched(m, t, value)
  if not value then return end
  m.since = m.since or t
  local hour = days.note(m.days, t, value, self.settings.consecutive_required, m.away ~= nil)
  local point = climb.note(m.climb, value, seconds or 0)
  if not m.base then
    push(m.window, value)
    local learnt = (t - m.since) * 1000 >= self.settings.learning_duration_ms and #m.window >= LEAST_LEARNT
    if learnt then self:refresh(m) end
    return
  end
  return self:judge(m, name, t, value) or self:drift(m, name, t, value, point, hour)
end

--- The node began anew: what it held is gone, and has to be learned again. Hours and days stay.
function Detector:restarted()
  for _, m in pairs(self.metrics) do
    learn_again(m)
    m.raw = nil
  end
end

-- All that is known of when something was. What this hour of other days was like, stays where it is.
local function shift(m, seconds, t)
  for _, name in ipairs { "t", "since", "former_until", "quiet_until" } do m[name] = m[name] and m[name] + seconds end
  if m.away then m.away.since = m.away.since + seconds end
  days.set_clock(m.days, t)
end

--- Somebody set the clock.
---@param seconds number   by so much
---@param t number         unix seconds, now
function Detector:set_clock(seconds, t)
  for _, m in pairs(self.metrics) do shift(m, seconds, t) end
end

--- What was known before: where it is of the future, it was of now.
---@param t number   unix seconds
function Detector:take_up(t)
  for _, m in pairs(self.metrics) do
    if m.t and m.t > t then shift(m, t - m.t, t) end
  end
end

--- Lets go of metrics that are not there any more: a skill may name its figures after what comes and goes.
---@param t number   unix seconds, now
---@return string[] names   of those
function Detector:forget(t)
  local names = {}
  for name, m in pairs(self.metrics) do
    if m.t and t - m.t > days.kept_s then names[#names + 1], self.metrics[name] = name, nil end
  end
  return names
end

--- Whether an anomaly of this metric goes on.
function Detector:is_away(name) return self.metrics[name] ~= nil and self.metrics[name].away ~= nil end

function Detector:is_learnt(name) return self.metrics[name] ~= nil and self.metrics[name].base ~= nil end

---@return integer watched
---@return integer learnt
function Detector:counts()
  local all, learnt = 0, 0
  for _, m in pairs(self.metrics) do
    all = all + 1
    if m.base then learnt = learnt + 1 end
  end
  return all, learnt
end

return detector
