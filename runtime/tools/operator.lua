--- The whole vocabulary of an operator, as data: what the model reads, what is checked, what runs.
--- A tool is handed the operator's state { case, skill, node, gate, status, question?, emit }.

local async = require "runtime.async"
local execute = require "runtime.execute"
local json = require "runtime.json"
local propose_action = require "runtime.tools.propose_action"
local skill = require "runtime.skill"
local verdict = require "runtime.verdict"

local SEVERITIES = { "info", "warning", "critical" }
local STATES = { "healthy", "observing", "warning", "critical" }

local function object(properties, required)
  return {
    type = "object", properties = json.object(properties), required = required or {}, additionalProperties = false,
  }
end

local function list(items, doc) return { type = "array", items = items, description = doc } end
local function text(doc) return { type = "string", minLength = 1, description = doc } end
local function word(of, doc) return { type = "string", enum = of, description = doc } end

-- Shared with the coordinator's tools, so that a claim looks the same wherever it is made.
local shapes = {
  object = object, list = list, text = text, word = word, severities = SEVERITIES,
  evidence = list(object({
    observation = text "the id of the observation, as o2",
    path = text "where in its result, as processes[1].message_queue",
    value = { type = { "number", "string", "boolean" }, description = "the value found there" },
    callback = text "as a notification names it; needed nowhere, it is known by the observation",
  }, { "observation", "path", "value" }), "figures that prove it; each is read again, and dropped if it is not there"),
  root_cause = object({
    object = text "the process, table, port or limit, by name where it has one, else by pid or id",
    mechanism = text "one of the words for mechanisms",
  }, { "object", "mechanism" }),
  considered = list(object({
    mechanism = text "what would look alike",
    why_not = text "the figure that speaks against it",
  }, { "mechanism", "why_not" }), "look-alikes that were told apart"),
  next_steps = list(object({
    text = text "what a person can do",
    risk = word({ "SAFE", "CAUTION", "DANGEROUS" },
      "SAFE: reads or advice; CAUTION: reversible; DANGEROUS: kills or drops data"),
  }, { "text", "risk" })),
  confidence = word({ "low", "medium", "high" }),
}

local function snapshot_row(o) return { id = o.id, taken_at = o.at, data = o.value } end

local function snapshots_of(state)
  local rows = {}
  for _, o in ipairs(state.case.evidence:all()) do
    if o.kind == "snapshot" and o.operator == state.skill.name then rows[#rows + 1] = snapshot_row(o) end
  end
  return rows
end

local tools = {
  {
    name = "take_snapshot",
    doc = "Takes the health figures of your domain now. Answers { id, data, taken_at }, and the coordinator's "
      .. "question where it has one.",
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
      return row
    end,
  },
  {
    name = "execute",
    doc = "Runs Lua in a sandbox with your callbacks as functions; end it with `return`. "
      .. "Answers { observation, callbacks, result }.",
    parameters = object({ code = text "Lua" }, { "code" }),
    seconds = 65, -- the sandbox's own end is at 60
    from_node = true,
    run = execute.run,
  },
  {
    name = "send_notification",
    doc = "Tells the coordinator of something that somebody should act on. Facts go into observation, what you "
      .. "suspect into hypothesis. Without evidence that stands it cannot become a finding.",
    parameters = object({
      type = text "one or two words for the kind of trouble",
      context = text "what was normal, and what was looked at",
      observation = text "what was seen: figures with units and times",
      hypothesis = text "what you suspect; leave it out when no figure supports it",
      severity = word(SEVERITIES),
      snapshot_ids = list(text "o1", "the snapshots that it began with, one at least"),
      evidence = shapes.evidence, root_cause = shapes.root_cause, considered = shapes.considered,
      next_steps = shapes.next_steps, confidence = shapes.confidence,
    }, { "type", "context", "observation", "severity", "snapshot_ids" }),
    from_node = true,
    run = function(state, args)
      local sent, dropped = state.case:notify(state.skill.name, args)
      if not sent then
        state.emit("operator.notification_failed", nil, { reason = dropped })
        return nil, dropped
      end
      state.emit("operator.notification_sent", nil, {
        id = sent.id, type = sent.type, severity = sent.severity, observation = sent.observation,
      })
      return { id = sent.id, dropped = dropped }
    end,
  },
  propose_action(shapes),
  {
    name = "set_state",
    doc = "Says how your domain is.",
    parameters = object({ state = word(STATES), reason = text "why, in one sentence" }, { "state", "reason" }),
    run = function(state, args)
      local before = state.status.state
      state.status.state = args.state
      state.emit("operator.state_change", nil, { from = before, to = args.state, reason = args.reason })
      return { state = args.state }
    end,
  },
  {
    name = "get_notifications",
    doc = "The notifications that you sent in this run.",
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
    parameters = object({ id = text "o1" }, { "id" }),
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
    parameters = object {
      limit = { type = "integer", minimum = 1, maximum = 50, description = "10 if left out" },
      offset = { type = "integer", minimum = 0, description = "how many of the latest to leave out" },
    },
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
    doc = "Waits, so that a second look shows what changed.",
    parameters = object({ ms = { type = "integer", minimum = 1, maximum = 60000 } }, { "ms" }),
    repeatable = true,
    seconds = 61,
    run = function(state, args, context)
      state.emit("operator.wait", { ms = args.ms })
      local started = async.now()
      local ok, why = async.sleep(math.max(0, math.min(args.ms / 1000, context.deadline - started)))
      if not ok then return nil, why end
      return { waited_ms = math.floor((async.now() - started) * 1000 + 0.5) }
    end,
  },
  {
    name = "think",
    doc = "A place for a thought. Nothing happens.",
    parameters = object({ thought = text "for yourself" }, { "thought" }),
    run = function(state)
      state.emit "operator.think"
      return { noted = true }
    end,
  },
  {
    name = "done",
    doc = "Ends your work: your domain is well, or what is wrong was notified, or it cannot be told.",
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
      state.emit("operator.done", nil, { state = state.status.state })
      return { state = state.status.state }
    end,
  },
}

return { list = tools, shapes = shapes }
