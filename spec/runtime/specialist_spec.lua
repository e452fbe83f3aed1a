-- The strategy `specialist` on a live node: what it finds first, its plan, what a person allows of it, a trace that a
-- node does not bear. Only the models are played.
local async = require "runtime.async"
local coordinator = require "runtime.coordinator"
local gate = require "runtime.gate"
local handoff = require "runtime.handoff"
local live = require "spec.support.live_node"
local llm = require "runtime.llm"
local model = require "spec.support.played_model"
local program = require "spec.support.program"
local pty = require "spec.support.pty"
local report = require "runtime.report"
local skill = require "runtime.skill"
local strategy = require "runtime.strategy"

-- `work` is called a hundred times a second and is all that the node does.
local CODE = [=[
  Forms = [element(2, erl_parse:parse_form(element(2, erl_scan:string(L)))) || L <- [
    "-module(shop).", "-export([work/1]).",
    "work(N) -> erlang:phash2(lists:seq(1, 5000)), receive after 10 -> work(N + 1) end."]],
  {ok, M, Code} = compile:forms(Forms, []),
  {module, M} = code:load_binary(M, "shop.erl", Code),
  register(worker, spawn(shop, work, [0])).]=]

-- From when the trace is on: so many for each scheduler that never rest, and so many times 16 MB, one by one, for that
-- is no work.
local SUFFER = [=[
  On = fun() -> erlang:trace_info({shop, work, 1}, traced) =/= {traced, false} end,
  Storm = fun() ->
    All = Busy * erlang:system_info(schedulers_online),
    L = [spawn(fun() -> (fun B(N) -> B(N + 1) end)(0) end) || _ <- lists:seq(1, All)],
    Mb = binary:copy(<<0>>, 1048576),
    M = [timer:sleep(10) =:= ok andalso binary:copy(Mb, 16) || _ <- lists:seq(1, Memory)],
    receive calm -> [exit(P, kill) || P <- L], length(M) end end,
  register(storm, spawn(fun() -> (fun W() -> receive calm -> ok after 50 ->
    case On() of false -> W(); true -> Storm() end end end)() end)).]=]

local CALM = "R = monitor(process, storm), storm ! calm, receive {'DOWN', R, _, _, _} -> ok end."

local SUFFERING = {
  ["processes wait for their turn"] = { Busy = 30, Memory = 0,
    why = "^%d+ processes wait for one of %d+ schedulers, %d+ may %(o%d+%)$" },
  ["a scheduler gets full"] = { Busy = 2, Memory = 0,
    why = "^a scheduler is busy %d+ %% of its time, and was %d+ %% %(o%d+%)$" },
  ["memory climbs"] = { Busy = 0, Memory = 8, why = "^memory went from %d+ to %d+ MB$" },
}

local TRACE = "trace who calls the hottest function of the node's own"

local calls, says = model.calls, model.says

describe("the strategy specialist", function()
  local at, skills

  setup(function()
    at = live.start { code = CODE }
    skills = { assert(skill.open "ets") }
  end)

  teardown(live.stop_all)

  local function analyst() return assert(llm.choose({ provider = "analyst" }, os.getenv)) end

  local function run(more)
    return async.run(function()
      local o = { node = at.node, skills = { unpack(skills) }, mind = analyst(), gate = gate.new {},
        deadline = async.now() + 120, strategy = assert(strategy.open "specialist") }
      for key, value in pairs(more or {}) do o[key] = value end
      return assert(coordinator.run(o))
    end)
  end

  local function step_of(r, what)
    for _, step in ipairs(r.specialist.plan) do
      if step.what == what then return step end
    end
  end

  local function traced()
    return async.run(function()
      return at.eval [[unicode:characters_to_binary(io_lib:format("~0p", [erlang:trace_info({shop, work, 1}, all)])).]]
    end)
  end

  local function environment()
    return { HOME = at.home, XDG_STATE_HOME = at.home .. "/state", XDG_CONFIG_HOME = at.home,
      ERL_EPMD_PORT = tostring(at.epmd_port), BEAMLENS_STRATEGY = "specialist" }
  end

  describe("allowed to trace", function()
    local r

    setup(function() r = run { gate = gate.new { allow = { "caution" } } } end)

    it("says first what runs there, by reads alone", function()
      local facts = {}
      for _, row in ipairs(r.specialist.phase_zero) do facts[row.name] = row end
      assert.matches("^OTP %d+, emulator [%d.]+ %(%a+%)$", facts.release.says)
      assert.matches("^kernel [%d.]+", facts.apps.says)
      assert.matches("kernel_sup with %d+ children", facts.supervised.says)
      assert.matches("shop:work/1 %d+%%", facts.hot.says)
    end)

    it("has a plan whose steps say class, cost and end", function()
      local step = step_of(r, TRACE)
      assert.same({ "CAUTION", "trace_start(shop, work, 1)" }, { step.class, step.calls[1] })
      assert.matches("sets a flag on every process once", step.cost, 1, true)
      assert.is_nil(step.cost:find "nothing") -- what costs nothing is no cost
      assert.matches("as soon as the node suffers", step.ends, 1, true)
      assert.same({ "SAFE", "done" }, { r.specialist.plan[1].class, r.specialist.plan[1].state })
    end)

    it("traces, and leaves the node as it was", function()
      local step = step_of(r, TRACE)
      assert.same({ "done", "shop:work/1" }, { step.state, step.result.tracing })
      assert.is_true(#step.result.calls > 0)
      assert.equal("{all,false}", traced())
    end)

    it("gives guidance by what the facts show, each with a figure", function()
      local telemetry
      for _, item in ipairs(r.specialist.guidance) do
        if item.text:find("^no application telemetry") then telemetry = item end
      end
      assert.same({ "telemetry", "apps_list", "running_count" },
        { telemetry.area, telemetry.figures[1].callback, telemetry.figures[1].path })
    end)

    it("is told in the text and in Markdown", function()
      local text = report.text(r)
      assert.matches("plan       SAFE the usual skills look", text, 1, true)
      assert.matches("shop:work/1 was called by <", text, 1, true)
      local markdown = handoff.text(r)
      for _, head in ipairs { "Phase zero", "Instrumentation plan", "Guidance" } do
        assert.matches("\n## " .. head .. "\n", markdown, 1, true)
      end
    end)
  end)

  it("never traces where nobody allowed it and nobody can be asked", function()
    local r = run()
    local step = step_of(r, TRACE)
    assert.equal("refused", step.state)
    assert.matches("was not allowed for this run", step.why, 1, true)
    assert.is_nil(step.result)
    assert.equal("healthy", r.verdict) -- the usual looks stand by themselves
  end)

  -- Its plan without the usual looks: they take their time and trace nothing.
  local function traces_alone()
    local ours = assert(strategy.open "specialist")
    return { name = ours.name, also = ours.also, run = function(r)
      r.by_rules = function() end
      return ours.run(r)
    end }
  end

  for what, suffering in pairs(SUFFERING) do
    it(("halts the trace when %s"):format(what), function()
      async.run(function() at.eval(SUFFER, { Busy = suffering.Busy, Memory = suffering.Memory }) end)
      finally(function() async.run(function() at.eval(CALM) end) end)
      local r = run { gate = gate.new { allow = { "caution" } }, strategy = traces_alone() }
      local step = step_of(r, TRACE)
      assert.equal("halted", step.state)
      assert.matches(suffering.why, step.why)
      assert.equal("{all,false}", traced())
    end)
  end

  it("plans no trace where none of the node's own functions is at work", function()
    async.run(function()
      at.eval "register(hold, spawn(fun() -> erlang:suspend_process(whereis(worker)), receive go -> ok end end))."
    end)
    finally(function() async.run(function() at.eval "hold ! go." end) end)
    local planned = {}
    local one = traces_alone()
    run { strategy = { name = one.name, also = one.also, run = function(r)
      r.approve = function(steps)
        for i, step in ipairs(steps) do planned[i] = step.what end
        return {}
      end
      return one.run(r)
    end } }
    assert.equal("the usual skills look, and their checks judge", planned[1])
    assert.is_nil(table.concat(planned, ", "):find(TRACE, 1, true))
  end)

  describe("asked for a yes", function()
    -- What the strategy then looks with, and what it is told.
    local function looked(step, look)
      local asked, shown, why = {}, nil, nil
      run { skills = { assert(skill.open "ets") }, show_person = function(text) shown = text end,
        ask_person = function(text)
          asked[#asked + 1] = text
          return "y"
        end,
        strategy = { name = "x", also = { "tracer" }, run = function(r)
          r.approve { step }
          why = select(2, r.look(look))
          r.look { "trace_stop" }
        end } }
      return why, asked[1], shown
    end

    it("takes it for the call that was shown", function()
      local why = looked({ what = "trace", calls = { { "trace_start", "shop", "work", 1 }, { "trace_stop" } } },
        { "trace_start", "shop", "work", 1 })
      assert.is_nil(why)
    end)

    it("does not take it for the same callback with other arguments", function()
      local why = looked({ what = "trace", calls = { { "trace_start", "shop", "work", 1 }, { "trace_stop" } } },
        { "trace_start", "shop", "module_info", 0 })
      assert.matches("was not allowed for this run", why, 1, true)
    end)

    it("shows what a model calls it in one line, and an argument as one", function()
      local _, asked, shown = looked({ what = "read a figure\n2. SAFE: nothing\27[2J",
        calls = { { "trace_start", "shop), then beam_overview(", "work", 1 } } }, { "trace_stop" })
      assert.equal("step 1, read a figure 2. SAFE: nothing\\x1b[2J: it has a side effect on the running system.", asked)
      assert.matches("1. CAUTION: read a figure 2. SAFE: nothing\\x1b[2J\n"
        .. '   trace_start("shop), then beam_overview(", work, 1)\n', shown, 1, true)
    end)
  end)

  describe("at a terminal", function()
    local function answered(word)
      local running = pty.start({ "coordinator.lua", "--node", at.name, "--skills", "ets", "--quiet" },
        { env = environment() })
      running.see("step 3, " .. TRACE .. ": it has a side effect on the running system.\nRun it? [y/N]")
      local screen = running.screen()
      running.type(word)
      running.wait()
      return running.stdout():gsub("\n +", " "), screen
    end

    it("shows the plan before it asks, and does not trace after n", live.test(function()
      local text, screen = answered "n"
      assert.matches("3. CAUTION: " .. TRACE .. "\n   trace_start(shop, work, 1), then trace_get(), then trace_stop()",
        screen, 1, true)
      assert.matches(TRACE .. ": not run: a person was asked and did not say yes", text, 1, true)
    end))

    it("traces after y", live.test(function()
      assert.matches(TRACE .. ": done shop:work/1 was called by <", (answered "y"), 1, true)
    end))
  end)

  describe("with a model", function()
    local GUIDE = { guidance = {
      { area = "flags", text = "shop could use one scheduler", figures = { { observation = "o4", path = "cores" } } },
      { area = "flags", text = "invented", figures = { { observation = "o4", path = "cats" } } },
    } }

    local leader, r

    setup(function()
      leader = model.played {
        calls { "plan", { steps = { { what = "end it", callback = "kill_process", arguments = { "worker" } } } } },
        says "it is well", calls { "guide", GUIDE },
      }
      r = run { mind = model.mind({ ets = model.played { says "nothing" } }, leader) }
    end)

    it("refuses what it plans and no skill of the run has", function()
      local step = step_of(r, "end it")
      assert.same({ "DANGEROUS", "refused" }, { step.class, step.state })
      assert.matches("no skill of this run has a callback kill_process", step.why, 1, true)
    end)

    it("takes advice whose figure stands", function()
      local of_model = {}
      for _, item in ipairs(r.specialist.guidance) do
        if item.by == "model" then of_model[#of_model + 1] = item.text end
      end
      assert.same({ "shop could use one scheduler" }, of_model)
    end)

    it("shows it what was seen inside a result that is marked as the node's", function()
      local asked = leader.asked[1]
      assert.is_nil((asked.system .. asked.messages[1].text):find("shop:work", 1, true))
      local result = model.results(asked)[1].text
      assert.matches('"trust":"node"', result, 1, true)
      assert.matches("shop:work/1", result, 1, true)
    end)
  end)

  it("goes by a copy of the user's, by the same name", live.test(function()
    local written = program.run({ "init", "strategies/specialist.lua" }, { env = environment() })
    assert.matches("^written: .*/beamlens/strategies/specialist.lua\n$", written.stdout)
    local path = written.stdout:match "written: (.-)\n"
    local file = assert(io.open(path))
    local text = file:read("*a"):gsub("the usual skills look, and their checks judge", "as our house has it", 1)
    file:close()
    file = assert(io.open(path, "w"))
    file:write(text)
    file:close()
    local r = program.run({ "coordinator.lua", "--node", at.name, "--skills", "ets", "--quiet", "--allow",
      "trace_start,trace_get,trace_stop" }, { env = environment() })
    assert.matches("plan       SAFE as our house has it: done", r.stdout, 1, true)
    assert.matches("shop:work/1 was called by <", r.stdout, 1, true)
  end))
end)
