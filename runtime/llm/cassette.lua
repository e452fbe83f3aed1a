--- A model on a cassette: `recording` writes down what one is asked and says, `replaying` says it again.
---
--- Agents of a run ask at the same time, and what one is shown depends on how far the others are. So a replay
--- gives each reply at the moment of the run at which it came (the clock is turned forward, nobody waits), in the same
--- order, and only after everybody has asked who had asked by then. A run that goes another way than the recorded
--- one (a request without a reply) is set free of that.

local async = require "runtime.async"
local crypto = require "host.crypto"
local json = require "runtime.json"

local cassette = {}

local LENGTH = 16 -- hex digits

local function sum(text) return crypto.sha256(text):sub(1, LENGTH) end

-- Moments are others each time, and so is how long a wait really took.
local function timeless(text)
  return (text:gsub("%d%d%d%d%-%d%d%-%d%dT%d%d:%d%d:%d%d[%.%d]*Z", "T"):gsub('"waited_ms":%d+', '"waited_ms":0'))
end

local function messages_of(request)
  local parts = {}
  for _, message in ipairs(request.messages) do
    parts[#parts + 1] = message.role .. ":" .. (message.text or "")
    for _, call in ipairs(message.calls or {}) do
      parts[#parts + 1] = json.encode { call.name, call.args or call.bad_args or "" }
    end
    for _, result in ipairs(message.results or {}) do parts[#parts + 1] = result.name .. "=" .. result.text end
  end
  return timeless(table.concat(parts, "\n"))
end

--- What a request was, in parts that are compared.
---@param request table
---@return { prompt: string, tools: string, messages: string }
function cassette.sums(request)
  return { prompt = sum(request.system or ""), tools = sum(request.tools and json.encode(request.tools) or ""),
    messages = sum(messages_of(request)) }
end

-- Each agent by its name and how often it was started.
local function namer()
  local made = {}
  return function(name)
    made[name] = (made[name] or 0) + 1
    return ("%s#%d"):format(name, made[name])
  end
end

local function text_or_nil(v) return type(v) == "string" and v or nil end

local function written(reply)
  if type(reply) ~= "table" then return { stop = "done", text = "" } end
  local calls = {}
  for i, call in ipairs(type(reply.calls) == "table" and reply.calls or {}) do
    calls[i] = type(call) == "table" and { id = text_or_nil(call.id), name = text_or_nil(call.name), args = call.args,
      bad_args = text_or_nil(call.bad_args) } or {}
  end
  return { text = text_or_nil(reply.text), calls = calls, stop = text_or_nil(reply.stop),
    usage = type(reply.usage) == "table" and json.object(reply.usage) or nil, model = text_or_nil(reply.model),
    provider = text_or_nil(reply.provider) }
end

local function recorder(provider, agent, tape, clean)
  local turn, own = 0, setmetatable({}, { __index = provider })
  function own.ask(_, request)
    turn = turn + 1
    local this = turn
    tape:add { ask = agent, turn = this, sums = cassette.sums(request) }
    local ok, reply, err = pcall(provider.ask, provider, request)
    local why = reply == nil and (err or {}) or nil
    if not ok then why = { class = "fatal", message = tostring(reply):match "^[^\n]*" } end
    if why then
      tape:add { reply = agent, turn = this, t = tape:seconds(), failed = { class = why.class or "fatal",
        status = why.status, message = clean(tostring(why.message or why)) } }
    else
      tape:add { reply = agent, turn = this, t = tape:seconds(), said = written(reply) }
    end
    if not ok then error(reply, 0) end
    return reply, err
  end
  return own
end

--- A mind whose words are written down. Rules are not: a replay has them think again.
---@param mind Mind
---@param tape Tape
---@param clean fun(text: string): string
---@return Mind
function cassette.recording(mind, tape, clean)
  if mind.name == "analyst" then return mind end
  local name = namer()
  return setmetatable({
    operator = function(s, ...)
      return recorder(mind.operator(s, ...), name(s and s.name or "operator"), tape, clean)
    end,
    coordinator = function(...) return recorder(mind.coordinator(...), name "coordinator", tape, clean) end,
    cheap = function(...) return recorder((mind.cheap or mind.coordinator)(...), name "cheap", tape, clean) end,
  }, { __index = mind })
end

---@class Conductor
---@field changed { agent: string, turn: integer, parts: string[] }[]   requests that are others than recorded
---@field missing { agent: string, turn: integer }[]   that the cassette has no reply for
---@field anew table<string, true>   agents that a model of today was asked for
---@field answered integer      from the cassette
---@field live integer          requests to a model that are under way
---@field private began number
---@field private order { key: string, ask: boolean }[]
local Conductor = {}
Conductor.__index = Conductor

local function nothing() end
local function key_of(agent, turn) return ("%s/%d"):format(agent, turn) end

-- As far as what was recorded has happened again.
function Conductor:advance()
  while not self.free do
    local step = self.order[self.at]
    if not step then return end
    local resume = self.waiting[step.key]
    if step.ask and not self.arrived[step.key] then return end
    if not step.ask and not resume and not self.gone[step.key] then return end
    self.at = self.at + 1
    if not step.ask and resume then
      self.waiting[step.key] = nil
      resume(true)
    end
  end
end

--- The order does not fit what happens any more: everybody is answered at once.
function Conductor:let_go()
  self.free = true
  local waiting = self.waiting
  self.waiting = {}
  for _, resume in pairs(waiting) do resume(true) end
end

local PARTS = { "prompt", "tools", "messages" }

local function compare(self, agent, turn, request, was)
  local now, parts = cassette.sums(request), {}
  for _, part in ipairs(PARTS) do
    if was[part] ~= now[part] then parts[#parts + 1] = part end
  end
  if #parts > 0 then self.changed[#self.changed + 1] = { agent = agent, turn = turn, parts = parts } end
  return parts[1] == "prompt"
end

-- A model of today answers, where there is one.
local function answered_live(self, agent, turn, request, live)
  self:let_go()
  if not live then
    return nil, { class = "fatal", message = ("the cassette has no reply for turn %d of %s; a model would be needed: "
      .. "--provider NAME"):format(turn, agent) }
  end
  self.live = self.live + 1
  local ok, reply, err = pcall(live.ask, live, request)
  self.live = self.live - 1
  if not ok then error(reply, 0) end
  return reply, err
end

-- Waits for the moment of a reply, and for those before it.
function Conductor:turn_of(key, entry, deadline)
  if self.free then return true end
  async.await(nothing, self.began + (entry.t or 0))
  if async.current().cancelled then return nil, async.current().cancelled end
  return async.await(function(resume)
    if self.free then return resume(true) end
    self.waiting[key] = resume
    self:advance()
    return function() self.waiting[key] = nil end
  end, deadline)
end

-- Words that were said to another prompt are no answer to this one: with a model at hand it is asked that, from the
-- first turn on.
function Conductor:ask(agent, turn, request, make)
  local key = key_of(agent, turn)
  local entry, was = self.said[key], self.sums[key]
  self.arrived[key] = true
  if self.anew[agent] then return answered_live(self, agent, turn, request, make()) end
  local other_prompt = was and compare(self, agent, turn, request, was)
  if other_prompt and make then
    self.anew[agent] = true
    return answered_live(self, agent, turn, request, make())
  end
  if not entry then
    self.missing[#self.missing + 1] = { agent = agent, turn = turn }
    return answered_live(self, agent, turn, request, make and make())
  end
  self:advance()
  local ok, why = self:turn_of(key, entry, request.deadline)
  if not ok then
    self.gone[key] = true
    self:advance()
    return nil, { class = "cancelled", message = "stopped: " .. tostring(why) }
  end
  self.answered = self.answered + 1
  if entry.failed then return nil, entry.failed end
  local reply = {}
  for name, value in pairs(entry.said) do reply[name] = value ~= json.null and value or nil end
  return reply
end

--- The mind of a cassette.
---@param tape { head: table, entries: table[] }
---@param live? Mind      asked where the prompt is another than it was, or the cassette has no reply
---@return Mind
---@return Conductor
function cassette.replaying(tape, live)
  local self = setmetatable({ order = {}, at = 1, arrived = {}, waiting = {}, gone = {}, said = {}, sums = {},
    changed = {}, missing = {}, anew = {}, answered = 0, live = 0, began = async.now() }, Conductor)
  for _, entry in ipairs(tape.entries) do
    local agent = entry.ask or entry.reply
    if agent then
      local key = key_of(agent, entry.turn)
      self.order[#self.order + 1] = { key = key, ask = entry.ask ~= nil }
      if entry.ask then self.sums[key] = entry.sums else self.said[key] = entry end
    end
  end
  local name, was = namer(), tape.head.mind
  local function provider(agent, make)
    local turn, inner = 0, nil
    local function today()
      inner = inner or make()
      return inner
    end
    return { name = was.name, model = was.model, ask = function(_, request)
      turn = turn + 1
      return self:ask(agent, turn, request, live and today or nil)
    end }
  end
  return {
    name = was.name, model = was.model, destination = was.destination and "replay" or nil,
    operator = function(s, ...)
      local rest = { ... }
      return provider(name(s and s.name or "operator"), function() return live.operator(s, unpack(rest)) end)
    end,
    coordinator = function(...)
      local rest = { ... }
      return provider(name "coordinator", function() return live.coordinator(unpack(rest)) end)
    end,
    cheap = function(...)
      local rest = { ... }
      return provider(name "cheap", function() return (live.cheap or live.coordinator)(unpack(rest)) end)
    end,
    conceal = live and live.conceal,
  }, self
end

return cassette
