--- The whole vocabulary of an operator, as data: what the model reads, what is checked, what runs.
--- A tool is handed the operator's state { case, skill, node, gate, status, question?, emit }.

local async = require "runtime.async"
local execute = require "runtime.execute"
local gravity = require "runtime.gravity"
local json = require "runtime.json"
local propose_action = require "runtime.tools.propose_action"
local skill = require "runtime.skill"
local suspects = require "runtime.suspects"
local verdict = require "runtime.verdict"

local STATES = { "healthy", "observing", "warning", "critical" }

-- All of this is sent before the first turn: a name that says it needs no description, and what is closed or
-- required to be filled anyway (runtime/arguments.lua) is not said.
local function object(properties, required)
  return { type = "object", properties = json.object(properties), required = required }
end

local function list(items) return { type = "array", items = items } end
local function text() return { type = "string" } end
local function word(of) return { type = "string", enum = of } end
local function whole(least, most) return { type = "integer", minimum = least, maximum = most } end

-- Shared with the coordinator's tools, so that a claim looks the same wherever it is made.
local shapes = {
  object = object, list = list, text = text, word = word, whole = whole, severities = gravity.words,
  -- `callback` is how a notification shows a claim; it is known by the observation.
  evidence = list(object({
    observation = text(), path = text(), value = { type = { "number", "string", "boolean" } }, callback = text(),
  }, { "observation", "path", "value" })),
  root_cause = object({ object = text(), mechanism = text() }, { "object", "mechanism" }),
  considered = list(object({ mechanism = text(), why_not = text() }, { "mechanism", "why_not" })),
  next_steps = list(object({ text = text(), risk = word { "SAFE", "CAUTION", "DANGEROUS" } }, { "text", "risk" })),
  confidence = word { "low", "medium", "high" },
}

local function snapshot_row(o) return { id = o.id, taken_at = o.at, data = o.value } end

local function snapshots_of(state)
  local rows = {}
  for _, o in ipairs(state.case.evidence:all()) do
    if o.kind == "snapshot" and o.operator == state.skill.name then rows[#rows + 1] = snapshot_row(o) end
  end
  return rows
end

-- `more`: beside what a model is asked for.
local function notification(more)
  local properties = {
    type = text(), context = text(), observation = text(), hypothesis = text(), severity = word(gravity.words),
    snapshot_ids = list(text()), evidence = shapes.evidence, root_cause = shapes.root_cause,
    considered = shapes.considered, next_steps = shapes.next_steps, confidence = shapes.confidence,
  }
  for name, schema in pairs(more or {}) do properties[name] = schema end
  return object(properties, { "type", "context", "observation", "severity", "snapshot_ids" })
end

local tools = {
  {
    name = "take_snapshot",
    doc = "Takes the health figures of your domain, and says what they leave suspect.",
    parameters = object {},
    repeatable = true,
    from_node = true,
    run = function(state)
      local value, err = skill.snapshot(state.skill, state.node)
      if value == nil then
        state.case.unanswered[state.skill.name .. " snapshot"] = tostring(err)
        return nil, "no snapshot: " .. tostring(err)
      end
      local id = state.case.evidence:add {
        kind = "snapshot", operator = state.skill.name, callback = state.skill.name .. " snapshot", value = value,
        at = state.case.now(),
      }
      state.emit("operator.take_snapshot", nil, { snapshot_id = id })
      -- The question comes here and not with the task: it may quote the node.
      local row = snapshot_row(state.case.evidence:get(id))
      row.question = state.question
      state.told = state.told or {}
      local found = suspects.of(state.skill.checks, value, skill.history(state.skill, state.node), state.told)
      row.suspects = #found > 0 and found or nil
      return row
    end,
  },
  {
    name = "execute",
    doc = "Runs Lua that looks with your callbacks and ends with return.",
    parameters = object({ code = text() }, { "code" }),
    seconds = 65, -- the sandbox's own end is at 60
    from_node = true,
    run = execute.run,
    narrow = execute.narrow,
  },
  {
    name = "send_notification",
    doc = "Tells of something that somebody should act on.",
    parameters = notification(),
    takes = notification { since = text() },
    from_node = true,
    run = function(state, args)
      local sent, dropped = state.case:notify(state.skill.name, args, state.status.rules and true)
      if not sent then
        state.emit("operator.notification_failed", nil, { reason = dropped })
        return nil, dropped
      end
      state.emit("operator.notification_sent", nil, {
        id = sent.id, type = sent.type, severity = sent.severity, observation = sent.observation, notification = sent,
      })
      return { id = sent.id, dropped = dropped }
    end,
  },
  propose_action(shapes),
  {
    name = "set_state",
    doc = "Says how your domain is.",
    parameters = object({ state = word(STATES), reason = text() }, { "state", "reason" }),
    run = function(state, args)
      local before = state.status.state
      state.status.state = args.state
      state.emit("operator.state_change", nil, { from = before, to = args.state, reason = args.reason })
      return { state = args.state }
    end,
  },
  {
    name = "get_notifications",
    doc = "Those that you sent.",
    parameters = object {},
    repeatable = true,
    from_node = true,
    run = function(state)
      state.emit "operator.get_notifications"
      local own = {}
      for _, n in ipairs(state.case.notifications) do
        if n.operator == state.skill.name then own[#own + 1] = n end
      end
      return { notifications = own }
    end,
  },
  {
    name = "get_snapshot",
    doc = "One snapshot again.",
    parameters = object({ id = text() }, { "id" }),
    repeatable = true,
    from_node = true,
    run = function(state, args)
      state.emit("operator.get_snapshot", nil, { snapshot_id = args.id })
      local o = state.case.evidence:get(args.id)
      if not o or o.kind ~= "snapshot" then return nil, ("there is no snapshot %s"):format(args.id) end
      return snapshot_row(o)
    end,
  },
  {
    name = "get_snapshots",
    doc = "Your snapshots, the latest first.",
    narrow = function() return "limit" end,
    parameters = object { limit = whole(1, 50), offset = whole(0) },
    repeatable = true,
    from_node = true,
    run = function(state, args)
      state.emit "operator.get_snapshots"
      local rows, page = snapshots_of(state), {}
      local first = #rows - (args.offset or 0)
      for i = first, math.max(1, first - (args.limit or 10) + 1), -1 do page[#page + 1] = rows[i] end
      return { snapshots = page, total = #rows }
    end,
  },
  {
    name = "wait",
    doc = "Waits before a second look.",
    parameters = object({ ms = whole(1, 60000) }, { "ms" }),
    repeatable = true,
    waits = true,
    seconds = 61,
    run = function(state, args, context)
      state.emit("operator.wait", { ms = args.ms })
      local started = async.now()
      local ok, why = state.inbox:sleep(math.max(0, math.min(args.ms / 1000, context.deadline - started)))
      if not ok then return nil, why end
      return { waited_ms = math.floor((async.now() - started) * 1000 + 0.5) }
    end,
  },
  {
    name = "think",
    doc = "Notes a thought.",
    parameters = object({ thought = text() }, { "thought" }),
    says = "thought",
    run = function(state)
      state.emit "operator.think"
      return { noted = true }
    end,
  },
  {
    name = "done",
    doc = "Ends your work.",
    parameters = object {},
    repeatable = true,
    ends = true,
    run = function(state)
      local open = not state.reminded and verdict.open_looks(state.case, state.skill)
      state.reminded = true
      if open and #open > 0 then
        return nil, "not yet, this is still open: " .. table.concat(open, "; ")
          .. ". Look, or call done again; then it stays untold"
      end
      state.emit("operator.done", { duration = (async.now() - state.started) * 1e9 }, { state = state.status.state })
      return { state = state.status.state }
    end,
  },
}

return { list = tools, shapes = shapes }
