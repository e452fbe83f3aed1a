--- The whole vocabulary of the coordinator, as data. A tool is handed its state { case, crew, can, follow_ups, started,
--- emit }: `crew` are the operators that it starts and waits for (runtime/crew.lua), `can` the tools that are offered.

local async = require "runtime.async"
local gravity = require "runtime.gravity"
local json = require "runtime.json"
local propose_action = require "runtime.tools.propose_action"
local shapes = require("runtime.tools.operator").shapes

local object, list, text, word, whole = shapes.object, shapes.list, shapes.text, shapes.word, shapes.whole

local STATUSES = { "unread", "acknowledged", "resolved" }

-- Only what can still be done: a strategy may leave tools out.
local function open_ends(state)
  local open, can = {}, state.can
  for _, entry in ipairs(can.wait and state.crew:statuses() or {}) do
    if entry.running then open[#open + 1] = ("the %s operator still runs: wait for it"):format(entry.skill) end
  end
  for _, n in ipairs(state.case:standing()) do
    open[#open + 1] = ("%s of %s stands: produce an insight, or resolve it with a reason"):format(n.id, n.operator)
  end
  for _, name in ipairs(can.invoke_operators and state.crew:idle() or {}) do
    open[#open + 1] = ("%s was not looked at: without it the node cannot be called healthy"):format(name)
  end
  return open
end

local tools = {
  {
    name = "get_notifications",
    doc = "What the operators told.",
    parameters = object { status = word(STATUSES) },
    repeatable = true,
    from_node = true,
    run = function(state, args)
      state.emit("coordinator.get_notifications", nil, { status = args.status })
      local found = {}
      for _, n in ipairs(state.case.notifications) do
        if not args.status or n.status == args.status then found[#found + 1] = n end
      end
      return { notifications = found }
    end,
  },
  {
    name = "update_notification_statuses",
    doc = "Marks notifications; to resolve one without an insight takes a reason.",
    parameters = object({
      notification_ids = list(text()), status = word(STATUSES), reason = text(),
    }, { "notification_ids", "status" }),
    run = function(state, args)
      local named = {}
      if #args.notification_ids == 0 then return nil, "notification_ids: name one at least" end
      for i, id in ipairs(args.notification_ids) do
        named[i] = state.case:notification(id)
        if not named[i] then return nil, ("there is no notification %s"):format(id) end
        local by = state.case:settled_by(named[i])
        if by and args.status ~= "resolved" then return nil, ("%s is resolved by %s, and stays so"):format(id, by) end
        if args.status == "resolved" and gravity.grave[named[i].severity] and not args.reason then
          return nil, ("%s is %s: give the reason why it needs no insight"):format(id, named[i].severity)
        end
      end
      for _, n in ipairs(named) do
        n.status = args.status
        n.set_aside = args.status == "resolved" and not state.case:settled_by(n) and args.reason or nil
      end
      state.emit("coordinator.update_notification_statuses", { count = #named },
        { status = args.status, reason = args.reason })
      return { updated = args.notification_ids }
    end,
  },
  {
    name = "produce_insight",
    doc = "A finding: joins notifications of one cause, and resolves them.",
    parameters = object({
      notification_ids = list(text()), correlation_type = word { "single", "temporal", "causal", "symptomatic" },
      summary = text(), matched_observations = list(text()), root_cause_hypothesis = text(),
      root_cause = shapes.root_cause, severity = word(shapes.severities), confidence = shapes.confidence,
      evidence = shapes.evidence, considered = shapes.considered, next_steps = shapes.next_steps,
    }, {
      "notification_ids", "correlation_type", "summary", "matched_observations", "root_cause", "severity",
      "confidence", "evidence",
    }),
    from_node = true,
    run = function(state, args)
      local insight, dropped, open = state.case:conclude(args)
      if not insight then return nil, dropped end
      return { id = insight.id, dropped = dropped, hypothesis_grounded = insight.hypothesis_grounded, open = open }
    end,
  },
  propose_action(shapes),
  {
    name = "invoke_operators",
    doc = "Starts operators, and does not wait.",
    parameters = object({ skills = list(text()), context = text() }, { "skills" }),
    repeatable = true, -- crew knows who runs, and starts nobody twice
    run = function(state, args)
      if #args.skills == 0 then
        return nil, "skills: name one at least of " .. table.concat(state.crew:names(), ", ")
      end
      local answer = state.crew:invite(args.skills, args.context)
      if #answer.started == 0 and #answer.unknown > 0 then
        return nil, ("there is no skill %s; there are %s"):format(table.concat(answer.unknown, ", "),
          table.concat(state.crew:names(), ", "))
      end
      return answer
    end,
  },
  {
    name = "message_operator",
    doc = "Asks an operator; its next words come back.",
    parameters = object({ skill = text(), message = text() }, { "skill", "message" }),
    repeatable = true,
    seconds = 121,
    from_node = true,
    run = function(state, args, context)
      state.emit("coordinator.message_operator", nil, { operator = args.skill })
      local answer, why = state.crew:message(args.skill, args.message, context.deadline - 0.05)
      if not answer then return nil, why end
      return { skill = args.skill, answer = answer }
    end,
  },
  {
    name = "schedule",
    doc = "Comes back to it after `done`.",
    parameters = object({ ms = whole(1), reason = text() }, { "ms", "reason" }),
    run = function(state, args) return state.follow_ups:add(args.ms, args.reason) end,
  },
  {
    name = "get_operator_statuses",
    doc = "How far the operators are.",
    parameters = object {},
    repeatable = true,
    run = function(state)
      state.emit "coordinator.get_operator_statuses"
      return { operators = state.crew:statuses() }
    end,
  },
  {
    name = "wait",
    doc = "Waits until all operators have ended, ms at most.",
    parameters = object({ ms = whole(1, 600000) }, { "ms" }),
    repeatable = true,
    waits = true,
    seconds = 601,
    run = function(state, args, context)
      state.emit("coordinator.wait", { ms = args.ms })
      local ok, why = state.crew:wait(math.min(context.deadline, async.now() + args.ms / 1000))
      if not ok then return nil, why end
      return { operators = state.crew:statuses() }
    end,
  },
  {
    name = "think",
    doc = "Notes a thought.",
    parameters = object({ thought = text() }, { "thought" }),
    run = function(state)
      state.emit "coordinator.think"
      return { noted = true }
    end,
  },
  {
    name = "done",
    doc = "Ends the run.",
    parameters = object { summary = text() },
    repeatable = true,
    ends = true,
    run = function(state, args)
      local open = state.reminded and {} or open_ends(state)
      state.reminded = true
      if #open > 0 then
        return nil, "not yet: " .. table.concat(open, "; ") .. ". Do so, or call done again"
      end
      state.emit("coordinator.done", { duration = (async.now() - state.started) * 1e9 }, { summary = args.summary })
      return json.object {}
    end,
  },
}

return { list = tools }
