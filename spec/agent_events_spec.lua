-- Every event of the agents, heard in real runs on a live node with played models: each is told with what it measures
-- and under the trace id of its run.
local async = require "runtime.async"
local coordinator = require "runtime.coordinator"
local events = require "runtime.events"
local gate = require "runtime.gate"
local live = require "spec.support.live_node"
local model = require "spec.support.played_model"
local operator = require "runtime.operator"
local skill = require "runtime.skill"
local strategy = require "runtime.strategy"
local telemetry = require "runtime.telemetry"

local calls, says = model.calls, model.says

local WANTED = {
  operator = { "started", "status_change", "iteration_start", "state_change", "notification_sent",
    "notification_failed", "get_notifications", "take_snapshot", "get_snapshot", "get_snapshots", "execute_start",
    "execute_complete", "execute_error", "wait", "think", "done", "llm_error", "loop_stopped", "unexpected_message" },
  watcher = { "started", "iteration_start", "state_change", "alert_fired" },
  coordinator = { "started", "iteration_start", "get_notifications", "update_notification_statuses",
    "insight_produced", "invoke_operators", "message_operator", "get_operator_statuses",
    "operator_notification_received", "operator_complete", "operator_crashed", "wait", "think", "schedule",
    "schedule_rejected", "scheduled_reinvoke", "done", "deadline", "cancelled", "invalid_intent", "llm_error",
    "max_iterations_reached", "loop_stopped", "pipeline_classify_start", "pipeline_classify_complete",
    "pipeline_synthesize_start", "pipeline_synthesize_complete" },
  llm = { "start", "stop", "exception" }, tool = { "start", "stop", "exception" }, compaction = { "start", "stop" },
}

local NOTIFICATION = { type = "t", context = "c", observation = "seen", severity = "info", snapshot_ids = { "o1" } }
local INSIGHT = { notification_ids = { "n1" }, correlation_type = "single", summary = "s",
  matched_observations = { "seen" }, root_cause = { object = "ledger", mechanism = "ets_growth" }, severity = "info",
  confidence = "low", evidence = {} }

describe("the events of agents", function()
  local at
  local heard, trace_ids = {}, {}

  local function fails() return nil, { class = "fatal", message = "the key was refused" } end

  local function options(mind, more)
    local ets = assert(skill.open "ets")
    local o = { node = at.node, skill = ets, skills = { ets }, gate = gate.new {}, deadline = async.now() + 60,
      mind = mind }
    for key, value in pairs(more or {}) do o[key] = value end
    return o
  end

  local function keep(report) trace_ids[assert(report).trace_id] = true end

  local function operate(turns, more)
    keep(operator.run(options(model.mind { ets = model.played(turns) }, more)))
  end

  local function coordinate(turns, operator_turns, more)
    keep(coordinator.run(options(model.mind({ ets = operator_turns and model.played(operator_turns) },
      model.played(turns)), more)))
  end

  local function whole_operator()
    operate {
      calls({ "take_snapshot" }, { "think", { thought = "t" } }),
      calls({ "get_snapshot", { id = "o1" } }, { "get_snapshots" },
        { "execute", { code = "return ets_list_tables(1)" } }, { "execute", { code = "return 1 +" } },
        { "send_notification", NOTIFICATION }),
      calls({ "get_notifications" }, { "send_notification", NOTIFICATION }, { "wait", { ms = 1 } },
        { "set_state", { state = "warning", reason = "r" } }),
      calls { "done" }, calls { "done" },
    }
  end

  -- Old answers are left out when the provider says that it is too much.
  local function compacted()
    local turns = {}
    for i = 1, 6 do turns[i] = calls { "execute", { code = ("-- %d\nreturn ets_list_tables(50)"):format(i) } } end
    turns[7] = function() return nil, { class = "shrink", message = "too long" } end
    turns[8] = says "x"
    operate(turns)
  end

  local function watched()
    local h = assert(operator.start(options(model.mind { ets = model.played {
      calls({ "take_snapshot" }, { "set_state", { state = "warning", reason = "r" } }),
      calls { "fire_alert", NOTIFICATION }, fails } }, { mode = "continuous", names = "watcher" })))
    keep(h:join())
  end

  -- It is asked while it waits for its model, and ends without having read the question.
  local function never_read()
    local h = assert(operator.start(options(model.mind { ets = model.played { function()
      async.sleep(0.05)
      return says "that was all"
    end } })))
    assert.equal("that was all", h:message "are you there?")
    keep(h:join())
  end

  local function whole_coordinator()
    coordinate({
      calls({ "invoke_operators", { skills = { "ets" } } }, { "get_operator_statuses" },
        { "think", { thought = "t" } }, { "nonsense" }),
      calls({ "message_operator", { skill = "ets", message = "how is it?" } }, { "wait", { ms = 60000 } }),
      calls({ "get_notifications" }, { "update_notification_statuses",
        { notification_ids = { "n1" }, status = "acknowledged" } }, { "produce_insight", INSIGHT },
        { "schedule", { ms = 1, reason = "again" } }, { "schedule", { ms = 86400000, reason = "tomorrow" } }),
      calls { "done" },
    }, { calls { "wait", { ms = 60000 } }, calls { "take_snapshot" }, calls { "send_notification", NOTIFICATION },
      says "as I told" })
  end

  local function its_ends()
    coordinate { fails }
    coordinate({ function(request) return request.tools and calls { "get_operator_statuses" } or says "x" end }, nil,
      { limits = { iterations = 2 } })
    coordinate({ function() async.sleep(60) end }, nil, { deadline = async.now() + 0.1 })
    -- Its operator has no mind.
    coordinate { calls({ "invoke_operators", { skills = { "ets" } } }, { "wait", { ms = 9999 } }), says "x" }
    local task = async.spawn(coordinate, { function() async.sleep(60) end })
    task:cancel "interrupted"
    task:join()
  end

  local function pipeline()
    local turns = { calls { "take_snapshot" }, calls { "send_notification", NOTIFICATION }, says "x" }
    coordinate({ says "no call" }, turns, { strategy = assert(strategy.open "pipeline"), reason = "memory" })
  end

  setup(function()
    at = live.start()
    local off = telemetry.on("*", function(event, measurements, metadata)
      heard[event] = heard[event] or { measurements = measurements, metadata = metadata }
    end)
    async.run(function()
      for _, play in ipairs { whole_operator, compacted, watched, never_read, whole_coordinator, its_ends, pipeline } do
        play()
      end
    end)
    off()
  end)

  teardown(live.stop_all)

  for kind, names in pairs(WANTED) do
    for _, name in ipairs(names) do
      local event = kind .. "." .. name
      it("tell " .. event, function()
        local told = heard[event]
        assert.is_table(told, "it was never heard")
        for _, measure in ipairs(events[event].measures) do
          assert.is_number(told.measurements[measure], measure)
        end
        for _, word in ipairs(events[event].tells) do assert.is_not_nil(told.metadata[word], word) end
        assert.is_true(trace_ids[told.metadata.trace_id])
      end)
    end
  end
end)
