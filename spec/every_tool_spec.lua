-- Every tool of every agent, called by a scripted model in real runs on a live node. A tool that is added without a
-- case here is red.
local async = require "runtime.async"
local coordinator = require "runtime.coordinator"
local gate = require "runtime.gate"
local live = require "spec.support.live_node"
local model = require "spec.support.played_model"
local operator = require "runtime.operator"
local skill = require "runtime.skill"
local telemetry = require "runtime.telemetry"

local endless = require "runtime.tools.continuous"
local LISTS = {
  operator = require("runtime.tools.operator").list,
  coordinator = require("runtime.tools.coordinator").list,
}
LISTS.watcher = endless(LISTS.operator, "watcher")

-- ledger only grows, and orders is somebody to propose something for.
local NODE = [[
  spawn(fun() -> ets:new(ledger, [named_table, public]),
    (fun L(I) -> ets:insert(ledger, {I, lists:seq(1, 30)}), timer:sleep(1), L(I + 1) end)(1) end),
  spawn(fun() -> register(orders, self()), receive stop -> ok end end).]]

local NOTIFICATION = {
  type = "growth", context = "usual: nothing grows", observation = "ledger grew", hypothesis = "nobody deletes",
  severity = "info", snapshot_ids = { "o1" }, root_cause = { object = "ledger", mechanism = "ets_growth" },
  considered = {}, next_steps = { { text = "look who writes", risk = "SAFE" } }, confidence = "low",
}
local INSIGHT = {
  notification_ids = { "n1" }, correlation_type = "single", summary = "ledger grows",
  matched_observations = { "ledger grew" }, root_cause = { object = "ledger", mechanism = "ets_growth" },
  severity = "info", confidence = "low", evidence = {},
}
local PROPOSAL = { action = "gc_process", arguments = { process = "orders" }, reason = "its heap" }

-- In the order of calling: arguments, and what the answer has to hold.
local CASES = {
  operator = {
    { "take_snapshot", {}, "id" }, { "get_snapshot", { id = "o1" }, "data" }, { "get_snapshots", {}, "total" },
    { "execute", { code = "return ets_list_tables(3)" }, "observation" }, { "send_notification", NOTIFICATION, "id" },
    { "get_notifications", {}, "notifications" }, { "propose_action", PROPOSAL, "id" },
    { "set_state", { state = "healthy", reason = "small" }, "state" }, { "wait", { ms = 1 }, "waited_ms" },
    { "think", { thought = "a thought" }, "noted" }, { "done", {}, "over" },
  },
  coordinator = {
    { "invoke_operators", { skills = { "ets" } }, "started" },
    { "message_operator", { skill = "ets", message = "how many tables?" }, "answer" },
    { "get_operator_statuses", {}, "operators" }, { "wait", { ms = 60000 }, "operators" },
    { "get_notifications", {}, "notifications" },
    { "update_notification_statuses", { notification_ids = { "n1" }, status = "acknowledged" }, "updated" },
    { "produce_insight", INSIGHT, "id" }, { "propose_action", PROPOSAL, "id" },
    { "schedule", { ms = 1, reason = "look again" }, "due_in_ms" }, { "think", { thought = "a thought" }, "noted" },
    { "done", { summary = "ledger" }, "over" },
  },
}
CASES.watcher = { unpack(CASES.operator, 1, 10) }
CASES.watcher[5] = { "fire_alert", NOTIFICATION, "id" }
CASES.watcher[6] = { "get_alerts", {}, "notifications" }

-- A model that makes these calls, one in each answer, and keeps what came back. `done` is called again where the run
-- reminds of what is open.
local function scripted(cases, kept)
  local at = 0
  return { name = "scripted", ask = function(_, request)
    local last = request.messages[#request.messages]
    if last.role == "tool" then kept[cases[at][1]] = last.results[1] end
    local reminded = at == #cases and cases[at][1] == "done" and request.tools
    if at < #cases then at = at + 1 elseif not reminded then return nil, { class = "fatal", message = "the end" } end
    local reply = model.calls { cases[at][1], cases[at][2] }
    reply.text = ("step %d"):format(at)
    return reply
  end }
end

describe("a scripted model", function()
  local at
  local kept = { operator = {}, watcher = {}, coordinator = {} }

  setup(function()
    at = live.start { code = NODE }
    local ets = assert(skill.open "ets")
    async.run(function()
      local deadline = async.now() + 60
      local function options(mind)
        return { node = at.node, skill = ets, skills = { ets }, gate = gate.new {}, deadline = deadline, mind = mind }
      end
      -- What ends a run is answered by its end.
      for _, kind in ipairs { "operator", "coordinator" } do
        telemetry.on(kind .. ".done", function() kept[kind].done = { ok = true, data = { over = true } } end)
      end
      assert(operator.run(options(model.mind { ets = scripted(CASES.operator, kept.operator) })))
      local o = options(model.mind { ets = scripted(CASES.watcher, kept.watcher) })
      o.mode, o.names = "continuous", "watcher"
      assert(operator.start(o)):join()
      -- It waits until it is asked.
      local asked = { { "wait", { ms = 60000 } }, { "take_snapshot" }, { "send_notification", NOTIFICATION },
        { "done", {} } }
      assert(coordinator.run(options(model.mind({ ets = scripted(asked, {}) },
        scripted(CASES.coordinator, kept.coordinator)))))
    end)
  end)

  teardown(live.stop_all)

  for kind, list in pairs(LISTS) do
    for _, tool in ipairs(list) do
      it(("drives %s of the %s"):format(tool.name, kind), function()
        local case
        for _, c in ipairs(CASES[kind]) do case = c[1] == tool.name and c or case end
        assert(case, "there is no case for " .. tool.name)
        local result = kept[kind][tool.name]
        assert.is_true(result.ok, result.text)
        assert.is_not_nil(result.data[case[3]], result.text)
      end)
    end
  end
end)
