--- The coordinator: starts operators and joins what they notify into insights, by a strategy
--- (runtime/strategy). Whatever happens, a run ends with a report of what there is.

local agent_loop = require "runtime.strategy.agent_loop"
local answer = require "runtime.strategy.answer"
local async = require "runtime.async"
local carried = require "runtime.carried"
local calm = require "runtime.strategy.calm"
local case_of = require "runtime.case"
local crew_of = require "runtime.crew"
local means = require "runtime.strategy.means"
local operator = require "runtime.operator"
local queues = require "runtime.queues"
local skill = require "runtime.skill"
local taken = require "runtime.strategy.taken"
local verdict = require "runtime.verdict"

local coordinator = {}

-- Operators end before the coordinator has to, so that it can still join what they found.
local SHARE_OF_OPERATORS, LONGEST_REST = 0.75, 60
local SECONDS = 300
local ENDING_S = 2 -- of a strategy that was stopped

-- Every prompt that will be needed, so that a broken one is told before anybody looks.
local function systems_of(case, strategy)
  local systems = {}
  for _, s in ipairs(case.skills) do
    local text, err = operator.system(case, s)
    if not text then return nil, err end
    systems[s.name] = text
  end
  for _, name in ipairs(strategy.prompts or {}) do
    local system, err = means.system(case, name)
    if not system then return nil, err end
  end
  return systems
end

local NAMED_END = {
  deadline = "coordinator.deadline", interrupted = "coordinator.cancelled",
  iterations = "coordinator.max_iterations_reached",
}

-- The loop is over. Operators that still run may finish, unless time is up or we are to stop.
local function close(case, crew)
  if case.ended ~= "interrupted" then crew:wait(crew.deadline) end
  crew:stop(case.ended == "interrupted" and "interrupted" or "deadline")
  case:promote()
end

-- As the strategy has it. What it raises is its own slip, and what was found until then stands.
local function carry_out(case, strategy, crew, emit)
  local task = async.spawn(strategy.run, calm.of(means.of(case, crew, emit), crew, case.deadline))
  local ok, outcome = task:join()
  local cancelled = async.current().cancelled
  if cancelled then
    task:cancel(cancelled)
    async.shield(function() task:join(async.now() + ENDING_S) end)
    return { ended = "interrupted" }
  end
  if ok then return taken.outcome(outcome) end
  return { ended = "crashed", why = tostring(outcome):match "^[^\n]*" }
end

-- Skills that the strategy looks with itself, and an answer to a question.
local function beside(case, strategy)
  local names, opened = { unpack(strategy.also or {}) }, {}
  for _, name in ipairs(case.question and answer.skills or {}) do names[#names + 1] = name end
  for i, name in ipairs(names) do
    local s, err = skill.open(name)
    if not s then return nil, err end
    case.versions:uses("skill", s.name, skill.version(s))
    opened[i] = s
  end
  return opened
end

local function investigate(opts)
  local case, strategy = case_of.new(opts), opts.strategy or agent_loop
  case.question, case.ask_person, case.show_person = opts.question, opts.ask_person, opts.show_person
  case.granted, case.more = {}, {}
  local also, fault = beside(case, strategy)
  if not also then return nil, fault end
  case.also = also
  local systems, err = systems_of(case, strategy)
  if not systems then return nil, err end
  local now = async.now()
  local rest = math.min(LONGEST_REST, (case.deadline - now) * (1 - SHARE_OF_OPERATORS))
  local crew = crew_of.new(case, case.deadline - rest, systems)
  local function emit(event, measurements, metadata) case:emit(event, measurements, metadata) end
  function case.heard(n)
    emit("coordinator.operator_notification_received", nil, { operator = n.operator, id = n.id, severity = n.severity })
  end
  emit("coordinator.started", { system_time = os.time() * 1e9 },
    { node = case.node.name, skills = crew:names(), strategy = strategy.name })
  if opts.found then carried.take_up(case, opts.found) end
  local outcome = carry_out(case, strategy, crew, emit)
  case.ended, case.why, case.said = outcome.ended or "done", outcome.why, outcome.text
  if NAMED_END[case.ended] then emit(NAMED_END[case.ended], { iterations = outcome.iterations or 0 }) end
  close(case, crew)
  if opts.autonomy and case.ended ~= "interrupted" then require("runtime.autonomy").follow(case, opts.autonomy) end
  local report = verdict.report(case)
  for name, value in pairs(case.more) do report[name] = value end
  return report
end

--- One investigation on demand. Those of one node are made one after another, in the order of coming.
---@param opts { node: table, skills: Skill[], mind: table, gate: table, reason?: string, deadline?: number,
---  limits?: table, strategy?: table, found?: Carried, question?: string, ask_person?: fun(text: string): string?,
---  show_person?: fun(text: string) }   strategy: from runtime/strategy, agent_loop if left out; found: what somebody
---  proved before, which had it begin; question: that the report is to answer; ask_person: where one sits there
---@return table? report
---@return Failure? err   a broken prompt, too many that wait, no turn in time: everything else is in the report
function coordinator.run(opts)
  local deadline = opts.deadline or async.now() + SECONDS
  return queues.run("the coordinator on " .. opts.node.name, deadline, function() return investigate(opts) end)
end

return coordinator
