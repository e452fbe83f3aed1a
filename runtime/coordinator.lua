--- The coordinator: the loop with the tools that start operators and join what they notify into
--- insights. Whatever happens, a run ends with a report of what there is.

local agent = require "runtime.agent"
local async = require "runtime.async"
local case_of = require "runtime.case"
local crew_of = require "runtime.crew"
local in_use = require "runtime.in_use"
local operator = require "runtime.operator"
local prompt = require "runtime.prompt"
local tools = require "runtime.tools.coordinator"
local verdict = require "runtime.verdict"

local coordinator = {}

-- Operators end before the coordinator has to, so that it can still join what they found.
local SHARE_OF_OPERATORS, LONGEST_REST = 0.75, 60

local function skills_text(case)
  local lines = {}
  for i, opened in ipairs(case.skills) do
    local s = in_use.now(opened)
    lines[i] = ("- `%s`: %s"):format(s.name, s.from_node and case.clean(s.about) or s.about)
  end
  return table.concat(lines, "\n")
end

local function system_of(case)
  local system, err, version = prompt.render("coordinator", { skills = skills_text(case) })
  if system then case.versions:uses("prompt", "coordinator", version) end
  return system, err
end

local function systems_of(case)
  local systems = {}
  for _, s in ipairs(case.skills) do
    local text, err = operator.system(case, s)
    if not text then return nil, err end
    systems[s.name] = text
  end
  local system, err = system_of(case)
  if not system then return nil, err end
  return systems, system
end

-- What a person edited meanwhile, before each turn; who goes by rules goes on with those that it began with.
local function renewing(case, provider)
  local seen = case.versions.generation
  return function()
    if provider.fixed or in_use.generation() == seen then return nil end
    seen = in_use.generation()
    local system = system_of(case)
    return system and { system = system, tools = tools.list }
  end
end

local function task_of(case)
  return ("Investigate the node %s.\n\nWhat made somebody look: %s"):format(case.node.name,
    case.reason ~= "" and case.clean(case.reason) or "nothing in particular; find out how it is")
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

--- One investigation on demand.
---@param opts { node: table, skills: Skill[], mind: table, gate: table, reason?: string, deadline?: number,
---  limits?: table }
---@return table? report
---@return Failure? err   only a broken prompt: everything else is in the report
function coordinator.run(opts)
  local case = case_of.new(opts)
  local systems, system = systems_of(case)
  if not systems then return nil, system end
  local now = async.now()
  local rest = math.min(LONGEST_REST, (case.deadline - now) * (1 - SHARE_OF_OPERATORS))
  local crew = crew_of.new(case, case.deadline - rest, systems)
  local function emit(event, measurements, metadata) case:emit(event, measurements, metadata) end
  function case.heard(n)
    emit("coordinator.operator_notification_received", nil, { operator = n.operator, id = n.id, severity = n.severity })
  end
  emit("coordinator.started", { system_time = os.time() * 1e9 }, { node = case.node.name, skills = crew:names() })
  local provider = case.mind.coordinator(case.skills)
  local outcome = agent.run {
    kind = "coordinator", provider = provider, system = system, task = task_of(case),
    refresh = renewing(case, provider),
    tools = tools.list, deadline = case.deadline, iterations = case.limits.iterations,
    state = { case = case, crew = crew, emit = emit }, emit = emit, clean = case.clean,
    count = function(usage) case:count(usage) end, budget = function() return case:budget() end,
  }
  case.ended = outcome.ended
  case.why = outcome.err and tostring(outcome.err.message or outcome.err) or nil
  if NAMED_END[outcome.ended] then emit(NAMED_END[outcome.ended], { iterations = outcome.iterations }) end
  close(case, crew)
  if opts.autonomy and case.ended ~= "interrupted" then require("runtime.autonomy").follow(case, opts.autonomy) end
  return verdict.report(case)
end

return coordinator
