--- What a strategy is handed (runtime/strategy/init.lua lists it): plain data, and functions that ask the model, start
--- operators and conclude, each over the case and the crew of the run.

local agent = require "runtime.agent"
local answer = require "runtime.strategy.answer"
local asking = require "runtime.asking"
local arguments = require "runtime.arguments"
local async = require "runtime.async"
local by_rules = require "runtime.strategy.by_rules"
local consult = require "runtime.strategy.consult"
local doubt = require "runtime.strategy.doubt"
local findings = require "runtime.tools.findings"
local follow_ups = require "runtime.follow_ups"
local in_use = require "runtime.in_use"
local looking = require "runtime.strategy.looking"
local occasion = require "runtime.occasion"
local plan = require "runtime.strategy.plan"
local prompt = require "runtime.prompt"
local question = require "runtime.strategy.question"
local specialist_words = require "runtime.specialist_words"
local taken = require "runtime.strategy.taken"
local tools = require "runtime.tools.coordinator"

local means = {}

-- As agent.lua keeps it for the last answer; nothing new begins then.
local RESERVE, LONGEST_RESERVE = 0.15, 20
local ANSWER_S = 120
local TRIES = 3 -- of a question that is answered by one call

-- Where nobody can be invited any more, those that were, and who was left out.
local function skills_text(case, closed)
  local asked, lines, others = {}, {}, {}
  for _, entry in ipairs(case.operators) do asked[entry.skill] = true end
  for _, opened in ipairs(case.skills) do
    local s = in_use.now(opened)
    if closed and not asked[s.name] then
      others[#others + 1] = ("`%s`"):format(s.name)
    else
      lines[#lines + 1] = ("- `%s`: %s"):format(s.name, s.from_node and case.clean(s.about) or s.about)
    end
  end
  if #lines == 0 then lines[1] = "- nobody" end
  if #others > 0 then lines[#lines + 1] = "\nNobody asked: " .. table.concat(others, ", ") end
  return table.concat(lines, "\n")
end

local KNOWS_NOTHING = { doubt = true, answer = true, plan = true, guidance = true } -- of who looks

--- A prompt of the coordinator's, filled.
---@param case Case
---@param name string
---@param closed? boolean   nobody can be invited any more
---@return string?
---@return Failure? err
function means.system(case, name, closed)
  local system, err, version = prompt.render(name,
    KNOWS_NOTHING[name] and {} or { skills = skills_text(case, closed) })
  if system then case.versions:uses("prompt", name, version) end
  return system, err
end

-- What a person edited meanwhile, before each turn; who goes by rules goes on with those that it began with.
local function renewing(case, provider, name, offered, closed)
  local seen = case.versions.generation
  return function()
    if provider.fixed or in_use.generation() == seen then return nil end
    seen = in_use.generation()
    local system = means.system(case, name, closed)
    return system and { system = system, tools = offered }
  end
end

local function task_of(case, told)
  return ("Investigate the node %s.\n\nWhat made somebody look: %s"):format(case.node.name, told(case))
end

-- Those that are left, and which of them by name.
local function without(names)
  local out, left, can = {}, {}, {}
  for _, name in ipairs(names or {}) do left[name] = true end
  for _, tool in ipairs(tools.list) do
    if not left[tool.name] then out[#out + 1], can[tool.name] = tool, true end
  end
  return out, can
end

-- A text of the strategy's own stands where a failure of ours would: it is a slip in its file.
local function filled(case, name, closed)
  local system, err = means.system(case, name, closed)
  if not system then error(tostring(err), 0) end
  return system
end

-- The whole loop.
local function run_agent(case, crew, emit, o)
  local offered, can = without(o.without)
  if o.after_rules then table.insert(offered, 1, findings) end
  local closed = not can.invoke_operators
  local system = filled(case, o.prompt, closed)
  local provider = case.mind.coordinator(case.skills)
  local rest = math.min(LONGEST_RESERVE, RESERVE * (case.deadline - async.now()))
  local later = follow_ups.new(case.deadline - rest, emit)
  local outcome = agent.run {
    kind = "coordinator", provider = provider, system = system, tools = offered,
    task = o.task or task_of(case, occasion.task), alert = occasion.alert(case),
    first = o.after_rules and { { id = "first", name = findings.name, args = {} } } or nil,
    deadline = case.deadline, iterations = case.limits.iterations,
    refresh = renewing(case, provider, o.prompt, offered, closed),
    state = { case = case, crew = crew, can = can, follow_ups = later, started = async.now(), emit = emit },
    emit = emit, clean = case.clean,
    go_on = function(ended) return (ended == "done" or ended == "answer") and later:wait() or nil end,
    purse = case.spending:purse(), led = o.after_rules,
  }
  return { ended = outcome.ended, text = outcome.text, iterations = outcome.iterations,
    why = outcome.err and tostring(outcome.err.message or outcome.err) or nil }
end

-- The call of a reply that was asked for; nil and why.
local function only_call(reply, tool)
  local message = asking.readable(reply)
  for _, call in ipairs(message and message.calls or {}) do
    if call.name == tool.name and type(call.args) == "table" and not call.cut_off then
      return arguments.check(tool.parameters, call.args)
    end
  end
  return nil, ("no call of %s came"):format(tool.name)
end

-- One question, answered by one call. It is asked again, but with the reason why the answer was of no use.
local function ask(case, emit, o)
  local system = filled(case, o.prompt)
  if o.shows then
    return consult.ask(case, emit, { system = system, shows = o.shows, tool = o.tool,
      task = o.task or ("Read with get_facts what was seen of the node %s, and call %s."):format(case.node.name,
        o.tool.name) })
  end
  local provider, tool = case.mind.coordinator(case.skills), o.tool
  local task = o.task or task_of(case, occasion.told)
  local run = { provider = provider, system = system, emit = emit, deadline = case.deadline,
    purse = case.spending:purse(),
    messages = { { role = "user", text = task } } }
  local args, why
  for _ = 1, TRIES do
    local within
    within, why = run.purse:may(case.deadline)
    if not within then break end
    local reply, err = asking.ask(run, { { name = tool.name, description = tool.doc, parameters = tool.parameters } })
    if not reply then
      emit("coordinator.llm_error", nil, { reason = tostring(err.message), class = err.class })
      return nil, tostring(err.message)
    end
    args, why = only_call(reply, tool)
    if args then return args end
    run.messages[1] = { role = "user", text = ("%s\n\nAnswer with one call of %s: %s"):format(task, tool.name, why) }
  end
  return nil, why
end

local function insight_schema()
  for _, tool in ipairs(tools.list) do
    if tool.name == "produce_insight" then return tool.parameters end
  end
end

-- As the tool does it; what does not fit is said, and no slip: the arguments may be a model's.
local function conclude(case, args)
  local checked, why = arguments.check(insight_schema(), args)
  if not checked then return nil, why end
  return case:conclude(checked)
end

-- Nobody but these is part of the run any more, and the verdict speaks of what they look at.
local function only(case, names)
  local chosen, left = {}, {}
  for _, name in ipairs(names) do chosen[name] = true end
  for _, s in ipairs(case.skills) do
    if chosen[s.name] then left[#left + 1] = s end
  end
  if #left == 0 then error("run.only: none of these skills is part of the run", 0) end
  case.skills = left
end

-- What a report has beside what all reports have.
local function add_to_report(case, fields)
  for name, value in pairs(fields) do
    if name ~= "specialist" then error(("run.report: no strategy fills a field %s"):format(tostring(name)), 0) end
    local why = specialist_words.fault(value)
    if why then error("run.report: " .. why, 0) end
    case.more[name] = value
  end
end

--- The functions and data of one run.
---@param case Case
---@param crew Crew
---@param emit fun(event: string, measurements?: table, metadata?: table)
---@return table
function means.of(case, crew, emit)
  local about = {}
  for _, s in ipairs(case.skills) do about[s.name] = s.from_node and case.clean(s.about) or s.about end
  return {
    skills = crew:names(), about = about, reason = case.clean(case.occasion or case.reason), node = case.node.name,
    rules_think = case.mind.by_rules,
    left = function() return math.max(0, case.deadline - async.now()) end,
    emit = function(...) emit(taken.call("emit", ...)) end,
    invoke = function(...) return crew:invite(taken.call("invoke", ...)) end,
    wait = function(...)
      local seconds = taken.call("wait", ...)
      crew:wait(math.min(crew.deadline, async.now() + (seconds or math.huge)))
      return crew:statuses()
    end,
    statuses = function() return crew:statuses() end,
    message = function(...)
      local name, text, seconds = taken.call("message", ...)
      return crew:message(name, text, math.min(crew.deadline, async.now() + (seconds or ANSWER_S)))
    end,
    notifications = function() return case.notifications end,
    question = case.question and case.clean(case.question),
    only = function(...) only(case, (taken.call("only", ...))) end,
    route = function() return question.skills(case) end,
    look_for_answer = function() question.facts(case) end,
    answer = function() answer.make(case, emit, filled(case, "answer")) end,
    look = function(o) return looking.look(case, case.also, taken.look(o)) end,
    cite = function(...) return looking.cite(case, taken.call("cite", ...)) end,
    approve = function(steps) return plan.approve(case, case.also, taken.steps(steps)) end,
    report = function(fields) add_to_report(case, fields) end,
    conclude = function(args) return conclude(case, args) end,
    promote = function() case:promote() end,
    by_rules = function() by_rules.look(case, crew) end,
    look_again = function()
      crew:wait(crew.deadline)
      doubt.look_again(case, crew, emit)
    end,
    doubt = function()
      crew:wait(crew.deadline)
      doubt.carry_out(case, crew, emit, filled(case, "doubt"))
    end,
    ask = function(o) return ask(case, emit, taken.table("ask", o)) end,
    agent = function(o) return run_agent(case, crew, emit, taken.table("agent", o)) end,
  }
end

return means
