-- The hybrid strategy on a live node: rules find, a model explains and doubts, code decides. Only the model is played.
local async = require "runtime.async"
local coordinator = require "runtime.coordinator"
local database = require "host.db"
local gate = require "runtime.gate"
local journal = require "runtime.journal"
local json = require "runtime.json"
local live = require "spec.support.live_node"
local llm = require "runtime.llm"
local model = require "spec.support.played_model"
local skill = require "runtime.skill"
local store = require "runtime.store"
local strategy = require "runtime.strategy"
local telemetry = require "runtime.telemetry"
local tide = require "spec.support.tide_skill"
local uv = require "luv"

local calls, says, results = model.calls, model.says, model.results

local DONE = calls { "done" }

describe("the hybrid strategy", function()
  local at, folder, skills

  setup(function()
    at = live.start { code = tide.CODE }
    folder = assert(uv.fs_mkdtemp "/tmp/tide-XXXXXX")
    skills = { assert(skill.open(tide.write(folder))) }
  end)

  teardown(function()
    live.stop_all()
    os.execute(("rm -rf '%s'"):format(folder))
  end)

  local function turn(word) tide.turn(at, word) end

  -- A run that begins with this word on the node; the models are a leader, one that doubts, and operators.
  local function run(word, models, more)
    return async.run(function()
      turn(word)
      local mind = model.mind({ tide = models.operator }, models.leader)
      mind.cheap = function() return models.doubter or model.played { says "nothing against it" } end
      for key, value in pairs(more and more.mind_more or {}) do mind[key] = value end
      local o = { node = at.node, skills = skills, mind = mind, gate = gate.new {}, deadline = async.now() + 60,
        strategy = assert(strategy.open "hybrid"), reason = "memory rises" }
      for key, value in pairs(more or {}) do o[key] = value end
      return assert(coordinator.run(o))
    end)
  end

  -- Explains what was found, with other arguments where they are given, and is done.
  local function explains(more, goes_on)
    local args = { notification_ids = { "n1" }, correlation_type = "single", summary = "Orders are never archived.",
      matched_observations = { "rows" }, root_cause = { object = "ledger", mechanism = "ets_growth" },
      severity = "warning", confidence = "low", evidence = {},
      next_steps = { { text = "archive orders", risk = "CAUTION" } } }
    for key, value in pairs(more or {}) do args[key] = value end
    return calls({ "produce_insight", args }, not goes_on and { "done" } or nil)
  end

  -- One that holds this against it, when the node has turned.
  local function doubter(word, more)
    local args = { mechanism = "ets_table_leak", callback = "tide_rows", path = "rows", why = "it may be another" }
    for key, value in pairs(more or {}) do args[key] = value end
    return model.played { function()
      turn(word)
      return calls { "refute", args }
    end, says "enough" }
  end

  local function analysts()
    return async.run(function()
      turn "flood"
      local mind = assert(llm.choose { provider = "analyst" })
      return assert(coordinator.run { node = at.node, skills = skills, mind = mind, gate = gate.new {},
        deadline = async.now() + 60, reason = "memory rises" })
    end)
  end

  local function cause(r) return { r.verdict, r.insights[1].root_cause.mechanism, r.insights[1].severity } end

  local FOUND = { "sick", "ets_growth", "warning" }

  describe("a model", function()
    it("is given what the rules proved before it says a word, in a result that is marked", function()
      local leader = model.played { DONE }
      run("flood", { leader = leader })
      local first = leader.asked[1].messages
      assert.same({ "user", "assistant", "tool" }, { first[1].role, first[2].role, first[3].role })
      local told = json.decode(first[3].results[1].text)
      assert.same({ "node", "ets_growth", true, 700 }, { told.trust, told.insights[1].root_cause.mechanism,
        told.insights[1].proved, told.notifications[1].evidence[1].value })
      assert.is_nil((leader.asked[1].system .. first[1].text):find("ledger", 1, true))
    end)

    it("knows what is secret by another name, and may say that of the cause", function()
      async.run(function() tide.call(at, "postgres://shop:hunter2@db/orders") end)
      local leader = model.played { function(request)
        local told = json.decode(results(request)[1].text)
        return explains { root_cause = told.insights[1].root_cause }
      end }
      local r = run("flood", { leader = leader }, { mind_more = { destination = "far" } })
      async.run(function() tide.call(at, "ledger") end)
      assert.is_nil(leader.asked[1].messages[3].results[1].text:find("hunter2", 1, true))
      assert.equal("Orders are never archived.", r.insights[1].root_cause_hypothesis)
    end)

    it("that says nothing leaves what the analyst would have said", function()
      local r, theirs = run("flood", { leader = model.played { says "all is well" } }), analysts()
      for _, report in ipairs { r, theirs } do
        report.trace_id, report.usage, report.target_load, report.footprint, report.versions = nil, nil, nil, nil, nil
        report.notifications[1].detected_at = nil
        for _, claim in ipairs(report.insights[1].evidence) do claim.at = nil end
      end
      assert.same(theirs, r)
    end)

    it("explains a cause, and adds to it, but changes nothing of it", function()
      local r = run("flood", { leader = model.played { explains { severity = "info", confidence = "low" } } })
      local i = r.insights[1]
      assert.same({ "warning", "high", "Orders are never archived.", "ledger has 700 rows, by ets_growth" },
        { i.severity, i.confidence, i.root_cause_hypothesis, i.summary })
      assert.same({ "look who writes", "archive orders" }, { i.next_steps[1].text, i.next_steps[2].text })
      assert.equal(1, #r.insights)
    end)

    it("that raises what was found is not followed", function()
      assert.same(FOUND, cause(run("flood", { leader = model.played { explains { severity = "critical" } } })))
    end)

    it("that puts another cause in its place is told why not, and the cause stands", function()
      local leader = model.played { explains({ root_cause = { object = "ledger",
        mechanism = "ets_table_leak" } }, true), DONE }
      assert.same(FOUND, cause(run("flood", { leader = leader })))
      assert.matches("figures prove ets_growth of ledger in i1", results(leader.asked[2])[1].text)
    end)

    it("that sets a notification aside takes nothing back", function()
      local r = run("flood", { leader = model.played { calls({ "update_notification_statuses", {
        notification_ids = { "n1" }, status = "resolved", reason = "it is a cache" } }, { "done" }) } })
      assert.same(FOUND, cause(r))
    end)

    it("that fails leaves what the rules proved, and is told", function()
      local r = run("flood", { leader = model.played { function()
        return nil, { class = "fatal", message = "the key is not valid" }
      end } })
      assert.same(FOUND, cause(r))
      assert.same({ "provider", "the coordinator lost its model: the key is not valid" },
        { r.incomplete, r.incomplete_why })
    end)

    it("whose budget is spent leaves what the rules proved, and is told", function()
      local r = run("flood", { leader = model.played { calls { "think", { thought = "hm" } } } },
        { limits = { calls = 1 } })
      assert.same(FOUND, cause(r))
      assert.same({ "budget", 1 }, { r.incomplete, r.usage.calls })
    end)

    it("is asked once of a node that is well", function()
      local leader = model.played { DONE }
      local r = run("calm", { leader = leader })
      assert.same({ "healthy", 1, 1 }, { r.verdict, #leader.asked, r.usage.calls })
    end)

    describe("where rules have no checks for a skill", function()
      local bare

      setup(function()
        local path = folder .. "/bare.lua"
        local out = assert(io.open(path, "w"))
        out:write [[return { name = "bare", title = "Bare", about = "a", prompt = "p", snapshot = "size",
          queries = { size = "#{rows => ets:info(ledger, size)}." },
          callbacks = { bare_size = { doc = "Rows.", class = "SAFE", returns = { "rows" }, query = "size" } } }]]
        out:close()
        uv.fs_chmod(path, 384)
        bare = { skills = { skills[1], assert(skill.open(path)) }, mind_more = { destination = "far" } }
      end)

      it("is told so, and without a look of its own there is no verdict", function()
        local leader = model.played { DONE }
        local r = run("calm", { leader = leader }, bare)
        local told = json.decode(leader.asked[1].messages[3].results[1].text)
        local why = "the skill bare has no checks, so the analyst cannot judge what it saw"
        assert.same({ { skill = "bare", open = { why } } }, told.left_open)
        assert.same({ "cannot_tell", { why } }, { r.verdict, r.would_tell })
      end)

      it("may look itself, and then there is one", function()
        local looks = model.played { calls({ "take_snapshot" }, { "done" }) }
        bare.mind_more.operator = function() return looks end
        local leader = model.played { calls({ "invoke_operators", { skills = { "bare" } } },
          { "wait", { ms = 30000 } }), DONE }
        assert.equal("healthy", run("calm", { leader = leader }, bare).verdict)
      end)
    end)

    -- Its operator looks at a node that rules found well, and says that this is wrong with it; so does it.
    local function claiming(mechanism, unsaid)
      local operator = model.played { calls { "take_snapshot" }, function(request)
        local seen = results(request)[1].data
        return calls({ "send_notification", { type = "size", context = "c", observation = "ledger is large",
          severity = "warning", snapshot_ids = { seen.id }, root_cause = { object = "ledger", mechanism = mechanism },
          since = "last year",
          evidence = { { observation = seen.id, path = "rows", value = seen.data.rows } } } })
      end, calls { "execute", { code = "return tide_now()" } }, DONE }
      local leader = model.played { calls({ "invoke_operators", { skills = { "tide" } } }, { "wait", { ms = 30000 } }),
        explains { root_cause = { object = "ledger", mechanism = mechanism },
          evidence = { { observation = "o3", path = "rows", value = 700 } } }, DONE }
      if unsaid then leader = model.played { calls({ "invoke_operators", { skills = { "tide" } } },
        { "wait", { ms = 30000 } }), unsaid } end
      return run("calm", { leader = leader, operator = operator }, { mind_more = { destination = "far" } })
    end

    it("has no say in since when it is so", function()
      assert.equal(json.null, claiming("other").insights[1].since)
    end)

    it("may have an operator look, and say what no rule knows", function()
      assert.same({ "sick", "other", "warning" }, cause(claiming "other"))
    end)

    it("that says what rules know and do not see has it lowered, and there is no verdict", function()
      local r = claiming "ets_growth"
      assert.same({ "cannot_tell", "ets_growth", "info" }, cause(r))
      assert.matches("its figures stand, and it was set aside: ets_growth was not to be seen", r.would_tell[1])
    end)

    it("whose operator says that, and who concludes nothing of it, has it lowered too", function()
      assert.same({ "cannot_tell", "ets_growth", "info" }, cause(claiming("ets_growth", DONE)))
    end)

    it("whose operator says that, and who is lost then, has it lowered too", function()
      assert.same({ "cannot_tell", "ets_growth", "info" }, cause(claiming("ets_growth", function()
        return nil, { class = "fatal", message = "the key is not valid" }
      end)))
    end)
  end)

  describe("a doubt", function()
    it("is asked of one who sees the cause alone, and nothing of it in our words", function()
      local one = model.played { calls { "stands" } }
      run("flood", { leader = model.played { DONE }, doubter = one })
      local asked = one.asked[1]
      local claim = json.decode(asked.messages[3].results[1].text)
      assert.same({ "ets_growth", "node", "large_stable" },
        { claim.root_cause.mechanism, claim.trust, claim.look_alikes[1].mechanism })
      assert.is_nil((asked.system .. asked.messages[1].text):find("ledger", 1, true))
      assert.same({ 1, 3 }, { #one.asked, #asked.messages })
    end)

    it("that a second look does not bear out confirms the cause, and says with which figure", function()
      local r = run("flood", { leader = model.played { DONE }, doubter = doubter "flood" })
      assert.same(FOUND, cause(r))
      local last = r.insights[1].considered[#r.insights[1].considered]
      assert.equal("ets_table_leak", last.mechanism)
      assert.matches("^doubted, and not there at a second look, which showed ets_growth again: rows = 700",
        last.why_not)
      assert.matches("; rows of tide_rows is 700 %(o%d+%)$", last.why_not)
    end)

    it("that a second look bears out puts what it shows in the place of the cause", function()
      local r = run("flood", { leader = model.played { DONE }, doubter = doubter "ebb" })
      assert.same({ "sick", "ets_table_leak", "warning" }, cause(r))
      assert.same({ 1, "ledger has 700 rows, by ets_table_leak" }, { #r.insights, r.insights[1].summary })
    end)

    it("is kept as it came out", function()
      local path = folder .. "/store.db"
      async.run(function()
        local kept = assert(journal.open { store = path, retention = { runs_days = 90, events_days = 7 } })
        turn "flood"
        local mind = model.mind({}, model.played { DONE })
        mind.cheap = function() return doubter "flood" end
        kept:ended(assert(coordinator.run { node = at.node, skills = skills, mind = mind, gate = gate.new {},
          deadline = async.now() + 60, strategy = assert(strategy.open "hybrid"), journal = kept }))
      end)
      local db = assert(database.open(path))
      local rows = assert(db:rows [[select mechanism, operators, body like '%doubted, and not there%' as doubted
        from insights]])
      db:close()
      store.close_all()
      assert.same({ { mechanism = "ets_growth", operators = '["tide"]', doubted = 1 } }, rows)
    end)

    it("after which nothing is to be seen any more leaves no verdict", function()
      local r = run("flood", { leader = model.played { DONE }, doubter = doubter "calm" })
      assert.same({ "cannot_tell", "ets_growth", "info" }, cause(r))
      assert.matches("was not to be seen when it was looked for again", r.would_tell[1])
    end)

    it("in words without a look of ours changes nothing", function()
      for _, odd in ipairs { { callback = "tide_clean" }, { callback = "rm" }, { mechanism = "ets_growth" } } do
        assert.same(FOUND, cause(run("flood", { leader = model.played { DONE }, doubter = doubter("calm", odd) })))
      end
    end)

    it("whose own look fails is decided by the checks all the same", function()
      local r = run("flood", { leader = model.played { DONE }, doubter = doubter("ebb", { arguments = { 7 } }) })
      assert.same({ "sick", "ets_table_leak", "warning" }, cause(r))
    end)

    -- How the doubts of a run came out.
    local function outcomes(fn)
      local list = {}
      local off = telemetry.on("coordinator.doubted", function(_, _, about) list[#list + 1] = about.outcome end)
      fn()
      off()
      return list
    end

    it("of one who cannot be asked leaves the cause as it was, and is told", function()
      local gone = model.played { function() return nil, { class = "fatal", message = "no such model" } end }
      local r
      assert.same({ "not_asked" }, outcomes(function()
        r = run("flood", { leader = model.played { DONE }, doubter = gone })
      end))
      assert.same({ json.null, unpack(FOUND) }, { r.incomplete, unpack(cause(r)) })
    end)

    it("that cannot be looked at changes nothing, and is told", function()
      local r
      local one = model.played { function()
        at.eval "ets:delete(tide, word)."
        return calls { "refute", { mechanism = "ets_table_leak", callback = "tide_rows", why = "so" } }
      end }
      assert.same({ "not_made" }, outcomes(function()
        r = run("flood", { leader = model.played { DONE }, doubter = one })
      end))
      assert.same(FOUND, cause(r))
    end)

    it("is not asked for where nothing was found", function()
      local one = model.played { calls { "stands" } }
      run("calm", { leader = model.played { DONE }, doubter = one })
      assert.equal(0, #one.asked)
    end)
  end)

  it("tells what it does in its order", function()
    local heard, told = {}, { ["coordinator.started"] = true, ["operator.notification_sent"] = true,
      ["coordinator.insight_produced"] = true, ["coordinator.insight_explained"] = true, ["coordinator.done"] = true,
      ["coordinator.doubted"] = true }
    local off = telemetry.on("*", function(event) heard[#heard + 1] = told[event] and event or nil end)
    run("flood", { leader = model.played { explains() }, doubter = model.played { calls { "stands" } } })
    off()
    assert.same({ "coordinator.started", "operator.notification_sent", "coordinator.insight_produced",
      "coordinator.insight_explained", "coordinator.done", "coordinator.doubted" }, heard)
  end)

  it("is the usual one where a model thinks, and not where rules do", function()
    assert.same({ "hybrid", "agent_loop" }, { strategy.usual { name = "anthropic" },
      strategy.usual(assert(llm.choose { provider = "analyst" })) })
  end)
end)
