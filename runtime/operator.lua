--- An operator: the loop with one skill, on one node. It looks, notifies, and ends, or keeps watch without
--- an end (runtime/continuous.lua); what it saw and said is in the case.

local agent = require "runtime.agent"
local async = require "runtime.async"
local case_of = require "runtime.case"
local continuous = require "runtime.continuous"
local endless = require "runtime.tools.continuous"
local failure = require "runtime.failure"
local in_use = require "runtime.in_use"
local handle = require "runtime.handle"
local inbox = require "runtime.inbox"
local occasion = require "runtime.occasion"
local own_tools = require "runtime.own_tools"
local prompt = require "runtime.prompt"
local queues = require "runtime.queues"
local skill = require "runtime.skill"
local tools = require "runtime.tools.operator"

local operator = {}

local CONTEXT_BYTES = 2000

local function task_of(case, entry, question)
  local lines = { entry.mode == "continuous" and continuous.task(entry.names)
    or "Look at your domain on the node, report, and be done.", "", "What made somebody look: " .. occasion.task(case) }
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

---@param mode? "on_demand"|"continuous"
---@param names? "operator"|"watcher"
---@return table entry   of case.operators
function operator.entry(case, s, mode, names)
  local entry = { node = case.node.name, skill = s.name, mode = mode or "on_demand", names = names or "operator",
    state = "observing", iterations = 0, running = true, inbox = inbox.new() }
  case.operators[#case.operators + 1] = entry
  return entry
end

--- The tools of an operator of this kind.
---@param entry table      from operator.entry
---@param versions Versions   of its run
---@return Tool[]
function operator.tools(entry, versions)
  local list = own_tools.behind(tools.list, entry.skill, versions)
  return entry.mode == "continuous" and endless(list, entry.names) or list
end

-- What a watcher tells under the older names, beside the others.
local WATCHER = {
  ["operator.started"] = "watcher.started", ["operator.iteration_start"] = "watcher.iteration_start",
  ["operator.state_change"] = "watcher.state_change", ["operator.notification_sent"] = "watcher.alert_fired",
  ["operator.llm_down"] = "watcher.llm_down", ["operator.llm_up"] = "watcher.llm_up",
}

local function teller(case, s, entry)
  local emit
  function emit(event, measurements, metadata)
    metadata = metadata or {}
    metadata.operator, metadata.node, metadata.watcher = s.name, case.node.name, entry.watcher
    if event == "operator.iteration_start" then entry.iterations = measurements.iteration end
    if event == "operator.state_change" then
      case:emit("operator.status_change", nil, { operator = s.name, node = case.node.name, status = metadata.to })
    end
    case:emit(event, measurements, metadata)
    local older = entry.names == "watcher" and WATCHER[event]
    if older then
      local copy = {}
      for key, value in pairs(metadata) do copy[key] = value end
      copy.alert = metadata.notification
      case:emit(older, measurements, copy)
    end
    if entry.tell then entry.tell(event, metadata) end
    if entry.mode == "continuous" then continuous.hear(entry, emit, event, metadata) end
  end
  return emit
end

-- What a person edited meanwhile, before each turn. Who goes by the checks that it began with goes on so: its looks
-- and the verdict must go by the same ones.
local function renewing(case, entry, state, provider)
  local seen = case.versions.generation
  return function()
    if provider.fixed or in_use.generation() == seen then return nil end
    seen, state.skill = in_use.generation(), case:renew(state.skill)
    local system = operator.system(case, state.skill)
    return system and { system = system, tools = operator.tools(entry, case.versions) }
  end
end

--- Runs one operator of a case to its end, in the task that calls. Only a fault of ours raises.
---@param case Case
---@param s Skill
---@param entry table     from operator.entry
---@param system string   from operator.system
---@param context? string
---@param deadline? number   none for a continuous one
function operator.investigate(case, s, entry, system, context, deadline)
  local emit, on = teller(case, s, entry), entry.mode == "continuous"
  emit("operator.started", { system_time = os.time() * 1e9 }, { mode = entry.mode })
  local question = context and context:sub(1, CONTEXT_BYTES)
  local mind = entry.rules or case.mind
  local provider = mind.operator(s, skill.history(s, case.node), { mode = entry.mode, every = entry.every })
  local state = { case = case, skill = s, node = case.node, gate = case.gate, status = entry, question = question,
    inbox = entry.inbox, started = async.now(), emit = emit }
  local outcome = agent.run {
    kind = "operator", system = system, task = task_of(case, entry, question), alert = occasion.alert(case),
    tools = operator.tools(entry, case.versions),
    provider = provider, state = state, refresh = renewing(case, entry, state, provider),
    deadline = deadline, turn_seconds = on and continuous.turn_s or nil,
    iterations = not entry.rules and case.limits.iterations or nil, -- which bound a model
    emit = emit, clean = case.clean, inbox = entry.inbox, forgot = function() state.told = nil end,
    go_on = on and continuous.go_on(case, entry, emit) or nil,
    ready = on and continuous.ready(case.node, entry, emit) or nil,
    purse = entry.rules and case.spending:of_rules() or case.spending:purse(), led = entry.led,
  }
  entry.ended, entry.text = outcome.ended, outcome.text
  entry.why = outcome.err and tostring(outcome.err.message or outcome.err) or nil
  entry.fault = outcome.ended == "provider" and outcome.err or nil
end

-- When it is its turn: one run of a skill on a node at a time.
local function in_turn(case, s, entry, system)
  local _, _, why = queues.run(("%s on %s"):format(s.name, case.node.name), case.deadline, function()
    operator.investigate(case, s, entry, system, nil, case.deadline)
  end)
  if why == "timeout" then entry.ended = "deadline" end
end

--- Starts one operator alone. On demand it waits for its turn and ends by itself; continuous, it goes on until it is
--- stopped, has spent its limits, or lost its model for good.
---@param opts { node: table, skill: Skill, mind: table, gate: table, task?: string, occasion?: string,
---  deadline?: number, limits?: table, mode?: "on_demand"|"continuous",
---  names?: "operator"|"watcher", called?: string, every?: number }   called: the name of a watcher; every: seconds
---  between the looks of a mind that goes by rules
---@return Handle?
---@return Failure? err   a broken prompt; too many wait already
function operator.start(opts)
  local s, on = opts.skill, opts.mode == "continuous"
  local case = case_of.new {
    node = opts.node, skills = { s }, mind = opts.mind, gate = opts.gate, reason = opts.task or opts.reason,
    occasion = opts.occasion, deadline = on and math.huge or opts.deadline, limits = opts.limits,
    privacy = opts.privacy, store = opts.store, journal = opts.journal, tape = opts.tape,
  }
  -- Nobody joins what it tells: each finding is one when it is told, and not at an end that is days away.
  if on then case.heard = function() case:promote(true) end end
  local system, err = operator.system(case, s)
  if not system then return nil, err end
  if not on and queues.length(("%s on %s"):format(s.name, case.node.name)) >= queues.room then
    return nil, failure.new("run", ("%d runs of %s wait already"):format(queues.room, s.name),
      "try again when one has ended", 4)
  end
  local entry = operator.entry(case, s, opts.mode, opts.names)
  entry.every = opts.every
  if entry.names == "watcher" then entry.watcher = opts.called or s.name end
  return handle.start(case, entry, function()
    if on then operator.investigate(case, s, entry, system) else in_turn(case, s, entry, system) end
  end)
end

--- One operator alone, on demand, with a report of its own.
---@param opts table      of operator.start
---@return table? report
---@return Failure? err
function operator.run(opts)
  local started, err = operator.start(opts)
  if not started then return nil, err end
  return started:join()
end

return operator
