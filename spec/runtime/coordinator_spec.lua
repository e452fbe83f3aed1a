-- A whole run on a live node with two operators; only the models are played.
local async = require "runtime.async"
local coordinator = require "runtime.coordinator"
local gate = require "runtime.gate"
local json = require "runtime.json"
local ledger = require "spec.support.ledger"
local live = require "spec.support.live_node"
local model = require "spec.support.played_model"
local report = require "runtime.report"
local skill = require "runtime.skill"
local telemetry = require "runtime.telemetry"
local until_true = require "spec.support.until_true"

local calls, says, results = model.calls, model.says, model.results

describe("runtime.coordinator", function()
  local at, skills, heard, off

  setup(function()
    at = live.start { code = ledger.CODE }
    skills = { assert(skill.open "beam"), assert(skill.open "ets") }
  end)

  teardown(live.stop_all)

  before_each(function()
    heard = {}
    off = telemetry.on("*", function(event, _, metadata) heard[#heard + 1] = { event, metadata } end)
  end)

  after_each(function() off() end)

  local function event(name)
    for _, e in ipairs(heard) do
      if e[1] == name then return e[2] end
    end
  end

  local function start(leader, operators, opts)
    opts = opts or {}
    return assert(coordinator.run {
      node = at.node, skills = skills, mind = opts.mind or model.mind(operators, leader), gate = gate.new {},
      reason = opts.reason, deadline = async.now() + (opts.seconds or 60), limits = opts.limits,
    })
  end

  local function run(...) return async.run(start, ...) end

  local function idle() return model.played { calls { "take_snapshot" }, says "nothing to see" } end

  -- The ets operator that sees the table grow and says so.
  local function finder() return ledger.finder("warning", "nobody deletes from ledger") end

  local INVOKE = { "invoke_operators", { skills = { "beam", "ets" } } }
  local WAIT = { "wait", { ms = 60000 } }

  local function insight(more)
    local given = {
      notification_ids = { "n1" }, correlation_type = "single", summary = "ledger grows without end",
      matched_observations = { "ledger grew" }, root_cause = { object = "ledger", mechanism = "ets_growth" },
      severity = "critical", confidence = "high", evidence = {},
    }
    for key, value in pairs(more) do given[key] = value end
    return { "produce_insight", given }
  end

  -- Concludes from what get_notifications said, as a model does.
  local function leader(...)
    return model.played { calls(INVOKE, WAIT), calls { "get_notifications" }, ... }
  end

  local function concluding(request)
    local n = results(request)[1].data.notifications[1]
    local claims = {}
    for i, claim in ipairs(n.evidence) do
      claims[i] = { observation = claim.observation, path = claim.path, value = claim.value }
    end
    return calls(insight { notification_ids = { n.id }, evidence = claims })
  end

  it("joins what operators told into an insight that figures prove", function()
    local r = run(leader(concluding, calls { "done", { summary = "ledger" } }), { beam = idle(), ets = finder() },
      { reason = "memory rises" })
    assert.same({ "sick", json.null, 1 }, { r.verdict, r.incomplete, report.exit(r) })
    assert.same({ "i1", "critical", { object = "ledger", mechanism = "ets_growth" }, { "n1" } },
      { r.insights[1].id, r.insights[1].severity, r.insights[1].root_cause, r.insights[1].notification_ids })
    assert.equal("ledger", r.insights[1].evidence[1].value)
    assert.same({ "beam", "ets" }, { r.operators[1].skill, r.operators[2].skill })
    assert.same({ at.name }, r.nodes)
  end)

  it("asks, pays and counts for all of them, and tells it under one trace id", function()
    local r = run(leader(concluding, calls { "done" }), { beam = idle(), ets = finder() })
    assert.equal(8, r.usage.calls)
    assert.equal(80, r.usage.input_tokens)
    assert.is_true(r.target_load.calls > 0)
    for _, name in ipairs { "coordinator.started", "coordinator.invoke_operators", "coordinator.operator_complete",
      "coordinator.operator_notification_received", "coordinator.insight_produced", "coordinator.done",
      "operator.done" } do
      assert.equal(r.trace_id, event(name).trace_id, name)
    end
  end)

  it("has its operators run side by side", function()
    local running, most = 0, 0
    local function slow()
      return model.played { function()
        running = running + 1
        most = math.max(most, running)
        async.sleep(0.05)
        running = running - 1
        return says "x"
      end }
    end
    run(leader(calls { "done" }), { beam = slow(), ets = slow() })
    assert.equal(2, most)
  end)

  it("is back from a wait as soon as nobody runs any more", function()
    local statuses
    local r = run(model.played { calls(INVOKE), calls(WAIT), function(request)
      statuses = results(request)[1].data.operators
      return says "x"
    end }, { beam = idle(), ets = idle() })
    assert.same({ { skill = "beam", state = "observing", running = false, iterations = 2 },
      { skill = "ets", state = "observing", running = false, iterations = 2 } }, statuses)
    assert.equal("cannot_tell", r.verdict)
  end)

  it("names the skills there are when it is asked for another", function()
    local told
    run(model.played { calls { "invoke_operators", { skills = { "gc" } } }, function(request)
      told = json.decode(results(request)[1].text).error
      return says "x"
    end }, {})
    assert.equal("there is no skill gc; there are beam, ets", told)
  end)

  it("makes no grave insight on figures that are not there", function()
    local told
    local r = run(leader(calls(insight { evidence = { { observation = "o1", path = "nothing", value = 1 } } }),
      function(request)
        told = json.decode(results(request)[1].text).error
        return calls({ "update_notification_statuses",
          { notification_ids = { "n1" }, status = "resolved", reason = "a batch" } }, { "done" })
      end), { beam = idle(), ets = finder() })
    assert.matches("^no evidence stands, so it cannot be critical; o1: no nothing in it; there is ", told)
    assert.matches("what stands is o%d tables%[1%]%.name, o%d tables", told)
    assert.same({}, r.insights)
  end)

  it("tells one cause once: what an insight resolved stays so, and no second one is made of it", function()
    local told
    local r = run(leader(concluding, function(request)
      local claims = request.messages[#request.messages - 1].calls[1].args.evidence
      return calls({ "update_notification_statuses", { notification_ids = { "n1" }, status = "unread" } },
        { "update_notification_statuses", { notification_ids = { "n1" }, status = "resolved", reason = "told" } },
        insight { summary = "once more", evidence = claims })
    end, function(request)
      told = results(request)
      return calls { "done" }
    end), { beam = idle(), ets = finder() })
    assert.same({ "sick", 1, "i1" }, { r.verdict, #r.insights, r.insights[1].id })
    assert.equal("n1 is resolved by i1, and stays so", json.decode(told[1].text).error)
    assert.is_true(told[2].ok)
    assert.equal("n1 stands in i1 already, as critical; name a notification that no insight names, or be done",
      json.decode(told[3].text).error)
  end)

  it("refuses to mark or to start nothing at all", function()
    local told
    run(model.played { calls({ "update_notification_statuses", { notification_ids = {}, status = "resolved" } },
      { "invoke_operators", { skills = {} } }), function(request)
      told = { json.decode(results(request)[1].text).error, json.decode(results(request)[2].text).error }
      return says "x"
    end }, {})
    assert.same({ "notification_ids: name one at least", "skills: name one at least of beam, ets" }, told)
  end)

  it("does not call a node healthy because a finding whose figures stand was set aside", function()
    local r = run(leader(calls({ "update_notification_statuses",
      { notification_ids = { "n1" }, status = "resolved", reason = "the log says all is well" } }, { "done" })),
      { beam = idle(), ets = finder() })
    assert.equal("cannot_tell", r.verdict)
    assert.matches("^n1 says: .*; its figures stand, and it was set aside: the log says all is well$",
      r.would_tell[#r.would_tell])
  end)

  it("makes no insight of an object that nobody named who looked", function()
    local told
    run(leader(calls(insight { root_cause = { object = "the moon", mechanism = "ets_growth" } }), function(request)
      told = json.decode(results(request)[1].text).error
      return says "x"
    end), { beam = idle(), ets = finder() })
    assert.matches("^root_cause%.object: of these notifications none names \"the moon\", but ", told)
  end)

  it("does not resolve a warning without a reason", function()
    local told
    run(leader(calls { "update_notification_statuses", { notification_ids = { "n1" }, status = "resolved" } },
      function(request)
        told = json.decode(results(request)[1].text).error
        return says "x"
      end), { beam = idle(), ets = finder() })
    assert.equal("n1 is warning: give the reason why it needs no insight", told)
  end)

  it("is reminded once of what is open, and what was proven is not lost when it goes all the same", function()
    local told
    local r = run(model.played { calls({ "invoke_operators", { skills = { "ets" } } }, WAIT), calls { "done" },
      function(request)
        told = json.decode(results(request)[1].text).error
        return calls { "done" }
      end }, { ets = finder() })
    assert.matches("n1 of ets stands: produce an insight", told)
    assert.matches("beam was not looked at", told)
    assert.same({ "sick", "warning", "nobody deletes from ledger" },
      { r.verdict, r.insights[1].severity, r.insights[1].summary })
  end)

  it("goes on when an operator crashes, and tells", function()
    local mind = model.mind({ ets = finder() }, leader(concluding, calls { "done" }))
    local operator = mind.operator
    function mind.operator(s)
      if s.name == "beam" then error "no mind for beam" end
      return operator(s)
    end
    local r = run(nil, nil, { mind = mind })
    assert.equal("sick", r.verdict)
    assert.matches("no mind for beam", event("coordinator.operator_crashed").reason)
  end)

  it("calls nothing healthy where an operator crashed", function()
    local mind = model.mind({}, model.played { calls(INVOKE, WAIT), says "all well" })
    mind.operator = function() error "no mind" end
    local r = run(nil, nil, { mind = mind })
    assert.equal("cannot_tell", r.verdict)
    assert.matches("^the beam operator crashed: .*no mind", r.would_tell[1])
  end)

  it("lets operators finish when its own model fails, and keeps what they proved", function()
    local r = run(model.played { calls(INVOKE), function()
      return nil, { class = "fatal", message = "the key was refused" }
    end }, { beam = idle(), ets = finder() })
    assert.same({ "sick", "provider", 1 }, { r.verdict, r.incomplete, report.exit(r) })
    assert.equal("the key was refused", event("coordinator.llm_error").reason)
  end)

  it("has no finding and exit code 6 when its model fails at once", function()
    local r = run(model.played { function() return nil, { class = "fatal", message = "no key" } end }, {})
    assert.same({ "cannot_tell", "provider", 6 }, { r.verdict, r.incomplete, report.exit(r) })
    assert.same({ "the coordinator lost its model: no key" }, r.would_tell)
  end)

  it("ends at its deadline with what operators proved before", function()
    local stuck = model.played { function() async.sleep(60) end }
    local r = run(model.played { calls(INVOKE), function() async.sleep(60) end }, { beam = stuck, ets = finder() },
      { seconds = 3 })
    assert.same({ "sick", "deadline" }, { r.verdict, r.incomplete })
    assert.is_truthy(event "coordinator.deadline")
  end)

  it("ends a model that never ends, and says so", function()
    local n = 0
    local r = run(model.played { function(request)
      n = n + 1
      return request.tools and calls { "think", { thought = "step " .. n } } or says "I do not know"
    end }, {}, { limits = { iterations = 5 } })
    assert.same({ "cannot_tell", "iterations", 5 }, { r.verdict, r.incomplete, n })
    assert.is_truthy(event "coordinator.max_iterations_reached")
  end)

  it("tells the words of a model that only talks", function()
    local r = run(model.played { says "I am sorry.\27[2J" }, {})
    assert.equal("cannot_tell", r.verdict)
    assert.same({ "the model ended without a look; it said: I am sorry.\\x1b[2J" }, r.would_tell)
  end)

  it("keeps to the budget of the run, operators included", function()
    local busy = model.played { calls { "take_snapshot" } }
    local r = run(leader(says "x"), { beam = busy, ets = busy }, { limits = { tokens = 100 } })
    assert.equal("budget", r.incomplete)
    assert.is_true(r.usage.input_tokens + r.usage.output_tokens < 200)
  end)

  it("makes no more requests than its limit though operators ask side by side, and one more for its answer", function()
    local function slow()
      return model.played { function()
        async.sleep(0.05)
        return calls { "take_snapshot" }
      end }
    end
    for limit = 1, 3 do
      local r = run(leader(says "x"), { beam = slow(), ets = slow() }, { limits = { calls = limit } })
      assert.same({ "budget", limit + 1 }, { r.incomplete, r.usage.calls })
    end
  end)

  it("stops everything at once when it is interrupted, and reports what there is", function()
    local r
    async.run(function()
      local stuck = model.played { calls { "take_snapshot" }, calls { "wait", { ms = 60000 } } }
      local task = async.spawn(start, model.played { calls(INVOKE, WAIT) }, { beam = stuck, ets = finder() })
      until_true("a notification", function() return event "coordinator.operator_notification_received" end)
      task:cancel "interrupted"
      r = select(2, task:join())
    end)
    assert.same({ "sick", "interrupted" }, { r.verdict, r.incomplete })
    assert.equal("interrupted", event("operator.loop_stopped").reason)
  end)

  it("shows a coordinator the words of the node only in tool results", function()
    local provider = leader(says "x")
    run(provider, { beam = idle(), ets = finder() })
    local last = provider.asked[3]
    local outside = { last.system }
    for _, message in ipairs(last.messages) do
      if message.role ~= "tool" then outside[#outside + 1] = message.text end
    end
    assert.is_nil(table.concat(outside):find("ledger", 1, true))
    assert.is_truthy(results(last)[1].text:find("ledger", 1, true))
  end)

  it("gives an operator the coordinator's question cleaned, with its snapshot and as the node's words", function()
    local ets = idle()
    run(model.played { calls({ "invoke_operators", { skills = { "ets" }, context = "memory\226\128\139\27[2J rises" } },
      WAIT), says "x" }, { ets = ets })
    local first = ets.asked[1]
    assert.is_nil((first.system .. first.messages[1].text):find("memory rises", 1, true))
    assert.matches("The coordinator has a question; it comes with your snapshot", first.messages[1].text)
    local shown = json.decode(results(ets.asked[2])[1].text)
    assert.same({ "memory rises", "node" }, { shown.question, shown.trust })
  end)

  describe("asks an operator", function()
    local function asked(message)
      return { "message_operator", { skill = "ets", message = message } }
    end

    it("that runs: the question comes inside a result, and its next words are the answer", function()
      local answer
      local ets = model.played { calls { "wait", { ms = 60000 } }, says "ledger, and nothing else", calls { "done" } }
      run(model.played { calls { "invoke_operators", { skills = { "ets" } } },
        calls(asked "which table?\27[2J"),
        function(request)
          answer = json.decode(results(request)[1].text)
          return calls(WAIT)
        end, says "x" }, { ets = ets })
      assert.same({ skill = "ets", answer = "ledger, and nothing else", trust = "node" }, answer)
      local shown = json.decode(results(ets.asked[2])[1].text)
      assert.same({ "which table?", "node" }, { shown.message, shown.trust })
      assert.equal(4, #ets.asked) -- it went on, was reminded, and done
    end)

    it("that ended: it answers with its last words", function()
      local answer
      run(model.played { calls({ "invoke_operators", { skills = { "ets" } } }, WAIT), calls(asked "and now?"),
        function(request)
          answer = json.decode(results(request)[1].text).answer
          return says "x"
        end }, { ets = idle() })
      assert.equal("nothing to see", answer)
    end)

    it("that was never started, or is none: it is told what to do", function()
      local told
      run(model.played { calls(asked "x", { "message_operator", { skill = "gc", message = "x" } }), function(request)
        told = { json.decode(results(request)[1].text).error, json.decode(results(request)[2].text).error }
        return says "x"
      end }, {})
      assert.same({ "no ets operator was started: invoke it, with the question as its context",
        "there is no skill gc; there are beam, ets" }, told)
    end)
  end)

  it("comes back to what it scheduled, and ends when nothing is due any more", function()
    local told
    local r = run(model.played { calls { "schedule", { ms = 5, reason = "look at ledger again" } },
      says "first look made", function(request)
        told = request.messages[#request.messages]
        return says "second look made"
      end }, {})
    assert.same({ "user", "Your follow-up f1 is due. Look again at what you scheduled it for, and be done." },
      { told.role, told.text })
    assert.equal("look at ledger again", event("coordinator.scheduled_reinvoke").reason)
    assert.equal(3, r.usage.calls)
  end)

  it("is stopped while it waits for a follow-up, and reports what there is", function()
    local r
    async.run(function()
      local task = async.spawn(start, leader(calls { "schedule", { ms = 30000, reason = "x" } }, calls { "done" },
        calls { "done" }), { beam = idle(), ets = finder() })
      until_true("`done`", function() return event "coordinator.done" end)
      task:cancel "interrupted"
      r = select(2, task:join())
    end)
    assert.same({ "sick", "interrupted" }, { r.verdict, r.incomplete })
  end)

  it("makes the investigations of one node one after another", function()
    local running, most = 0, 0
    local function slow()
      running = running + 1
      most = math.max(most, running)
      async.sleep(0.02)
      running = running - 1
      return says "x"
    end
    async.run(function()
      local tasks = {}
      for i = 1, 3 do tasks[i] = async.spawn(start, model.played { slow }, {}) end
      for i = 1, 3 do assert.equal("cannot_tell", select(2, tasks[i]:join()).verdict) end
    end)
    assert.equal(1, most)
  end)
end)
