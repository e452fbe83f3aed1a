--- `execute`: the model's Lua in the sandbox, its callbacks through the gate to the node, and the
--- result as an observation, together with what the node answered on the way.

local async = require "runtime.async"
local failure = require "runtime.failure"
local help = require "runtime.help"
local log_templates = require "runtime.log_templates"
local sandbox = require "runtime.sandbox"
local skill = require "runtime.skill"
local skill_words = require "runtime.skill_words"
local unsaid = require "runtime.unsaid"

local execute = {}

-- Seconds. Rules make many looks side by side, and the next ones when all have come: one that gets no answer holds up
-- all of them, and what it would have told is said to be open. No look of theirs waits for more than 4 s by itself.
local RULES_PATIENCE = 12

-- A chunk can turn a text into any other, which nobody would know again: so what a provider wrote sees no
-- more than what may leave to it. Names of secrets that it hands back mean what they stand for. Rules look at home.
local function outward(state, value)
  local rules = state.status and state.status.rules
  if rules or not state.case.mind.destination then return value end
  return log_templates.applied(state.skill.lines, state.case.clean(value))
end

local function inward(case, given)
  local args = {}
  for key, value in pairs(given) do args[key] = type(value) == "string" and case.original(value) or value end
  return args
end

local function helped(state, name)
  local text, err = help.of(state.skill, state.case:words(), name)
  if not text then return nil, err end
  return outward(state, text)
end

-- A call that is wrong in itself is told with what would be right.
local function worded(state, name, err)
  local wrong = failure.is(err) and err.stage == "usage"
  return outward(state, wrong and ("%s\n%s"):format(tostring(err), skill.help(state.skill, name)) or tostring(err))
end

local function limits_of(state)
  local limits = state.case.limits.chunk or {}
  if not (state.case.mind.by_rules or state.status and state.status.rules) then return limits end
  local callback_s = math.min(limits.callback_s or RULES_PATIENCE, RULES_PATIENCE)
  return setmetatable({ callback_s = callback_s }, { __index = limits })
end

-- One callback of the chunk. What was asked, refused and answered is what a verdict goes by.
local function serve(state, name, given, log)
  if name == help.name and not state.skill.callbacks[name] then return helped(state, given[1]) end
  local called = name
  name = skill.resolve(state.skill, called)
  local case, callback = state.case, state.skill.callbacks[name]
  if not callback then return nil, ("there is no callback %s"):format(name) end
  local ok, why = state.gate:permit(name, callback.class)
  if not ok then
    case.unanswered[name] = tostring(why)
    return nil, tostring(why)
  end
  local args, began = inward(case, given), async.now()
  local value, err = skill.call(state.skill, called, args, state.node)
  if value == nil then
    case.unanswered[name] = tostring(err)
    return nil, worded(state, name, err)
  end
  if type(value) == "table" and value.unavailable then
    case.unanswered[name], case.lacking[name] = tostring(value.unavailable), true
  else
    case.answered[name] = true
    if case.looks then unsaid.keep(case, name, args, began, async.now(), value) end
  end
  value = outward(state, value)
  log.answers[#log.answers + 1] = value
  if not log.seen[name] then
    log.seen[name] = true
    log.callbacks[#log.callbacks + 1] = name
  end
  return value
end

-- Of an error the sandbox names the line beside the message, of a stop inside it.
local function complaint(outcome)
  if outcome.kind ~= "error" or not outcome.line then return outcome.message end
  return ("line %d: %s"):format(outcome.line, outcome.message)
end

local function names_of(s)
  local names = skill.callable(s)
  if not s.callbacks[help.name] then names[#names + 1] = help.name end
  return names
end

--- What one call of a tool looks with.
---@param state table   of an operator
---@return fun(name: string, given: any[]): any, string?   runs a callback of its skill, as the gate permits
---@return table log    what was asked and answered
function execute.looking(state)
  local log = { answers = {}, callbacks = {}, seen = {} }
  return function(name, given) return serve(state, name, given, log) end, log
end

--- Keeps what came of it, so that it can be cited.
---@return string id
function execute.observed(state, log, result)
  return state.case.evidence:add {
    kind = "execute", operator = state.skill.name, value = result, answers = log.answers,
    callback = table.concat(log.callbacks, ", "), at = state.case.now(),
  }
end

--- The tool. Answers { observation, callbacks, result, print } or nil and why.
function execute.run(state, args)
  local look, log = execute.looking(state)
  local started = async.now()
  state.emit("operator.execute_start", { system_time = os.time() * 1e9 }, { code = args.code })
  local outcome = sandbox.execute {
    code = args.code, names = names_of(state.skill), limits = limits_of(state),
    call = look,
  }
  local took = { duration = (async.now() - started) * 1e9 }
  local why = outcome.kind ~= "ok" and complaint(outcome)
    or outcome.result == nil and "the script returned nothing; end it with return" or nil
  if why then
    state.emit("operator.execute_error", took, { reason = why })
    return nil, why
  end
  local id = execute.observed(state, log, outcome.result)
  state.emit("operator.execute_complete", took, { observation = id, callbacks = log.callbacks })
  local printed = outcome.print and #outcome.print > 0 and outcome.print or nil
  return { observation = id, callbacks = log.callbacks, result = outcome.result, print = printed }
end

--- The arguments that the callbacks of an answer take: with them one asks for less.
---@param state table
---@param data table   of execute.run
---@return string?
function execute.narrow(state, data)
  local calls = {}
  for _, name in ipairs(data.callbacks) do
    local callback = state.skill.callbacks[name]
    if callback and #(callback.args or {}) > 0 then calls[#calls + 1] = skill_words.call(name, callback) end
  end
  return #calls > 0 and table.concat(calls, " or ") or nil
end

return execute
