--- A node on a cassette: `recording` writes down what it answers, `replaying` answers it again, without a node.
---
--- An answer is found by who asked (skill and callback), the text and the variables; the same question asked
--- twice has its two answers in their order. What was never asked has no answer, and says so: then it cannot be
--- told. What a skill is told of the past and of events is an answer too.

local async = require "runtime.async"
local crypto = require "host.crypto"
local etf = require "host.etf"
local failure = require "runtime.failure"
local json = require "runtime.json"
local recorded_reach = require "runtime.node.recorded_reach"
local tape_value = require "runtime.tape_value"

local recorded = {}

local LENGTH = 16 -- hex digits

local function sum(text) return crypto.sha256(text):sub(1, LENGTH) end

local function same(text) return text end

local function fault_of(err)
  if not failure.is(err) then return { message = tostring(err) } end
  return { stage = err.stage, message = err.message, next = err.next, exit = err.exit }
end

local function cleaned_fault(err, clean)
  local out = fault_of(err)
  out.message = clean(out.message)
  return out
end

local function as_fault(said)
  if not said.stage then return said.message end
  return failure.new(said.stage, said.message, said.next ~= json.null and said.next or nil, said.exit)
end

-- Names of secrets go back as what they stand for: the node knows no other.
local function meant(variables, original)
  local out = {}
  for name, value in pairs(variables or {}) do out[name] = type(value) == "string" and original(value) or value end
  return out
end

-- A list of names that was put together from a table has another order in each process.
local function ordered(v)
  if type(v) ~= "table" then return v end
  local names = #v > 1
  for key, item in pairs(v) do
    v[key] = ordered(item)
    names = names and type(item) == "string"
  end
  if names then table.sort(v) end
  return v
end

local function question(text, variables, clean)
  return sum(text), json.encode(ordered(tape_value.encode(variables or {}, clean)))
end

-- What came of a question, as it is written and as it is handed on: the same after as before.
local function settled(value, o, clean)
  if o.raw then
    local term = etf.decode(value)
    return term ~= nil and tape_value.encode(term, clean) or nil, value
  end
  if o.json then
    local text = clean(value)
    return text, text
  end
  local written = tape_value.encode(value, clean)
  return written, tape_value.decode(json.decode(json.encode { written })[1])
end

local function recorded_query(node, tape, mask)
  local function clean(text) return mask:uncut(text) end
  return function(text, variables, o)
    o = o or {}
    local which, with = question(text, variables, clean)
    local began = tape:seconds()
    local value, err, printed = node.query(text, meant(variables, function(t) return mask:original(t) end), o)
    local entry = { query = which, with = with, by = o.by, took = tape:seconds() - began }
    if value == nil then
      entry.fault = cleaned_fault(err, clean)
    else
      entry.answer, value = settled(value, o, clean)
      if entry.answer == nil then return value, err, printed end
      entry.answer = { entry.answer }
    end
    tape:add(entry)
    return value, err, printed
  end
end

-- A function that a skill is handed. What it answers is written down, unless it is no value.
local function recorded_function(name, fn, tape, clean)
  return function(...)
    local with = sum(name .. json.encode(tape_value.encode({ n = select("#", ...), ... }, clean)))
    local began = tape:seconds()
    local answers = { fn(...) }
    local ok, written = pcall(tape_value.encode, { list = answers, n = table.maxn(answers) }, clean)
    if not ok then return unpack(answers, 1, table.maxn(answers)) end
    tape:add { used = name, with = with, answer = { written }, took = tape:seconds() - began }
    local back = tape_value.decode(json.decode(json.encode { written })[1])
    return unpack(back.list, 1, back.n)
  end
end

local function wrapped(name, made, wrap)
  if type(made) == "function" then return wrap(name, made) end
  local out = {}
  for key, value in pairs(made) do out[key] = type(value) == "function" and wrap(name .. "." .. key, value) or value end
  return out
end

--- A node whose answers are written down. It is the same in all else.
---@param node AttachedNode
---@param tape Tape
---@param mask Privacy
---@return table node
function recorded.recording(node, tape, mask)
  local function clean(text) return mask:uncut(text) end
  local uses = setmetatable({}, { __index = function(_, use)
    local make = node.uses and node.uses[use]
    return make and function(s)
      return wrapped(("%s %s"):format(s.name, use), make(s), function(name, fn)
        return recorded_function(name, fn, tape, clean)
      end)
    end
  end })
  local own = { uses = uses, query = recorded_query(node, tape, mask),
    reach = node.reach and recorded_reach.recording(node.reach, tape, clean) }
  return setmetatable(own, { __index = node, __newindex = function(_, key, value) node[key] = value end })
end

-- What is asked again where nothing is left.
local function unknown(what)
  return failure.new("cassette", ("the cassette holds no answer to %s"):format(what),
    "only what was asked when it was recorded can be asked again", 4)
end

---@class RecordedNode
---@field name string
---@field state string
---@field load table
---@field unanswered integer   questions without an answer
---@field waiting integer      those who wait in it for the clock
---@field private left table<string, table[]>
local Recorded = {}
Recorded.__index = Recorded

local function take(list, by)
  for i, entry in ipairs(list or {}) do
    if entry.by == by then return table.remove(list, i) end
  end
  return list and table.remove(list, 1)
end

-- As long as it took then, by a clock that nobody waits for.
local function rest(self, seconds)
  if not seconds or seconds <= 0 then return true end
  self.waiting = self.waiting + 1
  local ok, why = async.sleep(seconds)
  self.waiting = self.waiting - 1
  return ok, why
end

local function answer(self, entry, o)
  local ok, why = rest(self, entry.took)
  if not ok then return nil, failure.new("query", "the query was stopped: " .. why, nil, 4) end
  self.load.calls = self.load.calls + 1
  self.rest = self.rest - 1
  if self.rest == 0 then self.state = self.last_state end
  if entry.fault then return nil, as_fault(entry.fault) end
  local value = tape_value.decode(entry.answer[1])
  if o.raw then return etf.encode(value) end
  return value
end

-- Nobody is there to be told, asked to parse, or left.
local function nothing() end
local function yes() return true end

function Recorded:footprint() return self.last_footprint end
function Recorded.call() return nil, unknown "a call" end
Recorded.on_change, Recorded.conceal, Recorded.leave, Recorded.close = nothing, nothing, nothing, nothing
Recorded.parse = yes

-- The last answer holds on: the past does not change while it is looked at.
local function played(self, name, use)
  return function(...)
    local list = self.left["used" .. sum(name .. json.encode(tape_value.encode({ n = select("#", ...), ... }, same)))]
    if not list then
      self.unanswered = self.unanswered + 1
      return use == "history" and {} or { unavailable = tostring(unknown(name)) }
    end
    local entry = #list > 1 and table.remove(list, 1) or list[1]
    rest(self, entry.took)
    local back = tape_value.decode(entry.answer[1])
    return unpack(back.list, 1, back.n)
  end
end

-- What is handed to a skill was a function, or a table of them.
local function uses_of(self)
  return setmetatable({}, { __index = function(_, use)
    return function(s)
      local name = ("%s %s"):format(s.name, use)
      return setmetatable({}, {
        __call = function(_, ...) return played(self, name, use)(...) end,
        __index = function(_, key) return played(self, name .. "." .. key, use) end,
      })
    end
  end })
end

--- A node that answers from a cassette.
---@param tape { head: table, entries: table[], last: table }
---@return RecordedNode
function recorded.replaying(tape)
  local report = tape.last.report
  local self = setmetatable({
    name = tape.head.node, state = "up", last_state = tape.last.state or "up", link = {},
    unanswered = 0, waiting = 0, rest = 0,
    load = { calls = 0, reductions = 0, bytes = 0, max_ms = 0 }, left = {},
    last_footprint = type(report.footprint) == "table" and report.footprint or nil,
  }, Recorded)
  for _, entry in ipairs(tape.entries) do
    local key = entry.query and entry.query .. entry.with or entry.used and "used" .. entry.with
    if key then
      self.left[key] = self.left[key] or {}
      table.insert(self.left[key], entry)
      self.rest = self.rest + (entry.query and 1 or 0)
    end
  end
  function self.query(text, variables, o)
    o = o or {}
    local which, with = question(text, variables, same)
    local entry = take(self.left[which .. with], o.by)
    if entry then return answer(self, entry, o) end
    self.unanswered = self.unanswered + 1
    return nil, unknown(o.by and "what " .. o.by .. " asks" or "this question")
  end
  function self.sleep(seconds) return rest(self, seconds) end
  self.uses, self.reach = uses_of(self), recorded_reach.replaying(tape, unknown)
  return self
end

return recorded
