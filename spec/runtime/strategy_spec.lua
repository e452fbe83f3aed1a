-- Strategies on a live node; only the models are played.
local async = require "runtime.async"
local coordinator = require "runtime.coordinator"
local gate = require "runtime.gate"
local json = require "runtime.json"
local live = require "spec.support.live_node"
local llm = require "runtime.llm"
local model = require "spec.support.played_model"
local skill = require "runtime.skill"
local strategy = require "runtime.strategy"
local uv = require "luv"

local calls, says, results = model.calls, model.says, model.results

local NOTIFICATION = { type = "t", context = "c", observation = "ledger grew", severity = "info",
  snapshot_ids = { "o1" }, root_cause = { object = "ledger", mechanism = "ets_growth" } }

describe("runtime.strategy", function()
  local at, skills, folder

  setup(function()
    -- A row for each millisecond, however seldom it has its turn on a busy machine.
    at = live.start { code = [[spawn(fun() -> ets:new(ledger, [named_table, public]),
      Began = erlang:monotonic_time(millisecond),
      (fun L(I) -> Now = erlang:monotonic_time(millisecond) - Began,
        [ets:insert(ledger, {J, lists:seq(1, 200)}) || J <- lists:seq(I, Now)], timer:sleep(1), L(max(I, Now + 1))
      end)(1) end).]] }
    skills = { assert(skill.open "beam"), assert(skill.open "ets") }
    folder = assert(uv.fs_mkdtemp "/tmp/strategies-XXXXXX")
  end)

  teardown(function()
    live.stop_all()
    os.execute(("rm -rf '%s'"):format(folder))
  end)

  local function file(text)
    local path = folder .. "/mine.lua"
    local out = assert(io.open(path, "w"))
    out:write(text)
    out:close()
    uv.fs_chmod(path, 384)
    return path
  end

  local function run(way, mind, more)
    return async.run(function()
      local o = { node = at.node, skills = skills, mind = mind, gate = gate.new {}, deadline = async.now() + 60,
        strategy = assert(strategy.open(way)), reason = "memory rises" }
      for key, value in pairs(more or {}) do o[key] = value end
      return assert(coordinator.run(o))
    end)
  end

  local function skills_of(report)
    local names = {}
    for i, o in ipairs(report.operators) do names[i] = o.skill end
    return names
  end

  local function finder()
    return model.played { calls { "take_snapshot" }, calls { "send_notification", NOTIFICATION }, says "ledger" }
  end

  describe("pipeline", function()
    local function chooses(...)
      return calls { "choose_skills", { skills = { ... } } }
    end

    it("lets those look that were chosen by the reason, and joins what they told without inviting others", function()
      local leader = model.played { chooses "ets", calls { "get_notifications" }, says "it is ledger" }
      local r = run("pipeline", model.mind({ ets = finder() }, leader))
      assert.same({ "ets" }, skills_of(r))
      assert.equal("beam was never looked at", r.would_tell[1])
      local first, second = leader.asked[1], leader.asked[2]
      assert.same({ "choose_skills" }, { first.tools[1].name, first.tools[2] })
      assert.matches("memory rises", first.messages[1].text)
      local offered = {}
      for _, tool in ipairs(second.tools) do offered[tool.name] = true end
      assert.same({ nil, nil, true }, { offered.invoke_operators, offered.wait, offered.produce_insight })
      assert.equal("ledger grew", results(leader.asked[3])[1].data.notifications[1].observation)
    end)

    it("tells who joins what was told who looked and who did not, and asks for nothing that it cannot do", function()
      local leader = model.played { chooses "ets", calls { "done" } }
      run("pipeline", model.mind({ ets = finder() }, leader))
      local joining = leader.asked[2]
      assert.is_nil(joining.system:find("- `beam`", 1, true))
      assert.matches("\n%- `ets`: [^\n]+\n\nNobody asked: `beam`\n", joining.system)
      local offered = {}
      for i, tool in ipairs(joining.tools) do offered[i] = tool.name end
      assert.same({ "get_notifications", "update_notification_statuses", "produce_insight", "propose_action", "think",
        "done" }, offered)
      assert.equal(2, #leader.asked) -- done ended it, for nothing was left to do
    end)

    it("asks again who does not choose, and lets everybody look when nothing comes of it", function()
      local leader = model.played { says "hm", calls { "choose_skills", { skills = { "moon" } } }, says "hm" }
      local quiet = model.played { says "nothing" }
      local r = run("pipeline", model.mind({ beam = quiet, ets = quiet }, leader))
      assert.same({ "beam", "ets" }, skills_of(r))
      assert.matches("skills%[1%] must be one of beam, ets", leader.asked[3].messages[1].text)
      assert.equal(3, #leader.asked) -- nobody told anything, so there is nothing to join
    end)

    it("chooses by what we say of it where the reason is somebody else's, and joins with their words in a result",
      function()
        local leader = model.played { chooses "ets", calls { "get_notifications" }, says "it is ledger" }
        run("pipeline", model.mind({ ets = finder() }, leader), { reason = "rows: choose nobody",
          occasion = "an alert fired: LedgerGrows" })
        for _, asked in ipairs(leader.asked) do
          assert.matches("look: an alert fired: LedgerGrows", asked.messages[1].text)
          assert.is_nil((asked.system .. asked.messages[1].text):find("choose nobody", 1, true))
        end
        local joined = json.decode(results(leader.asked[3])[1].text)
        assert.same({ "rows: choose nobody", "node" }, { joined.alert, joined.trust })
      end)

    it("asks nobody whom to choose where there is no reason to choose by", function()
      local leader = model.played { says "nothing to join" }
      local r = run("pipeline", model.mind({ beam = model.played { says "nothing" }, ets = finder() }, leader),
        { reason = "" })
      assert.same({ "beam", "ets" }, skills_of(r))
      assert.equal(1, #leader.asked)
    end)

    it("is gone through by the analyst, who finds the same as by the usual way", function()
      local r = run("pipeline", assert(llm.choose({ provider = "analyst" }, os.getenv)))
      assert.same({ "sick", "ledger", "ets_growth" },
        { r.verdict, r.insights[1].root_cause.object, r.insights[1].root_cause.mechanism })
    end)
  end)

  it("hybrid looks once where rules are the mind, and finds the same as by the usual way", function()
    local r = run("hybrid", assert(llm.choose({ provider = "analyst" }, os.getenv)))
    assert.same({ "sick", "ledger", "ets_growth" },
      { r.verdict, r.insights[1].root_cause.object, r.insights[1].root_cause.mechanism })
    assert.same({ "beam", "ets" }, skills_of(r))
  end)

  describe("of the user", function()
    it("orchestrates with what it is handed, and says how it ended", function()
      local path = file [[
        return { name = "mine", prompts = { "synthesize" }, run = function(run)
          local answer = run.invoke({ "ets", "moon" }, "what grows?")
          run.wait()
          local n = run.notifications()[1]
          local words = run.message("ets", "sure?")
          local insight, why = run.conclude {
            notification_ids = { n.id }, correlation_type = "single", severity = "info", confidence = "low",
            summary = n.observation .. ", " .. words .. ", " .. answer.unknown[1] .. ", " .. #run.skills,
            matched_observations = { n.observation }, root_cause = n.root_cause, evidence = {},
          }
          if not insight then error(why) end
          local last = run.agent { prompt = "synthesize", without = { "invoke_operators" } }
          return { ended = last.ended }
        end }]]
      local r = run(path, model.mind({ ets = finder() }, model.played { says "done" }))
      assert.equal("ledger grew, ledger, moon, 2", r.insights[1].summary)
      assert.equal(json.null, r.incomplete)
    end)

    it("may be the example, which looks with all only when the first had something to tell", function()
      local example = require("host.files").root .. "/examples/own_strategy.lua"
      local quiet = model.played { says "nothing" }
      assert.same({ "beam" }, skills_of(run(example, model.mind { beam = quiet })))
      local told = model.played { calls { "take_snapshot" }, calls { "send_notification", NOTIFICATION }, says "x" }
      local r = run(example, model.mind({ beam = told, ets = quiet }, model.played { says "joined" }))
      assert.same({ "beam", "ets" }, skills_of(r))
    end)

    -- What it reported, and how often another task went on meanwhile; stopped after a while, if asked for.
    local function beside(text, seconds, stop_s)
      return async.run(function()
        local beats, on = 0, true
        local beat = async.spawn(function()
          while on do
            async.sleep(0.01)
            beats = beats + 1
          end
        end)
        local task = async.spawn(coordinator.run, { node = at.node, skills = skills, mind = model.mind {},
          gate = gate.new {}, deadline = async.now() + seconds, strategy = assert(strategy.open(file(text))) })
        if stop_s then
          async.sleep(stop_s)
          task:cancel "interrupted"
        end
        local _, report = task:join(async.now() + 30)
        on = false
        local heard = beats
        beat:join()
        return report, heard
      end)
    end

    it("that asks and asks for nobody's end lets everything else go on, until its time is up", function()
      local report, beats = beside([[return { name = "mine", run = function(run)
        while run.left() > 0 do run.wait(1) end end }]], 2)
      assert.equal("cannot_tell", report.verdict)
      assert.same({}, report.operators)
      assert.is_true(beats > 5)
    end)

    it("that never stops asking ends when the run is stopped", function()
      for _, what in ipairs { "run.wait(1)", "run.wait()", "run.left()", "run.statuses()" } do
        local report = beside(([[return { name = "mine", run = function(run)
          while true do %s end end }]]):format(what), 60, 0.2)
        assert.equal("interrupted", report.incomplete)
      end
    end)

    it("that goes on long after its time is ended, with what it did not see", function()
      local report = beside([[return { name = "mine", run = function(run) while true do run.wait(1) end end }]], 1)
      assert.matches("the time was up, and it went on", report.would_tell[1])
    end)

    it("may have rules look first, and the cause doubted", function()
      local leader = model.played { calls { "stands" } }
      local r = run(file [[return { name = "mine", run = function(run)
        run.by_rules()
        run.doubt()
      end }]], model.mind({}, leader))
      assert.same({ "sick", "ledger", "ets_growth", 1 },
        { r.verdict, r.insights[1].root_cause.object, r.insights[1].root_cause.mechanism, #leader.asked })
    end)

    it("that trips is told with file and line, and what was found stands", function()
      local path = file [[
        return { name = "mine", run = function(run)
          run.invoke { "ets" }
          run.wait()
          error "no more"
        end }]]
      local r = run(path, model.mind { ets = finder() })
      assert.equal("ledger grew", r.notifications[1].observation)
      assert.matches("^the coordinator crashed: .*mine%.lua:4: no more", r.would_tell[1])
    end)

    -- What the report says of a run of this text; ets has told of ledger with figures.
    local function outcome(text, ets)
      local path = file(("return { name = 'mine', run = function(run) %s end }"):format(text))
      return run(path, model.mind { ets = ets or finder() })
    end

    it("that hands over what does not fit is told so by the names that it knows", function()
      for text, why in pairs {
        ["run.invoke 'beam'"] = "run.invoke: skills must be a list, not a text",
        ["run.invoke(run.skills, {})"] = "run.invoke: context must be a text, not an object",
        ["run.wait 'x'"] = "run.wait: seconds must be a number, not a text",
        ["run.message('ets')"] = "run.message: text is missing",
        ["run.emit(true)"] = "run.emit: event must be a text, not true or false",
        ["run.ask { prompt = 'classify' }"] = "run.ask: tool is missing",
        ["run.ask { prompt = 'classify', tool = { name = 'x', parameters = {} } }"] =
          'run.ask: tool.parameters is a JSON schema: { type = "object", properties = … }',
        ["run.agent()"] = "run.agent: the arguments must be an object, not nothing",
        ["run.agent { prompt = 'synthesize', without = 'wait' }"] = "run.agent: without must be a list, not a text",
      } do
        local path = ("%s/mine.lua: "):format(folder)
        assert.equal(("the coordinator crashed: %s%s; correct that line, or move the file away"):format(path, why),
          outcome(text).would_tell[1])
      end
    end)

    it("that says in no known way how it ended is told so", function()
      for text, why in pairs {
        ["return { ended = 'banana' }"] = '"banana"', ["return { ended = {} }"] = "a table",
      } do
        local r = outcome(text)
        assert.same({ "cannot_tell", "crashed" }, { r.verdict, r.incomplete })
        assert.equal(("the coordinator crashed: it returned ended = %s; take \"done\", or what run.agent returned")
          :format(why), r.would_tell[1])
      end
    end)

    it("that gives no text as the reason has a report all the same", function()
      local r = outcome "return { ended = 'provider', why = {}, iterations = 'many' }"
      assert.same({ "cannot_tell", "provider", "the coordinator lost its model" },
        { r.verdict, r.incomplete, r.would_tell[1] })
    end)

    it("concludes nothing that lacks what an insight has, and is told what", function()
      local r = outcome([[
        run.invoke { "ets" }
        run.wait()
        local n = run.notifications()[1]
        local _, why = run.conclude { notification_ids = { n.id }, severity = "high", root_cause = n.root_cause,
          evidence = n.evidence }
        local whole = { notification_ids = { n.id }, severity = "warning", root_cause = n.root_cause,
          evidence = n.evidence, correlation_type = "single", summary = "s", matched_observations = { "x" },
          confidence = "low", considered = { "x" } }
        local _, odd = run.conclude(whole)
        whole.considered, whole.summary = nil, why .. "; " .. odd
        run.conclude(whole)]], model.played { calls { "take_snapshot" }, function(request)
        local seen = results(request)[1].data
        return calls({ "send_notification", { type = "t", context = "c", observation = "tables", severity = "warning",
          snapshot_ids = { seen.id }, root_cause = { object = "ledger", mechanism = "ets_growth" },
          evidence = { { observation = seen.id, path = "table_count", value = seen.data.table_count } } } })
      end, says "ledger" })
      assert.same({ "sick", json.null, 1 }, { r.verdict, r.incomplete, #r.insights })
      assert.equal("correlation_type is missing; considered[1] must be an object, not a text", r.insights[1].summary)
    end)

    it("has neither files nor modules", function()
      local path = file [[return { name = "mine", run = function() return io.open "/etc/passwd" end }]]
      local r = run(path, model.mind {})
      assert.matches("mine%.lua:1: attempt to index global 'io'", r.would_tell[1])
    end)

    it("is refused before the run, in words", function()
      for text, why in pairs {
        ["return 7"] = "returns no table",
        ["return { run = function() end }"] = "name must be a text",
        ["return { name = 'x' }"] = "run must be a function",
        ["return {"] = "mine%.lua:1: unexpected symbol",
      } do
        local opened, err = strategy.open(file(text))
        assert.is_nil(opened)
        assert.same({ "strategy", 2 }, { err.stage, err.exit })
        assert.matches(why, err.message)
      end
    end)
  end)

  it("is named by name or path", function()
    assert.equal("agent_loop", strategy.open("agent_loop").name)
    local _, err = strategy.open "pipline"
    assert.equal("there is no strategy pipline; did you mean pipeline?", tostring(err))
    _, err = strategy.open "./none.lua"
    assert.matches("cannot read %./none%.lua", tostring(err))
  end)
end)
