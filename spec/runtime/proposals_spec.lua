-- What a model may do about actions: put one on the list, and no more. The node, the store and the
-- operators are real, only the model is played.

local actions = require "runtime.actions"
local approval = require "runtime.approval"
local async = require "runtime.async"
local coordinator = require "runtime.coordinator"
local gate = require "runtime.gate"
local live = require "spec.support.live_node"
local model = require "spec.support.played_model"
local operator = require "runtime.operator"
local report = require "runtime.report"
local skill = require "runtime.skill"
local state_home = require "spec.support.state_home"
local victim = require "spec.support.victim"

local calls, results = model.calls, model.results

local function proposal(action, args, reason)
  return { "propose_action", { action = action, arguments = args, reason = reason or "it floods" } }
end

local KILL = proposal("kill_process", { process = "victim" }, "9,780 messages stand in its queue")

describe("a model that proposes", function()
  local at, beam

  setup(function()
    at = live.start()
    beam = assert(skill.open "beam")
  end)
  teardown(live.stop_all)
  before_each(function()
    state_home.open()
    async.run(victim.start, at)
  end)
  after_each(state_home.close)

  local function options(played, more)
    local o = { node = at.node, skill = beam, skills = { beam }, mind = model.mind({ beam = played }, played),
      gate = gate.new {}, deadline = async.now() + 60 }
    for key, value in pairs(more or {}) do o[key] = value end
    return o
  end

  -- Plays these turns, then `done`, and returns the report and what the tools answered in each turn.
  local function play(turns, more)
    local answers, all = {}, {}
    for i, turn in ipairs(turns) do
      all[i] = function(request)
        answers[i - 1] = results(request)
        return turn
      end
    end
    all[#turns + 1] = function(request)
      answers[#turns] = results(request)
      return calls({ "done" }, { "done" })
    end
    local r = assert(operator.run(options(model.played(all), more)))
    return r, answers
  end

  it("puts it on the list, and nothing is done", live.test(function()
    local r, answers = play { calls(KILL) }
    assert.same({ "a1", "victim", "DANGEROUS", "it stands on the list; nothing was done" },
      { answers[1][1].data.id, answers[1][1].data.object, answers[1][1].data.class, answers[1][1].data.note })
    local a = r.actions[1]
    assert.same({ "a1", "kill_process", { process = "victim", reason = "kill" }, "DANGEROUS", "victim", "proposed",
      "9,780 messages stand in its queue", { kind = "operator", name = "beam", model = "played" } },
      { a.id, a.action, a.arguments, a.class, a.object, a.state, a.reason, a.by })
    assert.equal(0, victim.count(at))
    assert.equal("proposed", state_home.told "a1")
  end))

  it("may be the coordinator too", live.test(function()
    local played = model.played { calls(KILL), calls { "done" }, calls { "done" } }
    local r = assert(coordinator.run(options(played)))
    assert.same({ "a1", { kind = "coordinator", model = "played" } }, { r.actions[1].id, r.actions[1].by })
    assert.equal(0, victim.count(at))
  end))

  it("shows in the text of the report how to approve it", live.test(function()
    local text = report.text((play { calls(KILL) }))
    assert.matches("a1  kill_process victim  DANGEROUS\n   state      nothing was done; a person decides\n"
      .. '   because    "9,780 messages stand in its queue"\n   approve it beamlens-run actions approve a1\n',
      text, 1, true)
  end))

  it("has what became of it by the end of the run", live.test(function()
    local decided -- by a person, while the run goes on
    local played = model.played {
      calls(KILL),
      function()
        local p = assert(actions.get(assert(actions.store {}), "a1"))
        p = assert(actions.approve(p, assert(approval.key {})))
        decided = assert(actions.perform(at.node, p, { kind = "person" }))
        return calls({ "done" }, { "done" })
      end,
    }
    local r = assert(operator.run(options(played)))
    assert.equal("verified", decided.state)
    assert.same({ "verified", "it has ended, and nobody starts it again" },
      { r.actions[1].state, r.actions[1].outcome.message })
  end))

  it("is told the second time that it stands already", live.test(function()
    local r, answers = play { calls(KILL), calls(KILL) }
    assert.same({ false, 1 }, { answers[2][1].ok, #r.actions })
    assert.matches("this stands already, as a1", answers[2][1].text, 1, true)
  end))

  it("is refused the sixth", live.test(function()
    local turn = {}
    for i = 1, 6 do turn[i] = proposal("kill_process", { process = "victim" .. i }) end
    at.eval [[ [register(list_to_atom("victim" ++ integer_to_list(I)), spawn(fun() -> receive stop -> ok end end))
      || I <- lists:seq(1, 6)].]]
    local one_by_one = {}
    for i = 1, 6 do one_by_one[i] = calls(turn[i]) end
    local r, answers = play(one_by_one)
    assert.equal(5, #r.actions)
    assert.matches("5 actions were proposed in this run, and more are not taken", answers[6][1].text, 1, true)
  end))

  it("is refused the sixth of one answer too", live.test(function()
    local turn = {}
    for i = 1, 6 do turn[i] = proposal("set_system_flag", { flag = "fullsweep_after", value = 100 + i }) end
    local r, answers = play { calls(unpack(turn)) }
    local taken = 0
    for _, answer in ipairs(answers[1]) do taken = taken + (answer.ok and 1 or 0) end
    assert.same({ 5, 5 }, { taken, #r.actions })
  end))

  it("is told what an action takes, and what is not to be touched", live.test(function()
    local _, answers = play {
      calls(proposal("kil_process", { process = "victim" })),
      calls(proposal("gc_process", { table = "victim" })),
      calls(proposal("kill_process", { process = "init" })),
      calls(proposal("put_back", { table = "victim" })),
    }
    local said = {}
    for i = 1, 4 do
      assert.is_false(answers[i][1].ok)
      said[i] = answers[i][1].text
    end
    assert.matches("there is no action kil_process; did you mean kill_process?", said[1], 1, true)
    assert.matches("gc_process takes no table; it takes process\\ngc_process(process), CAUTION: Collects one process",
      said[2], 1, true)
    assert.matches("kill_process: ", said[3], 1, true)
    assert.matches("put_back only undoes what another action did", said[4], 1, true)
  end))

  it("has no other tool for it: none that approves, rejects or does", live.test(function()
    local r, answers = play {
      calls(KILL),
      calls({ "approve_action", { id = "a1" } }, { "approve", { id = "a1" } }, { "perform_action", { id = "a1" } },
        { "actions", { approve = "a1" } }, { "eval", { code = "exit(whereis(victim), kill)." } }),
      calls({ "execute", { code = 'return kill_process("victim")' } },
        { "execute", { code = 'return propose_action("kill_process", { process = "victim" })' } },
        { "execute", { code = 'return require("runtime.actions")' } }),
      calls({ "propose_action", { action = "kill_process", arguments = { process = "victim" }, reason = "x",
        approved = true, approval = { approver = "root", mac = ("0"):rep(64) } } }),
    }
    for turn = 2, 4 do
      for _, answer in ipairs(answers[turn]) do assert.is_false(answer.ok, answer.text) end
    end
    assert.same({ "a1", "proposed" }, { r.actions[1].id, r.actions[1].state })
    assert.equal(0, victim.count(at))
    assert.equal("proposed", state_home.told "a1")
  end))

  it("may keep it to the run alone", live.test(function()
    local r = play({ calls(KILL) }, { store = ":memory:" })
    assert.equal("proposed", r.actions[1].state)
    assert.is_nil(require("luv").fs_stat(state_home.path "beamlens.db"))
  end))
end)
