-- What stands behind a long mailbox, on a live node.
local crowd = require "spec.support.crowd"
local live = require "spec.support.live_node"
local mailboxes = require "spec.support.mailboxes"
local skill = require "runtime.skill"

local overload = assert(skill.open "overload")
local between = crowd.between

local BOTH_CALL = [[
  lists:all(fun(P) -> element(2, process_info(whereis(P), current_function)) =:= {gen, do_call, 4} end, [a, b]).]]

describe("overload skill, who waits for whom", function()
  local t, eval, callback

  setup(function()
    t = mailboxes.start(overload)
    eval, callback = t.eval, t.callback
  end)

  after_each(function() t:clear() end)
  teardown(function() live.stop_all() end)

  describe("a chain of servers", function()
    before_each(live.test(function()
      eval [[
        Calls = fun(Next) -> fun() -> receive _ -> gen_server:call(Next, go, infinity) end end end,
        crowd:start(c, fun() -> receive _ -> crowd:idle() end end), crowd:start(b, Calls(c)), crowd:start(a, Calls(b)),
        [a ! N || N <- lists:seq(1, 2000)], [P ! N || P <- [b, c], N <- lists:seq(1, 100)], ok.]]
      t:wait_for(BOTH_CALL)
    end))

    it("is followed from the full mailbox to who waits for nobody", live.test(function()
      local found = callback.overload_cascade_detection()
      assert.same({ true, 1, 3, false, "c" },
        { found.detected, found.total, found.chains[1].depth, found.chains[1].cycle, found.chains[1].root })
      local names = {}
      for i, link in ipairs(found.chains[1].links) do names[i] = link.name end
      assert.same({ "a", "b", "c" }, names)
      assert.same({ "b", eval "list_to_binary(pid_to_list(whereis(b))).", true, 1999 },
        { found.chains[1].links[1].waits_for_name, found.chains[1].links[1].waits_for, found.chains[1].links[1].sure,
          found.chains[1].links[1].message_queue })
    end))

    it("is a cascade whose end is the bottleneck", live.test(function()
      local state = callback.overload_state()
      assert.same({ "sustained", "cascade", "c" }, { state.severity, state.type, state.bottleneck_location })
    end))

    it("blocks its first downstream", live.test(function()
      local found = callback.overload_bottleneck()
      assert.same({ "downstream_blocking", "b", "high" },
        { found.bottleneck_type, found.location, found.confidence })
      assert.matches("it handles a message and waits for b", found.evidence[2])
    end))

    it("is a cycle where the last calls the first, and is told once", live.test(function()
      eval [[crowd:stop(c), crowd:stop(b), crowd:stop(a), Calls = fun(Next) -> fun() ->
          receive _ -> gen_server:call(Next, go, infinity) end end end,
        crowd:start(a, Calls(b)), crowd:start(b, Calls(a)), [P ! N || P <- [a, b], N <- lists:seq(1, 500)], ok.]]
      t:wait_for(BOTH_CALL)
      local found = callback.overload_cascade_detection()
      assert.same({ 1, true, 2 }, { found.total, found.chains[1].cycle, found.chains[1].depth })
    end))
  end)

  it("finds among several monitored the one that is waited for, and says that it is not sure", live.test(function()
    eval [[crowd:start(c, fun() -> receive never -> ok end end), crowd:start(b, fun crowd:idle/0),
      crowd:start(a, fun() -> monitor(process, whereis(b)), receive _ -> gen_server:call(c, go, infinity) end end),
      [a ! N || N <- lists:seq(1, 200)], ok.]]
    t:wait_for "element(2, process_info(whereis(a), current_function)) =:= {gen, do_call, 4}."
    local row = callback.overload_bottleneck().processes[1]
    assert.same({ "a", "c", false }, { row.name, row.waits_for_name, row.sure })
  end))

  it("tells a process that works from one that waits", live.test(function()
    eval "crowd:start(engine, fun() -> crowd:spin(0) end)."
    t:send("engine", 5000)
    local found = callback.overload_bottleneck()
    assert.same({ "cpu_bound", "engine", "high" }, { found.bottleneck_type, found.location, found.confidence })
    assert.matches("it ran or wanted to in %d+ %% of the samples", found.evidence[2])
    between(60, found.processes[1].running_pct, 100)
  end))

  it("tells many callers of one server as contention for it", live.test(function()
    eval [[crowd:start(shop, fun() -> (fun L() -> receive _ -> lists:seq(1, 100), erlang:yield(),
        receive after 20 -> L() end end end)() end),
      [spawn(fun() -> crowd:idle(gen_server:call(shop, buy, infinity)) end) || _ <- lists:seq(1, 500)], ok.]]
    t:wait_for "element(2, process_info(whereis(shop), message_queue_len)) > 200."
    local found = callback.overload_bottleneck()
    assert.same({ "contention", "shop" }, { found.bottleneck_type, found.location })
    assert.matches("%d+ processes monitor it, as callers do", found.evidence[2])
  end))

  it("plans the harmless first, and says of each step what it may cost", live.test(function()
    eval "crowd:start(engine, fun() -> crowd:spin(0) end)."
    t:send("engine", 5000)
    local plan, risks = callback.overload_remediation_plan(), {}
    for i, step in ipairs(plan.steps) do risks[i] = step.risk end
    assert.same({ "SAFE", "SAFE", "CAUTION", "DANGEROUS" }, risks)
    assert.same({ "cpu_bound", "engine" }, { plan.bottleneck_type, plan.location })
    assert.matches("end engine and let its supervisor", plan.steps[4].text)
    assert.equal("5000 messages lie there", plan.steps[4].why)
  end))

  it("plans nothing where nothing is held up", live.test(function()
    local plan = callback.overload_remediation_plan()
    assert.same({ 1, "SAFE" }, { #plan.steps, plan.steps[1].risk })
    assert.matches("nothing to do", plan.steps[1].text)
  end))
end)
