--- Where events go beside the screen: `sinks` of the config, each a file runtime/sinks/TYPE.lua with
--- { fields, needs, events?, hears?, open(settings, state) -> sink }. A sink has `take(item)`, which never
--- waits, or `send(item)`, which may; both say true, or nil and why. What goes into one has gone through
--- runtime/privacy.lua, for it may be read by others.

local async = require "runtime.async"
local condition = require "runtime.sinks.condition"
local event_names = require "runtime.event_names"
local failure = require "runtime.failure"
local line = require "runtime.sinks.line"
local outbox = require "runtime.sinks.outbox"
local plain = require("runtime.plain").text
local privacy = require "runtime.privacy"
local settings = require "runtime.sinks.settings"
local telemetry = require "runtime.telemetry"

local sinks = {}

local CLOSE_S, INTERRUPTED_S = 5, 0.7 -- a SIGTERM leaves two seconds for everything

-- A look at edited files: the file of a sink may lie in a folder that is watched, and would have it looked at again.
local LOOP = { ["reload.looked"] = true }

local open -- { sinks = { … }, secrets, mask? } once started; mask once there is a sink

-- What runs know to be secret, for the mask of sinks that an edit may bring later, too. Has the form of one.
local function collector()
  local all = { known = {} }
  function all.know(_, secret)
    all.known[secret] = true
    if all.mask then all.mask:know(secret) end
  end
  return all
end

local function with_mask(self, options)
  if self.mask then return true end
  local mask, err = privacy.open(options.store == ":memory:")
  if not mask then return nil, err end
  for secret in pairs(self.secrets.known) do mask:know(secret) end
  self.mask, self.secrets.mask = mask, mask
  self.clean = function(value) return mask:clean(value) end
  return true
end

-- What an event becomes on its way into one sink. What a sink tells of itself does not go into it.
local function listener(self, sink, name, state)
  local box = sink.send and outbox.new(state, function(item) return sink:send(item) end,
    sink.hurry and function() sink:hurry() end)
  local function hear(event, measurements, metadata)
    if metadata.sink == name or LOOP[event] then return end
    if type(metadata.node) == "string" then self.mask:keep(metadata.node) end
    local item = line.of(event, measurements, metadata, self.clean)
    if box then box:put(item) else state:is(sink:take(item)) end
  end
  return hear, box
end

local function unopened(i, entry, why)
  return failure.in_config({ "sinks", i }, ("%s: %s"):format(settings.place(i, entry), tostring(why)),
    "mend it, or take the sink out")
end

local function begin(self, entry, kind, i)
  local name = ("%s %d"):format(entry.type, i)
  local state = condition.new(name)
  local sink, err = kind.open(entry, function(ok, why) state:is(ok, why) end)
  if not sink then return nil, unopened(i, entry, err) end
  for _, secret in pairs(sink.secrets or {}) do self.mask:know(secret) end
  local one = { sink = sink, offs = {} }
  if kind.hears ~= false then
    local hear
    hear, one.box = listener(self, sink, name, state)
    for _, event in ipairs(entry.events or kind.events) do
      one.offs[#one.offs + 1] = telemetry.on(event_names.read(event), hear)
    end
  end
  self.sinks[#self.sinks + 1] = one
  return true
end

-- All stop to hear at once; those that have something to carry may, until the deadline.
local function put_away(list, deadline)
  for _, one in ipairs(list) do
    for _, off in ipairs(one.offs) do off() end
  end
  for _, one in ipairs(list) do
    if one.box then one.box:close(deadline) end
    one.sink:close()
  end
end

local function begin_all(self, list, kinds)
  for i, entry in ipairs(list) do
    local ok, err = begin(self, entry, kinds[i], i)
    if not ok then return nil, err end
  end
  return true
end

local function nobody() end

--- What is wrong with such a list. Each is opened for that, and closed again.
---@param list any
---@return Failure?
function sinks.fault(list)
  local kinds, err = settings.check(list)
  if not kinds then return err end
  for i, entry in ipairs(list) do
    local sink, why = kinds[i].open(entry, nobody)
    if not sink then return unopened(i, entry, why) end
    sink:close()
  end
end

-- Those of the edited config take the place of the others, if they can be opened.
local function renew(self)
  local list = self.options.sinks or {}
  local kinds, err = settings.check(list)
  local before = self.sinks
  self.sinks = {}
  local ok = kinds
  if ok and next(list) ~= nil then ok, err = with_mask(self, self.options) end
  if ok then ok, err = begin_all(self, list, kinds) end
  local after = self.sinks
  if not ok then self.sinks = before end
  put_away(ok and before or after, async.now() + CLOSE_S)
  if not ok then io.stderr:write("the sinks stay as they were: ", plain(err), "\n") end
end

local function hear_edits(self)
  self.off = telemetry.on("reload.config", function(_, _, metadata)
    for _, name in ipairs(metadata.applied or {}) do
      if name == "sinks" then self.renewing = async.spawn(renew, self) end
    end
  end)
  self.asked = telemetry.on("reload.looked", function(_, _, metadata)
    if metadata.asked then sinks.reopen() end -- a SIGHUP, as logrotate sends it
  end)
end

--- Opens the sinks that the config names, once for the process. What is wrong with one is told now.
---@param options { sinks?: table[], store?: string }
---@return true?
---@return Failure? err
function sinks.start(options)
  local list = options.sinks or {}
  if open and (open.mask or next(list) == nil) then return true end
  local kinds, err = settings.check(list)
  if not kinds then return nil, err end
  if not open then
    open = { sinks = {}, secrets = collector() }
    hear_edits(open)
  end
  open.options = options
  if next(list) == nil then return true end -- an edit may bring the first
  local ok
  ok, err = with_mask(open, options)
  if ok then ok, err = begin_all(open, list, kinds) end
  if ok then return true end
  sinks.close()
  return nil, err
end

--- Hides what a run knows to be secret: the cookie of its node, the key of its provider.
---@param hide fun(mask: { know: fun(self, secret: string) })
function sinks.conceal(hide)
  if open then hide(open.secrets) end
end

--- Opens files anew, as SIGHUP asks for.
function sinks.reopen()
  for _, one in ipairs(open and open.sinks or {}) do
    if one.sink.reopen then one.sink:reopen() end
  end
end

--- Carries out what waits, for a short time, and closes them all; in a task.
function sinks.close()
  if not open then return end
  local closing = open
  open = nil
  closing.off()
  closing.asked()
  local deadline = async.now() + (async.current().cancelled and INTERRUPTED_S or CLOSE_S)
  async.shield(function() put_away(closing.sinks, deadline) end)
end

return sinks
