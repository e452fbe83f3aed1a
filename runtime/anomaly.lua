--- Watches a node: takes the figures of every skill's snapshot again and again, has the detector judge
--- them, and asks for an investigation when something is unusual. Learning, active, cooldown: after an
--- escalation it keeps still for a while, and says at the end of it what began meanwhile and still lasts.
---
--- What lasts so long is measured by a clock that nobody sets; dates and hours of the day go by the one of the wall.
--- Where that was set, all dates that are known go with it; of what was kept, nothing of the future counts.

local account = require "runtime.anomaly.account"
local async = require "runtime.async"
local clocks = require "runtime.anomaly.clocks"
local detector = require "runtime.anomaly.detector"
local failure = require "runtime.failure"
local figures_of = require "runtime.anomaly.figures"
local telemetry = require "runtime.telemetry"

local anomaly = {}

local HOUR = 3600
local REMEMBERED = 10   -- anomalies that the status shows
local SAME_S = 0.5
local SET_S = 1        -- the clock of the wall was set where it goes off by more than that
local LATE = 5         -- what others told while it kept still; of more, the last ones
local SAVE_EACH_S = 900 -- of what is learned, no more than that is lost with us; of what was told, nothing

---@class Monitor
---@field state "learning"|"active"|"cooldown"
---@field since number              unix seconds
---@field settings AnomalySettings  and auto_trigger, max_triggers_per_hour
---@field private detector Detector
---@field private triggers number[] when investigations began, within the last hour, by the clock that nobody sets
---@field private told table[]      the last anomalies
---@field private waiting table<string, Verdict>   told while it kept still
---@field private late { reason: string, occasion: string }[]   what others told meanwhile
local Monitor = {}
Monitor.__index = Monitor

-- Monitors that share a list share the limit too; what one kept is counted once.
local function merge(shared, kept)
  for _, at in ipairs(kept) do
    local known = false
    for _, other in ipairs(shared) do known = known or math.abs(other - at) < SAME_S end
    if not known then shared[#shared + 1] = at end
  end
  table.sort(shared)
end

---@param o { node: table, skills: Skill[], settings: table, store?: Store, triggers?: number[],
---  trigger?: fun(reason: string, anomalies: Verdict[], occasion?: string, found?: Carried): true?, any }   trigger:
---  investigates, and returns when it is done; triggers: when that was within the last hour, for monitors that have one
---  limit together
---@return Monitor?
---@return Failure? err   of the store
function anomaly.new(o)
  local known, kept
  if o.store then
    known, kept = o.store:baselines(o.node.name)
    if not known then return nil, kept end
  end
  kept = kept or {}
  return setmetatable({
    node = o.node, skills = figures_of.watched(o.skills), settings = o.settings, store = o.store, trigger = o.trigger,
    detector = detector.new(o.settings, known), state = kept.state or "learning", since = kept.since,
    triggers = o.triggers or {}, late = {}, told = kept.told or {}, waiting = kept.waiting or {}, kept = kept,
  }, Monitor)
end

-- What another process left to us, by its dates; the clock may have been set in between.
local function take_up(self, t, now)
  local kept, ages = self.kept, {}
  self.kept = nil
  for _, at in ipairs(kept.triggers or {}) do
    if at <= t and at > t - HOUR then ages[#ages + 1] = now - (t - at) end
  end
  merge(self.triggers, ages)
  local left = math.min((kept.cooldown_until or t) - t, self.settings.cooldown_ms / 1000)
  self.still_until, self.since = now + left, self.since and math.min(self.since, t)
  for _, told in ipairs(self.told) do told.at = math.min(told.at, t) end
  self.detector:take_up(t)
end

-- Says which time it is: `t` on the wall, `now` by the clock that nobody sets.
local function settle(self, t, now)
  if self.kept then take_up(self, t, now) end
  local set_by = self.t and (t - self.t) - (now - self.now) or 0
  self.t, self.now = t, now
  if math.abs(set_by) <= SET_S then return end
  self.since = self.since and self.since + set_by
  for _, told in ipairs(self.told) do told.at = told.at + set_by end
  self.detector:set_clock(set_by, t)
end

local function emit(self, event, measurements, metadata)
  metadata = metadata or {}
  metadata.node = self.node.name
  telemetry.emit("anomaly." .. event, measurements, metadata)
end

function Monitor:enter(state)
  self.state, self.since = state, self.t
  emit(self, "state_change", {}, { state = state })
end

-- What is told has to be true after a kill -9 too, so it is kept first.
function Monitor:keep()
  self.kept_at = self.now
  local gone = self.detector:forget(self.t)
  if not self.store then return end
  local on_the_wall, dates = self.t - self.now, {}
  for i, at in ipairs(self.triggers) do dates[i] = at + on_the_wall end
  local ok, err = self.store:keep_baselines(self.node.name, self.detector.metrics, {
    state = self.state, since = self.since, cooldown_until = self.still_until + on_the_wall, triggers = dates,
    told = self.told, waiting = self.waiting,
  }, gone)
  if not ok then telemetry.emit("store.failed", {}, { node = self.node.name, reason = tostring(err) }) end
end

-- Investigations are dear, and may disturb who reads them: so many in an hour, and no more.
function Monitor:may_trigger(now)
  while self.triggers[1] and self.triggers[1] <= now - HOUR do table.remove(self.triggers, 1) end
  return #self.triggers < self.settings.max_triggers_per_hour
end

-- The reason, where an investigation is wanted now; then it keeps still for a while.
function Monitor:escalate(reason, metrics)
  self:enter "cooldown"
  self.still_until, self.waiting = self.now + self.settings.cooldown_ms / 1000, {}
  local wanted = self.settings.auto_trigger and self.trigger ~= nil
  local allowed = self:may_trigger(self.now)
  if wanted and allowed then self.triggers[#self.triggers + 1] = self.now end
  self:keep()
  emit(self, "escalation", { count = #metrics }, { metrics = metrics, reason = reason })
  if wanted and not allowed then
    emit(self, "trigger_rate_limited", { triggers = #self.triggers }, { reason = reason })
  end
  emit(self, "cooldown_started", { ms = self.settings.cooldown_ms }, { reason = reason })
  return wanted and allowed and reason or nil
end

-- What was told while it kept still, and still lasts; a drift lasts.
function Monitor:overdue()
  local list = {}
  for name, v in pairs(self.waiting) do
    if v.shape == "drift" or self.detector:is_away(name) then list[#list + 1] = v end
  end
  table.sort(list, function(a, b) return a.metric < b.metric end)
  self.waiting = {}
  return list
end

function Monitor:remember(v)
  table.insert(self.told, 1, {
    at = self.t, metric = v.metric, shape = v.shape, value = v.value, usual = v.median, spread = v.spread, z = v.z,
  })
  self.told[REMEMBERED + 1] = nil
end

-- Whether all that came in this round has been learned, or none of it.
local function learnt(self, names)
  local count = 0
  for _, name in ipairs(names) do count = count + (self.detector:is_learnt(name) and 1 or 0) end
  return #names > 0 and count == #names, #names > 0 and count == 0
end

--- One round: judges the figures of one moment.
---@param t number                      unix seconds
---@param figures table<string, any>    "skill.field" -> value; what is no number is not watched
---@param now? number                   the same by a clock that nobody sets; t if left out
---@return string? reason   what to investigate
---@return Verdict[]? anomalies
---@return string? occasion   where the name of a figure is one that somebody else chose (runtime/occasion.lua)
function Monitor:take(t, figures, now)
  settle(self, t, now or t)
  self.since, self.looked = self.since or t, self.now
  local names, list = {}, {}
  for name, value in pairs(figures) do
    if type(value) == "number" then names[#names + 1] = name else figures[name] = nil end
  end
  table.sort(names)
  if self.state == "cooldown" and self.now >= self.still_until then
    self:enter "active"
    list = self:overdue()
  end
  for _, name in ipairs(names) do
    local v = self.detector:feed(name, t, figures[name])
    if v then
      emit(self, "anomaly_detected", { value = v.value, median = v.median, spread = v.spread, z = v.z, row = v.row },
        { metric = v.metric, shape = v.shape, told = v.told, state = self.state, text = account.sentence(v) })
    end
    if v and v.told then
      self:remember(v)
      if self.state ~= "cooldown" then list[#list + 1] = v else self.waiting[name], self.kept_at = v, nil end
    end
  end
  local all, none = learnt(self, names)
  if self.state == "learning" and all then
    self:enter "active"
    self:keep()
    emit(self, "learning_complete", { metrics = #names })
  elseif self.state == "active" and none then -- what was known has grown too old
    self:enter "learning"
  end
  if #list > 0 then
    local sentences, closed, metrics = {}, {}, {}
    for i, v in ipairs(list) do
      sentences[i], closed[i], metrics[i] = account.sentence(v), account.sentence(v, true), v.metric
    end
    local reason, occasion = table.concat(sentences, "; "), table.concat(closed, "; ")
    return self:escalate(reason, metrics), list, occasion ~= reason and occasion or nil
  end
  if not self.kept_at or self.now - self.kept_at >= SAVE_EACH_S then self:keep() end
end

--- The figures of every skill, now.
---@return table<string, number>
function Monitor:collect()
  return figures_of.take(self.skills, self.node, function(name, reason)
    emit(self, "metric_collection_failed", {}, { skill = name, reason = reason })
  end)
end

-- The times are those at which the figures have come.
function Monitor:look()
  local figures = self:collect()
  return self:take(clocks.wall(), figures, clocks.steady())
end

--- After a pause: a node that began anew holds nothing of what was usual.
---@param t number
---@param now? number   as for `take`
function Monitor:resume(t, now)
  local up = figures_of.uptime(self.node)
  if not up then return end
  self.lost = false
  if self.looked and up < (now or t) - self.looked then
    settle(self, t, now or t)
    self.detector:restarted()
    self:enter "learning"
  end
end

function Monitor:investigate(reason, list, occasion, found)
  emit(self, "auto_trigger_started", {}, { reason = reason })
  local done = async.all { function() return self.trigger(reason, list, occasion, found) end }[1]
  if not done.ok and not async.current().cancelled then
    emit(self, "auto_trigger_failed", {}, { reason = tostring(done.err):match "^[^\n]*" })
  end
end

--- Somebody else saw something, a watcher: it is looked into as an anomaly is, under the same limit; at the end of the
--- cooldown, where the monitor keeps still. Then its figures are old, and it is looked at anew.
---@param reason string
---@param occasion string   what we say of it ourselves
---@param found? Carried     what it proved
function Monitor:alert(reason, occasion, found)
  settle(self, clocks.wall(), clocks.steady())
  if self.state == "cooldown" and self.now < self.still_until then
    table.insert(self.late, { reason = reason, occasion = occasion })
    if #self.late > LATE then table.remove(self.late, 1) end
    return
  end
  local wanted = self:escalate(reason, {})
  if wanted then self:investigate(wanted, {}, occasion, found) end
end

-- What others told in the cooldown that is over now.
local function overdue_alerts(self)
  if #self.late == 0 or self.state == "cooldown" then return nil end
  local reasons, occasions = {}, {}
  for i, one in ipairs(self.late) do reasons[i], occasions[i] = one.reason, one.occasion end
  self.late = {}
  return self:escalate(table.concat(reasons, "; "), {}), {}, table.concat(occasions, "; ")
end

--- Watches until its task is cancelled, or the node is gone for good. One that comes back is met again.
---@return nil
---@return Failure? gone
function Monitor:run()
  emit(self, "started", { metrics = self.detector:counts() }, { state = self.state })
  self.node:on_change(function(state) self.lost = self.lost or state == "down" end)
  local pause = self.settings.collection_interval_ms / 1000
  local due = async.now()
  while not async.current().cancelled and not self.node:is_gone() do
    if self.lost and self.node.state == "up" then self:resume(clocks.wall(), clocks.steady()) end
    if not self.lost then
      local reason, list, occasion = self:look()
      if not reason then reason, list, occasion = overdue_alerts(self) end
      if reason then self:investigate(reason, list, occasion) end
    end
    due = math.max(due + pause, async.now())
    self.next_look = clocks.steady() + due - async.now()
    async.sleep(due - async.now())
  end
  if self.looked then self:keep() end
  if async.current().cancelled or not self.node:is_gone() then return end
  return nil, self.node.refusal
    or failure.new("node", self.node.name .. " is gone", "look whether it still runs, and start the watch again", 3)
end

--- What a skill may know of it.
---@return { state: fun(): table, status: fun(): table }
function Monitor:view()
  return {
    state = function() return account.state(self) end,
    status = function()
      local now = clocks.steady()
      self:may_trigger(now) -- forgets those of more than an hour ago
      return account.status(self, clocks.wall(), now)
    end,
  }
end

return anomaly
