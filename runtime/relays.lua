--- The relays of one node: which are on, what they brought, and our side of their leases. A skill
--- asks for what was heard; the first that asks has the relay started, and all share it. The two
--- processes on the node are made by runtime/node/relay.lua.

local async = require "runtime.async"
local heard = require "runtime.heard"
local node_relay = require "runtime.node.relay"
local relay_form = require "runtime.relay_form"

local relays = {
  listening = 1, -- of the seconds that a skill wants to have listened; 0 for who measures all but the waiting
}

local LEASE_S = 15       -- so long the node keeps a relay on that hears nothing of us
local RENEWALS = 3       -- in the time of a lease; as many without a word from the node, and the relay is gone
local START_S = 10       -- how long we wait for the node to say that a relay is on
local CONFIRM_S = 2      -- how long we wait for the node to say that a relay is off
local PAUSE_S = 30       -- a relay that ended on the node by itself is not started again sooner

local SWITCHED_OFF = "relays are switched off by --no-relays"
local LOST = "the connection was lost"
local SILENT = "the node does not answer its lease"

---@class Relays
---@field started integer            how often a relay was put on the node
---@field private n AttachedNode
---@field private off? string        why none is ever started
---@field private lease_s number
---@field private by_name table<string, table>
local Relays = {}
Relays.__index = Relays

---@class OneRelay
---@field relay Relay
---@field heard HeardOf
---@field placed? Placed          while it is on
---@field starting? Task
---@field unavailable? string     why the last start came to nothing
---@field ended? string           why it is off, once it was on
---@field ended_at? number        when, where it ended by itself
---@field again? boolean          to be started when the node is back
---@field life? { placed?: boolean, ended?: string, stopping?: boolean, unanswered: integer }   of the last start

local function one_of(self, name)
  local one = self.by_name[name]
  if one then return one end
  local r, err = relay_form.open(name)
  if not r then return nil, tostring(err) end
  one = { relay = r, heard = heard.new(r.keep), variables = r.variables }
  self.by_name[name] = one
  return one
end

local function each_placed(self)
  local list = {}
  for _, one in pairs(self.by_name) do
    if one.placed then list[#list + 1] = one end
  end
  return list
end

-- By the node's clock; a moment that no calendar has is told by ours.
local LAST_SECOND = 253402300799

local function datetime(us)
  local s = type(us) == "number" and us / 1e6 or -1
  if not (s >= 0 and s <= LAST_SECOND) then s = os.time() end
  return os.date("!%Y-%m-%dT%H:%M:%S", math.floor(s)) .. (".%03dZ"):format(math.floor(s % 1 * 1000))
end

-- What a relay's `read` makes of a payload. The payload may be anything at all, which is more than
-- `read` was written for: what it trips over is no event.
local function event_of(one, us, payload)
  local ok, event = pcall(one.relay.read, payload)
  if not ok or type(event) ~= "table" then return end
  event.datetime = datetime(event.unix_us or us)
  event.unix_us = nil
  return event
end

-- Whether it ended by itself, and may do so again at once.
local function over(one, why, at)
  one.placed, one.ended, one.ended_at = nil, why, at
end

-- Its worker and its janitor were killed in one instant, or stand still: nobody tells us, and what nobody
-- tells of looks like a quiet node. Nothing was certain since the last word.
local function forsake(one)
  one.life.placed = false
  one.heard:finish()
  one.placed.forsake()
  over(one, SILENT)
end

-- A timer of the same loop that does our work: when that hangs, so does this, and the node lets go.
local function keep_leases(self)
  if self.renewing then return end
  self.renewing = async.spawn(function()
    while each_placed(self)[1] and async.sleep(self.lease_s / RENEWALS) do
      for _, one in ipairs(each_placed(self)) do
        local life = one.life
        if life.unanswered == RENEWALS then
          forsake(one)
        else
          life.unanswered = life.unanswered + 1
          one.placed.renew()
        end
      end
    end
    self.renewing = nil
  end)
  if self.renewing.finished then self.renewing = nil end
end

-- A lease is over long before we hear of it: what counts then is what we know for certain.
local function hearing(one, life)
  local function lives(now)
    life.unanswered = 0
    one.heard:go_on(now)
  end
  return {
    event = function(us, payload)
      local now, event = async.now(), event_of(one, us, payload)
      lives(now)
      if event then one.heard:add(event, now) end
    end,
    dropped = function(many) one.heard:lose(many, async.now()) end,
    held = function() lives(async.now()) end,
    ended = function(why, dropped, late)
      one.heard:lose(dropped, async.now())
      one.heard:finish(not late and async.now() or nil)
      life.ended = why
      if life.placed then over(one, why, not late and not life.stopping and async.now() or nil) end
    end,
  }
end

local function begin(self, one)
  local life = { unanswered = 0 }
  local creation = self.n.link.session.peer_creation
  if one.creation and one.creation ~= creation then one.heard = heard.new(one.relay.keep) end
  one.creation = creation
  local placed, why = node_relay.start(self.n, one.relay, one.variables, self.lease_s, hearing(one, life))
  one.starting, one.unavailable, one.again = nil, why, nil
  if not placed then return end
  self.started = self.started + 1
  if life.ended then return over(one, life.ended, async.now()) end
  life.placed, one.placed, one.life, one.ended = true, placed, life, nil
  one.heard:begin(async.now())
  keep_leases(self)
end

-- In a task of its own: whoever asked first may be cancelled, and others wait for it too.
local function place(self, one)
  if not one.starting then
    local task = async.spawn(begin, self, one)
    if task.finished then return end
    one.starting = task
  end
  one.starting:join(async.now() + START_S)
end

-- It may still come; then whoever asks next has it.
local function not_started(one)
  return { unavailable = ("the node did not start the relay %s in %d s: it may be frozen or overloaded"):format(
    one.relay.name, START_S) }
end

local function may_start(one)
  if one.relay.class ~= "SAFE" then return false end
  return not one.ended_at or async.now() - one.ended_at >= PAUSE_S
end

local function listen(self, one, minutes, least)
  while one.placed do
    local missing = least - one.heard:listened(minutes, async.now())
    if missing <= 0 or not self.n.sleep(missing) then return end
  end
end

--- What a relay brought in the last minutes; a SAFE one is started when it is not on.
---@param name string
---@param minutes number
---@param least? number    wait until it listened so many seconds
---@return Heard
function Relays:of(name, minutes, least)
  if self.off then return { unavailable = self.off } end
  local one, missing = one_of(self, name)
  if not one then return { unavailable = missing } end
  if not one.placed and may_start(one) then place(self, one) end
  if one.unavailable then return { unavailable = one.unavailable } end
  if one.starting then return not_started(one) end
  if not one.placed and not one.ended then
    return { unavailable = ("the relay %s is off, and is started only on demand"):format(name) }
  end
  listen(self, one, minutes, (least or 0) * relays.listening)
  local result = one.heard:since(minutes, async.now())
  result.ended = not one.placed and one.ended or nil
  return result
end

local function settled(one, given)
  local variables = {}
  for key, value in pairs(one.relay.variables) do variables[key] = value end
  for key, value in pairs(given or {}) do
    if variables[key] == nil then error { relay = one.relay.name, unknown_variable = key } end
    variables[key] = value
  end
  return variables
end

--- Starts a relay anew: what it brought before is forgotten.
---@param name string
---@param variables? table   of its Erlang, over its defaults
---@return true|nil
---@return string|Heard|nil   a sentence where it is on already; { unavailable } where the node says no
function Relays:start(name, variables)
  if self.off then return nil, { unavailable = self.off } end
  local one, missing = one_of(self, name)
  if not one then return nil, { unavailable = missing } end
  if one.placed or one.starting then return nil, ("%s is on already, stop it first"):format(name) end
  one.variables, one.heard, one.ended = settled(one, variables), heard.new(one.relay.keep), nil
  place(self, one)
  if one.starting then return nil, not_started(one) end
  if one.unavailable then return nil, { unavailable = one.unavailable } end
  return true
end

local function stop(one)
  local deadline = async.now() + CONFIRM_S
  if one.starting then one.starting:join(deadline) end
  if not one.placed then return end
  one.life.stopping = true
  if one.placed.stop(deadline) then return end
  one.heard:finish(async.now())
  over(one, "it was stopped")
end

--- Switches a relay off and waits until the node says that it is.
---@param name string
function Relays:stop(name)
  local one = self.by_name[name]
  if one then stop(one) end
end

--- The same for all, at the same time.
function Relays:stop_all()
  local each = {}
  for _, one in pairs(self.by_name) do each[#each + 1] = function() stop(one) end end
  async.all(each)
  if self.renewing then self.renewing:cancel() end
end

--- Starts those that skills will ask for and that need nobody's leave, without waiting for them.
---@param skills Skill[]
function Relays:begin(skills)
  if self.off then return end
  for _, s in ipairs(skills) do
    for _, name in ipairs(s.relays or {}) do
      local one = one_of(self, name)
      if one and not one.placed and may_start(one) then async.spawn(place, self, one) end
    end
  end
end

--- What a skill is handed: it hears the relays that it names, and no others.
---@param s Skill
---@return SkillEvents
function Relays:seen_by(s)
  local named = {}
  for _, name in ipairs(s.relays or {}) do named[name] = true end
  local function bind(method)
    return function(name, ...)
      if not named[name] then error { skill = s.name, undeclared_relay = name } end
      return method(self, name, ...)
    end
  end
  return { of = bind(self.of), start = bind(self.start), stop = bind(self.stop) }
end

-- The node's janitors see the same and undo; ours is to say how long we surely listened.
local function lost(self)
  for _, one in ipairs(each_placed(self)) do
    one.life.placed = false
    one.heard:finish()
    one.again = one.relay.class == "SAFE"
    over(one, LOST)
  end
end

local function back(self)
  for _, one in pairs(self.by_name) do
    if one.again then async.spawn(place, self, one) end
  end
end

--- From now on none is started.
---@param why string
function Relays:forbid(why) self.off = self.off or why end

--- Gives a node its relays.
---@param n table                        the node, before it is connected
---@param o? false|{ lease_s?: number }  false: none are ever started
function relays.attach(n, o)
  local self = setmetatable({ n = n, off = o == false and SWITCHED_OFF or nil, lease_s = o and o.lease_s or LEASE_S,
    by_name = {}, started = 0 }, Relays)
  n.relays = self
  n.uses = n.uses or {}
  n.uses.events = function(s) return self:seen_by(s) end
  n:on_change(function(state)
    if state == "down" then lost(self) elseif state == "up" then back(self) end
  end)
end

return relays
