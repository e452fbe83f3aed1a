--- One node of a watch: attached to, and again when it was not there; its monitor, and what is heard and
--- sampled meanwhile.

local anomaly = require "runtime.anomaly"
local async = require "runtime.async"
local autonomy = require "runtime.autonomy"
local config = require "runtime.config"
local failure = require "runtime.failure"
local jitter = require "runtime.jitter"
local joining = require "runtime.joining"
local reload = require "runtime.reload"
local sampler = require "runtime.sampler"
local skill = require "runtime.skill"
local telemetry = require "runtime.telemetry"
local watchers = require "runtime.watchers"

local watched = {}

local FIRST_PAUSE_S, LONGEST_PAUSE_S = 1, 60

---@class Watched
---@field name string
---@field node? AttachedNode   while we are attached
---@field reached? true        it was there once
---@field refused? true        it was not there when it was first asked for
---@field watchers? Watchers   while we are attached
---@field private watch Watch
local Watched = {}
Watched.__index = Watched

---@param watch Watch
---@param name string
---@return Watched
function watched.new(watch, name) return setmetatable({ watch = watch, name = name }, Watched) end

---@return string   up, down, reconnecting, closed; down too where it was never reached
function Watched:state() return self.node and self.node.state or "down" end

-- A node that does not know our cookie logs each attempt.
local function is_pointless(err) return failure.is(err) and err.stage == "cookie" end

-- Until it is there. Where no node of the watch is, there is nothing to wait for.
local function attach(self)
  local pause, attempt = FIRST_PAUSE_S, 0
  while true do
    local node, err = self.watch.means.attach(self.name)
    if node then
      self.node, self.reached = node, true
      return node
    end
    self.refused = true
    if is_pointless(err) or self.watch:is_hopeless() then return nil, err end
    if attempt == 0 then telemetry.emit("node.down", {}, { node = self.name, reason = tostring(err), never = true }) end
    attempt = attempt + 1
    if not async.sleep(jitter(pause)) or self.watch:is_hopeless() then return nil, err end
    telemetry.emit("node.reconnecting", {}, { node = self.name, attempt = attempt })
    pause = math.min(pause * 2, LONGEST_PAUSE_S)
  end
end

-- What is learnt where nobody named skills: figures that are cheap to take for ever, on many nodes, without a relay.
local LEARNED = { "beam", "ets" }

local function skills_of(self, node)
  local o = self.watch.o
  local names = joining.with(o.skills == config.default "skills" and LEARNED or o.skills, o, node)
  local skills, err = self.watch.means.skills(names, node)
  if not skills then return nil, err end
  for _, s in ipairs(skills) do
    local parsed
    parsed, err = skill.parse(s, node)
    if not parsed then return nil, err end
  end
  local single
  single, err = autonomy.check_callbacks(o.autonomy or {}, skills)
  if not single then return nil, err end
  return skills
end

-- The monitor is asked for by its skill, and investigations have a past to look back on.
local function look(self, node)
  local w = self.watch
  local skills, err = skills_of(self, node)
  if not skills then return nil, err end
  local function trigger(reason, _, occasion, found)
    local report, why = w:investigate(node, reason, occasion, found)
    if not report then return nil, why end
    return true
  end
  local monitor
  repeat
    monitor, err = anomaly.new { node = node, skills = skills, settings = w.o.anomaly, store = w.kept,
      triggers = w.triggers, trigger = trigger }
  until monitor or not w:does_without(err)
  if not monitor then return nil, err end
  node.uses.monitor = function() return monitor:view() end
  if node.relays then node.relays:begin(skills) end
  local sampling = sampler.start(node, skills)
  self.watchers = watchers.new {
    node = node, alert = function(...) monitor:alert(...) end,
    start = function(post) return w.means.operate(node, post) end,
  }
  self.watchers:set(w.posts)
  local unwatch = reload.begin { node = node, skills = skills, options = w.means.options }
  local _, gone = monitor:run()
  self.watchers:stop()
  unwatch()
  sampling:stop()
  node.uses.monitor = nil
  if gone then return nil, gone end
  return true
end

local function life(self)
  local node, err = attach(self)
  if not node then return nil, err end
  local ok
  ok, err = look(self, node)
  self.watch.means.leave(node)
  return ok, err
end

--- Lives until the task is cancelled, or the node is gone for good; that is told at once, for the others go on.
---@return true?
---@return Failure? err
function Watched:live()
  local ok, err = life(self)
  if not ok and not async.current().cancelled and not self.watch:is_hopeless() and #self.watch.names > 1 then
    telemetry.emit("node.down", {}, { node = self.name, reason = tostring(err), gone = true })
  end
  return ok, err
end

return watched
