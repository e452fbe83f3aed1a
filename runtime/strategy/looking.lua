--- What a strategy looks at itself, beside its operators: single callbacks, by the gate like any other look, and kept
--- as observations that can be cited. Above SAFE a person has to have allowed it, before the run or when asked.

local execute = require "runtime.execute"
local gate = require "runtime.gate"
local skill = require "runtime.skill"

local looking = {}

-- The skill of a callback: of the run's first, then of those that the strategy looks with itself.
local function owner(case, also, name)
  for _, list in ipairs { case.skills, also } do
    for _, s in ipairs(list) do
      if s.callbacks[skill.resolve(s, name)] then return s end
    end
  end
  return nil, ("no skill of this run has a callback %s"):format(tostring(name))
end

---@param case Case
---@param also Skill[]   nobody is invited with these
---@param name string
---@return { name: string, class: Class, cost?: string, doc: string, skill: string }?
---@return string? why
function looking.callback(case, also, name)
  local s, why = owner(case, also, name)
  if not s then return nil, why end
  name = skill.resolve(s, name)
  local callback = s.callbacks[name]
  return { name = name, class = callback.class, cost = callback.cost, doc = callback.doc, skill = s.name }
end

-- A call as it was shown, to the last argument.
local function id_of(call)
  local words = {}
  for i = 1, table.maxn(call) do words[i] = tostring(call[i]) end
  return table.concat(words, "\0")
end

-- What a person said yes to is that call, of that class, by the strategy itself: not another function to trace, nothing
-- that an edit made graver meanwhile, and nobody else of the run.
local function gate_of(case, call)
  return { permit = function(_, name, class)
    if case.granted[id_of(call)] == class then return true end
    return case.gate:permit(name, class)
  end }
end

--- Makes one look.
---@param case Case
---@param also Skill[]
---@param call any[]   callback and arguments
---@return { observation: string, value: any }?
---@return string? why   refused, failed, or not to be had on this node
function looking.look(case, also, call)
  local s, fault = owner(case, also, call[1])
  if not s then return nil, fault end
  local name = skill.resolve(s, call[1])
  local before = case.unanswered[name]
  local state = { case = case, skill = s, node = case.node, gate = gate_of(case, call) }
  local look, log = execute.looking(state)
  local value, why = look(call[1], { unpack(call, 2, table.maxn(call)) })
  case.unanswered[name] = before -- what is open for a verdict are the looks of operators
  if value == nil then return nil, tostring(why):match "^[^\n]*" end
  if type(value) == "table" and value.unavailable then return nil, tostring(value.unavailable) end
  local id = execute.observed(state, log, value)
  return { observation = id, value = case.evidence:get(id).value }
end

--- A figure of a look as a claim, read where it stands.
---@return { observation: string, callback: string, path: string, value: any, at: string }?
function looking.cite(case, observation, path)
  local value = case.evidence:value(observation, path)
  if value == nil or type(value) == "table" then return nil end
  local o = case.evidence:get(observation)
  return { observation = observation, callback = o.callback, path = path, value = value, at = o.at }
end

-- Who of them may not run yet, and why the first may not.
local function refused(case, callbacks)
  local list, why = {}, nil
  for _, c in ipairs(callbacks) do
    local ok, err = case.gate:permit(c.name, c.class)
    if not ok then list[#list + 1], why = c, why or tostring(err):match "^[^\n]*" end
  end
  return list, why
end

-- What all of them do, where a person may be asked about all of them.
local function effect_of(case, callbacks)
  local effect = case.ask_person and true
  for _, c in ipairs(callbacks) do effect = effect and gate.question(c.name, c.class) end
  return effect
end

--- Whether the callbacks of one step may run: they read, a person allowed them for this run, or says yes now, to this.
---@param case Case
---@param callbacks { name: string, class: Class, call: any[] }[]
---@param what string   as the person is asked about it
---@return boolean allowed
---@return string? why   not
function looking.permitted(case, callbacks, what)
  local open, why = refused(case, callbacks)
  if #open == 0 then return true end
  local effect = effect_of(case, open)
  if effect then
    local answer = case.ask_person(("%s: it %s."):format(what, effect))
    effect, why = answer == "y" or answer == "yes", "a person was asked and did not say yes"
  end
  for _, c in ipairs(effect and open or {}) do case.gate:grant(c.name) end
  local still = refused(case, open) -- a replay has nobody to ask, and the answer of then
  for _, c in ipairs(effect and open or {}) do case.gate:withdraw(c.name) end
  for _, c in ipairs(#still == 0 and open or {}) do case.granted[id_of(c.call)] = c.class end
  return #still == 0, #still > 0 and why or nil
end

return looking
