--- An operator: the loop with one skill, on one node. It looks, notifies, and ends; what it saw
--- and said is in the case.

local agent = require "runtime.agent"
local async = require "runtime.async"
local case_of = require "runtime.case"
local prompt = require "runtime.prompt"
local skill = require "runtime.skill"
local tools = require "runtime.tools.operator"
local verdict = require "runtime.verdict"

local operator = {}

local CONTEXT_BYTES = 2000

local function task_of(case, question)
  local lines = { "Look at your domain on the node and report.", "", "What made somebody look: "
    .. (case.reason ~= "" and case.clean(case.reason) or "nothing in particular; find out how it is") }
  if question then lines[#lines + 1] = "The coordinator has a question; it comes with your snapshot." end
  return table.concat(lines, "\n")
end

---@param case Case
---@param s Skill
---@return string?
---@return Failure? err
function operator.system(case, s)
  local system, err, version = prompt.render("operator", {
    prompt = s.prompt, callbacks = skill.describe(s),
  })
  -- What a module of the node says of itself stands here, and may name a secret.
  if system and s.from_node then system = system:gsub("[^\n]+", case.clean) end
  if system then case.versions:uses("prompt", "operator", version) end
  return system, err
end

---@return table entry   of case.operators
function operator.entry(case, s)
  local entry = { node = case.node.name, skill = s.name, state = "observing", iterations = 0, running = true }
  case.operators[#case.operators + 1] = entry
  return entry
end

--- Runs one operator of a case to its end, in the task that calls. Only a fault of ours raises.
---@param case Case
---@param s Skill
---@param entry table     from operator.entry
---@param system string   from operator.system
---@param context? string
---@param deadline number
function operator.investigate(case, s, entry, system, context, deadline)
  local function emit(event, measurements, metadata)
    metadata = metadata or {}
    metadata.operator, metadata.node = s.name, case.node.name
    if event == "operator.iteration_start" then entry.iterations = measurements.iteration end
    if event == "operator.state_change" then
      case:emit("operator.status_change", nil, { operator = s.name, status = metadata.to, trace_id = case.trace_id })
    end
    case:emit(event, measurements, metadata)
  end
  emit("operator.started", { system_time = os.time() * 1e9 })
  local question = context and context:sub(1, CONTEXT_BYTES)
  local outcome = agent.run {
    kind = "operator", provider = case.mind.operator(s, skill.history(s, case.node)), system = system,
    task = task_of(case, question),
    tools = tools.list, deadline = deadline, iterations = case.limits.iterations,
    state = { case = case, skill = s, node = case.node, gate = case.gate, status = entry, question = question,
      emit = emit },
    emit = emit, clean = case.clean,
    count = function(usage) case:count(usage) end, budget = function() return case:budget() end,
  }
  entry.ended, entry.text = outcome.ended, outcome.text
  entry.why = outcome.err and tostring(outcome.err.message or outcome.err) or nil
end

--- One operator alone, with a report of its own.
---@param opts { node: table, skill: Skill, mind: table, gate: table, task?: string, deadline?: number, limits?: table }
---@return table? report
---@return Failure? err   a broken prompt
function operator.run(opts)
  local case = case_of.new {
    node = opts.node, skills = { opts.skill }, mind = opts.mind, gate = opts.gate, reason = opts.task or opts.reason,
    deadline = opts.deadline, limits = opts.limits, privacy = opts.privacy, store = opts.store,
  }
  local system, err = operator.system(case, opts.skill)
  if not system then return nil, err end
  local entry = operator.entry(case, opts.skill)
  local task = async.spawn(operator.investigate, case, opts.skill, entry, system, nil, case.deadline)
  local ok, why = task:join()
  if async.current().cancelled then
    task:cancel(async.current().cancelled)
    entry.ended = "interrupted"
  elseif not ok then
    entry.ended, entry.why = "crashed", tostring(why):match "^[^\n]*"
  end
  entry.running = false
  case:promote()
  return verdict.report(case)
end

return operator
