-- Operators without an end, on a live node; only the models are played, and rests are made short.
local uv = require "luv"
local async = require "runtime.async"
local continuous = require "runtime.continuous"
local exit_code = require("runtime.report").exit
local gate = require "runtime.gate"
local json = require "runtime.json"
local live = require "spec.support.live_node"
local llm = require "runtime.llm"
local model = require "spec.support.played_model"
local operator = require "runtime.operator"
local skill = require "runtime.skill"
local telemetry = require "runtime.telemetry"

local calls, says, results = model.calls, model.says, model.results

local PATIENCE_S = 60

describe("runtime.continuous", function()
  local at, ets, rest_s, pause_s, heard, off

  setup(function()
    at = live.start()
    ets = assert(skill.open "ets")
    rest_s, pause_s = continuous.rest_s, continuous.pause_s
  end)

  teardown(live.stop_all)

  before_each(function()
    -- Two waits of a millisecond that took as long as the two before are a circle, and then it rests.
    continuous.rest_s = 0.001
    heard = {}
    off = telemetry.on("*", function(event, measurements, metadata)
      heard[#heard + 1] = { event, metadata, measurements }
    end)
  end)

  after_each(function()
    off()
    continuous.rest_s, continuous.pause_s = rest_s, pause_s
  end)

  local function names_heard(prefix)
    local names = {}
    for _, e in ipairs(heard) do
      if e[1]:find(prefix, 1, true) == 1 then names[e[1]] = (names[e[1]] or 0) + 1 end
    end
    return names
  end

  local function until_true(what)
    local deadline = async.now() + PATIENCE_S
    while not what() do
      assert(async.now() < deadline, "it never came to it")
      async.sleep(0.01)
    end
  end

  local function start(provider, more)
    local opts = { node = at.node, skill = ets, mind = model.mind { ets = provider }, gate = gate.new {},
      mode = "continuous" }
    for key, value in pairs(more or {}) do opts[key] = value end
    return assert(operator.start(opts))
  end

  local function notification(observation)
    return { "send_notification", { type = "t", context = "c", observation = observation, severity = "warning",
      snapshot_ids = { "o1" } } }
  end

  it("goes on until it is stopped, at the pace of the model's waits", live.test(function()
    local provider = model.played { calls({ "take_snapshot" }, { "wait", { ms = 1 } }) }
    local h = start(provider, { limits = { iterations = 500 } })
    until_true(function() return h:status().iterations >= 30 end)
    h:stop()
    local report = h:join()
    assert.same({ "interrupted", false, "continuous" }, { report.incomplete, h:status().running, h:status().mode })
  end))

  it("has no tool that ends it, and no words that send it to one but those that say so", live.test(function()
    local told, system, task
    local h = start(model.played { calls { "done" }, function(request)
      told = told or json.decode(results(request)[1].text).error
      system, task = request.system, request.messages[1].text
      return calls { "wait", { ms = 60000 } }
    end })
    until_true(function() return told end)
    h:stop()
    h:join()
    assert.matches('^there is no tool "done"', told)
    assert.is_nil(system:find "be done")
    assert.matches("there is no end and no `done`", task)
  end))

  it("has a watcher's names and events, and understands the others too", live.test(function()
    local provider = model.played {
      calls({ "take_snapshot" }, { "set_state", { state = "warning", reason = "r" } }),
      function() return calls({ "fire_alert", notification("first")[2] }, notification "second", { "get_alerts" }) end,
      calls { "wait", { ms = 60000 } },
    }
    local h = start(provider, { names = "watcher" })
    until_true(function() return #provider.asked == 3 end)
    h:stop()
    h:join()
    local names = {}
    for _, tool in ipairs(provider.asked[1].tools) do names[#names + 1] = tool.name end
    table.sort(names)
    assert.same({ "execute", "fire_alert", "get_alerts", "get_snapshot", "get_snapshots", "propose_action",
      "set_state", "take_snapshot", "think", "wait" }, names)
    assert.same({ ["watcher.started"] = 1, ["watcher.iteration_start"] = 3, ["watcher.state_change"] = 1,
      ["watcher.alert_fired"] = 2 }, names_heard "watcher.")
    assert.equal(2, names_heard("operator.")["operator.notification_sent"])
    assert.equal(2, #results(provider.asked[3])[3].data.notifications)
  end))

  it("makes a model rest that does not wait, and one that only talks", live.test(function()
    continuous.rest_s = 0.01
    local n = 0
    local provider = model.played { function()
      n = n + 1
      return n % 2 == 0 and says "all is well" or calls { "take_snapshot" }
    end }
    local h = start(provider)
    until_true(function() return n > 10 end)
    h:stop()
    h:join()
    local reasons = {}
    for _, e in ipairs(heard) do
      if e[1] == "operator.wait" then reasons[e[2].reason] = true end
    end
    assert.same({ ["it answered without a call"] = true }, reasons)

    heard, n = {}, 0
    h = start(model.played { calls { "take_snapshot" } }, { limits = { iterations = 4 } })
    until_true(function() return names_heard("operator.")["operator.wait"] == 3 end)
    assert.is_true(h:status().running)
    h:stop()
    h:join()
  end))

  it("makes a model rest, too, that answers with nothing of use, and then asks it again", live.test(function()
    continuous.rest_s = 0.05
    local provider = model.played { calls { "take_snapshot" }, says "", says "", says "", says "",
      calls { "wait", { ms = 60000 } } }
    local h = start(provider)
    until_true(function() return #provider.asked >= 6 end)
    assert.is_true(h:status().running)
    assert.matches("Nothing ends here%. Go on", provider.asked[6].messages[#provider.asked[6].messages].text)
    h:stop()
    h:join()
  end))

  it("does not lose its conversation over a provider that is down for a while", live.test(function()
    continuous.pause_s = 0.001
    local function down() return nil, { class = "retry", message = "overloaded" } end
    local provider = model.played { calls { "take_snapshot" }, down, down, down, calls { "wait", { ms = 60000 } } }
    local h = start(provider)
    until_true(function() return #provider.asked == 5 end)
    assert.is_true(h:status().running)
    h:stop()
    h:join()
    assert.same(provider.asked[2].messages, provider.asked[5].messages)
    assert.same({ ["operator.llm_down"] = 1, ["operator.llm_up"] = 1, ["operator.llm_error"] = 3 },
      names_heard "operator.llm_")
  end))

  it("does not tell each time of a provider that comes and goes", live.test(function()
    continuous.pause_s = 0.001
    local n = 0
    local provider = model.played { function()
      n = n + 1
      if n % 2 == 0 then return nil, { class = "retry", message = "overloaded" } end
      return calls { "wait", { ms = 1 } }
    end }
    local h = start(provider, { limits = { iterations = 1000000 } })
    until_true(function() return n > 20 end)
    h:stop()
    h:join()
    local names = names_heard "operator.llm_"
    assert.same({ 1, 1 }, { names["operator.llm_down"], names["operator.llm_up"] })
    assert.is_true(names["operator.llm_error"] >= 10)
  end))

  it("asks no model while its node is away, and goes on when it is back", live.test(function()
    local provider = model.played { calls { "wait", { ms = 1 } } }
    local asked = {}
    at.node:on_change(function(state) asked[state] = #provider.asked end)
    local h = start(provider, { limits = { iterations = 1000000 } })
    until_true(function() return #provider.asked > 5 end)
    at.eval "spawn(fun() -> [erlang:disconnect_node(N) || N <- nodes(hidden)] end), ok."
    until_true(function() return asked.up and #provider.asked > asked.up + 5 end)
    h:stop()
    h:join()
    assert.equal(asked.down, asked.up)
  end))

  it("answers a question while its node is away", live.test(function()
    local other = live.start { name = "bl_away@127.0.0.1" }
    local away
    local provider = model.played { function()
      return away and says "it is away, I see nothing" or calls { "wait", { ms = 1 } }
    end }
    local h = start(provider, { node = other.node, limits = { iterations = 1000000 } })
    uv.kill(other.os_pid, "sigkill")
    until_true(function() return other.node.state ~= "up" end)
    away = true
    assert.equal("it is away, I see nothing", h:message "how is it?")
    h:stop()
    h:join()
  end))

  it("ends when its node is gone for good", live.test(function()
    local other = live.start { name = "bl_gone@127.0.0.1" }
    local h = start(model.played { calls { "wait", { ms = 1 } } }, { node = other.node, limits = { iterations = 1e6 } })
    other.eval [[spawn(fun() -> erlang:set_cookie(node(), another),
      [erlang:disconnect_node(N) || N <- nodes(hidden)] end), ok.]]
    local report = h:join()
    assert.same({ true, "node" }, { report.lost, h:status().ended })
    assert.matches("^wrong cookie for bl_gone@127.0.0.1; pass the node's own", h:status().why)
    assert.equal(3, exit_code(report))
  end))

  it("ends when its key is refused, or its limits are spent", live.test(function()
    local refused = start(model.played { function()
      return nil, { class = "fatal", message = "the key was refused" }
    end })
    assert.same({ "provider", "the key was refused" }, { refused:join().incomplete, refused:status().why })
    local spent = start(model.played { function(request)
      return request.tools and calls { "wait", { ms = 1 } } or says "that was all"
    end }, { limits = { iterations = 500, calls = 5 } })
    assert.same({ "budget", 6 }, { spent:join().incomplete, spent:status().usage.calls })
  end))

  it("answers a question with its next words, woken from its wait, and goes on", live.test(function()
    local provider = model.played { calls { "wait", { ms = 3600000 } }, says "three tables grow",
      calls { "wait", { ms = 3600000 } } }
    local h = start(provider)
    until_true(function() return names_heard("operator.")["operator.wait"] end)
    assert.equal("three tables grow", h:message("how many?"))
    until_true(function() return #provider.asked == 3 end)
    local asked = results(provider.asked[2])[1]
    assert.same({ "how many?", "node" }, { json.decode(asked.text).message, json.decode(asked.text).trust })
    assert.is_true(h:status().running)
    h:stop()
    h:join()
    assert.equal("three tables grow", h:message "still?")
  end))

  it("answers by a thought where its model writes no text beside its calls", live.test(function()
    local h = start(model.played { calls { "wait", { ms = 3600000 } },
      calls({ "think", { thought = "three tables grow" } }, { "wait", { ms = 3600000 } }) })
    until_true(function() return names_heard("operator.")["operator.wait"] end)
    assert.equal("three tables grow", h:message("how many?"))
    h:stop()
    h:join()
  end))

  it("tells what happens as it comes, and its end", live.test(function()
    local h = start(model.played {
      calls({ "take_snapshot" }, { "set_state", { state = "warning", reason = "r" } }), calls(notification "grew"),
      function() return nil, { class = "fatal", message = "no key" } end,
    })
    local told = {}
    for item in h:messages() do
      told[#told + 1] = { item.kind, item.to or item.ended or item.reason or item.notification.observation }
    end
    assert.same({ { "state", "warning" }, { "notification", "grew" }, { "trouble", "no key" },
      { "ended", "provider" } }, told)
  end))

  it("keeps no more than it needs, however long it runs, and what notifications cite", live.test(function()
    local n = 0
    local provider = model.played { function()
      n = n + 1
      if n == 2 then return calls(notification "the first") end
      if n % 3 == 0 then return calls { "wait", { ms = 1 } } end
      return calls { "take_snapshot" }
    end }
    local s = assert(skill.open "ets")
    s.snapshot = function() return { table_count = n } end
    local h = start(provider, { skill = s, limits = { iterations = 5000 } })
    until_true(function() return n > 900 end)
    h:stop()
    local report = h:join()
    local all = h.case.evidence:all()
    assert.is_true(#all <= 110, #all .. " observations")
    assert.equal("o1", all[1].id)
    assert.equal("the first", report.notifications[1].observation)
  end))

  it("has a report at its end, however much it told before", live.test(function()
    local n = 0
    local provider = model.played { calls { "take_snapshot" }, function()
      n = n + 1
      if n > 230 then return calls { "wait", { ms = 60000 } } end
      local claim = { observation = "o1", path = "table_count", value = 7 }
      return calls({ "send_notification", { type = "t", context = "c", observation = "seen " .. n,
        severity = n <= 20 and "warning" or "info", snapshot_ids = { "o1" }, evidence = { claim },
        root_cause = { object = "t" .. n, mechanism = "ets_growth" } } }, { "wait", { ms = 1 } })
    end }
    local s = assert(skill.open "ets")
    s.snapshot = function() return { table_count = 7 } end
    local h = start(provider, { skill = s, limits = { iterations = 5000 } })
    until_true(function()
      h.case.sent = {} -- an hour is no matter here
      return n > 230
    end)
    h:stop()
    local report = h:join()
    assert.same({ 200, "seen 31", 0 }, { #report.notifications, report.notifications[1].observation, #report.insights })
  end))

  it("takes no more than so many notifications in an hour, and says so", live.test(function()
    local told
    local n = 0
    local provider = model.played { calls { "take_snapshot" }, function()
      local list = {}
      for i = 1, 16 do
        n = n + 1
        list[i] = notification("seen " .. n)
      end
      return calls(unpack(list))
    end }
    local h = start(provider, { limits = { iterations = 500 } })
    until_true(function()
      for _, e in ipairs(heard) do told = told or e[1] == "operator.notification_failed" and e[2].reason end
      return told
    end)
    h:stop()
    assert.equal(50, #h:join().notifications)
    assert.matches("^50 notifications within the hour, and no more are taken;", told)
  end))

  it("is watched by rules, which tell a finding once and not with every look", live.test(function()
    at.evaluate(at, [[spawn(fun() -> ets:new(ledger, [named_table, public]),
      (fun L(I) -> ets:insert(ledger, {I, lists:seq(1, 300)}), timer:sleep(1), L(I + 1) end)(1) end), ok.]])
    local h = start(nil, { mind = assert(llm.choose({ provider = "analyst" }, os.getenv)), every = 0.05 })
    until_true(function() return (names_heard("operator.")["operator.take_snapshot"] or 0) >= 3 end)
    h:stop()
    local report = h:join()
    assert.same({ "ledger", "sick" }, { report.insights[1].root_cause.object, report.verdict })
    assert.equal(1, #report.notifications)
  end))
end)
