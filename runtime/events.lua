--- The catalogue of events: what each measures and what it tells, always. Whoever emits may tell more.
--- Durations are in nanoseconds, system_time in nanoseconds since 1970. Every event of one run tells its
--- trace_id; `of = "run"` marks them.

local events = {}

local function add(prefix, list, common)
  for name, event in pairs(list) do
    for _, word in ipairs(common or {}) do event.tells[#event.tells + 1] = word end
    events[prefix .. name] = event
  end
end

local function e(measures, tells, more)
  local event = { measures = measures, tells = tells }
  for key, value in pairs(more or {}) do event[key] = value end
  return event
end

local RUN = { of = "run" }
local function run(measures, tells) return e(measures, tells, RUN) end

add("door.", {
  asking = e({}, { "what" }), answered = e({ "duration" }, { "what" }),
  passed_over = e({}, { "task", "reason", "other" }),
})

add("operator.", {
  started = run({ "system_time" }, {}), status_change = run({}, { "status" }),
  iteration_start = run({ "iteration", "system_time" }, {}), state_change = run({}, { "from", "to" }),
  notification_sent = run({}, { "id", "severity", "observation", "notification" }),
  notification_failed = run({}, { "reason" }),
  get_notifications = run({}, {}), take_snapshot = run({}, { "snapshot_id" }),
  get_snapshot = run({}, { "snapshot_id" }), get_snapshots = run({}, {}),
  execute_start = run({ "system_time" }, { "code" }), execute_complete = run({ "duration" }, { "observation" }),
  execute_error = run({ "duration" }, { "reason" }), wait = run({ "ms" }, {}), think = run({}, {}),
  done = run({ "duration" }, { "state" }), llm_error = run({}, { "reason" }), loop_stopped = run({}, { "reason" }),
  unexpected_message = run({ "count" }, {}), invalid_intent = run({}, { "tool", "reason" }),
  llm_down = run({}, { "reason" }), llm_up = run({}, {}),
}, { "operator" })

-- What a watcher tells beside that: it is an operator that goes on, under the older names.
add("watcher.", {
  started = run({ "system_time" }, {}), iteration_start = run({ "iteration", "system_time" }, {}),
  state_change = run({}, { "from", "to" }), alert_fired = run({}, { "id", "severity", "observation" }),
  llm_down = run({}, { "reason" }), llm_up = run({}, {}),
}, { "watcher", "operator" })
add("watcher.", { restarting = e({ "wait_s" }, { "watcher", "node", "reason" }) })

add("coordinator.", {
  started = run({ "system_time" }, { "node", "skills" }), iteration_start = run({ "iteration", "system_time" }, {}),
  get_notifications = run({}, {}), update_notification_statuses = run({ "count" }, { "status" }),
  insight_produced = run({}, { "id", "node", "severity", "summary", "root_cause" }),
  invoke_operators = run({ "count" }, { "skills" }), message_operator = run({}, { "operator" }),
  get_operator_statuses = run({}, {}), operator_notification_received = run({}, { "operator", "id", "severity" }),
  insight_explained = run({}, { "id", "severity", "summary", "root_cause" }), doubted = run({}, { "id", "outcome" }),
  operator_complete = run({ "iterations" }, { "operator", "ended" }),
  operator_crashed = run({}, { "operator", "reason" }), wait = run({ "ms" }, {}), think = run({}, {}),
  schedule = run({ "ms" }, { "id", "reason" }), schedule_rejected = run({ "ms" }, { "reason" }),
  scheduled_reinvoke = run({}, { "id", "reason" }), done = run({ "duration" }, {}),
  deadline = run({ "iterations" }, {}), cancelled = run({ "iterations" }, {}),
  max_iterations_reached = run({ "iterations" }, {}), invalid_intent = run({}, { "tool", "reason" }),
  llm_error = run({}, { "reason" }), loop_stopped = run({}, { "reason" }),
  pipeline_classify_start = run({ "system_time" }, {}), pipeline_classify_complete = run({ "duration" }, {}),
  pipeline_synthesize_start = run({ "system_time" }, {}), pipeline_synthesize_complete = run({ "duration" }, {}),
})

-- A whole run, as its report has it.
add("run.", {
  stop = run({ "duration", "input_tokens", "output_tokens", "llm_calls", "target_calls", "target_reductions",
    "target_bytes", "insights", "notifications" }, { "node", "verdict", "reason", "provider" }),
})

add("llm.", {
  start = run({ "system_time" }, { "provider" }),
  stop = run({ "duration", "input_tokens", "output_tokens" }, { "provider" }),
  exception = run({ "duration" }, { "provider", "reason" }),
  retry = run({ "attempt", "wait_s" }, { "provider", "reason", "class" }),
  fallback = run({}, { "provider", "from", "to", "reason" }),
  slowed = run({ "wait_s" }, { "provider" }),
})
add("tool.", { start = run({ "system_time" }, { "tool" }), stop = run({ "duration" }, { "tool" }),
  exception = run({ "duration" }, { "tool", "reason" }) })
add("compaction.", { start = run({ "system_time" }, {}), stop = run({ "duration", "saved_bytes" }, {}) })

add("anomaly.", {
  started = e({ "metrics" }, { "state" }), state_change = e({}, { "state" }), learning_complete = e({ "metrics" }, {}),
  anomaly_detected = e({ "value", "median", "spread", "z" }, { "metric", "shape", "text", "state" }),
  escalation = e({ "count" }, { "metrics", "reason" }), auto_trigger_started = e({}, { "reason" }),
  auto_trigger_failed = e({}, { "reason" }), trigger_rate_limited = e({ "triggers" }, { "reason" }),
  cooldown_started = e({ "ms" }, { "reason" }), metric_collection_failed = e({}, { "skill", "reason" }),
}, { "node" })

add("node.", { up = e({}, { "node" }), down = e({}, { "node", "reason" }),
  reconnecting = e({}, { "node", "attempt" }) })

local function action() return e({ "system_time" }, { "id", "node", "action", "object", "class", "state" }) end
add("action.", { proposed = action(), approved = action(), rejected = action(), executed = action(),
  verified = action(), failed = action() })
add("runbook.", {
  dry_run = run({}, { "action", "object", "message" }), refused = run({}, { "action", "object", "message" }),
  done = run({}, { "action", "object", "message" }), not_found_again = run({}, { "mechanism" }),
}, { "runbook", "node" })

add("reload.", { loaded = e({}, { "kind", "name", "version", "before" }),
  rejected = e({}, { "kind", "name", "reason" }), config = e({}, { "applied", "waiting" }),
  looked = e({}, { "asked" }), unwatched = e({}, { "reason" }) })
add("policy.", { waiting = e({}, { "waiting" }) })
add("service.", { listening = e({}, { "url" }) })
add("store.", { failed = e({}, { "reason" }) })
add("cost.", { estimate = e({ "calls_per_day", "tokens_per_day" }, { "seconds" }) })
add("sink.", { failed = e({}, { "sink", "reason" }), recovered = e({}, { "sink" }),
  dropped = e({ "count" }, { "sink" }) })

return events
