-- Overload on a live node: what should happen between two looks happens in their pause, which is shorter here;
-- where a consumer is slower than its producer the looks are made in real time.
local async = require "runtime.async"
local crowd = require "spec.support.crowd"
local live = require "spec.support.live_node"
local sampler = require "runtime.sampler"
local skill = require "runtime.skill"

local overload = assert(skill.open "overload")
local between, find = crowd.between, crowd.find

-- Takes as many messages as it is told, when it is told.
local TAKER = [[crowd:start(desk, fun() -> (fun L() -> receive {take, K, R} ->
  [receive {noise, _} -> ok end || _ <- lists:seq(1, K)], R ! done, L() end end)() end), ok.]]

-- Three hundred whose mailboxes swing between 460 and 535 for ever, so that at each turn others are among the 50
-- longest.
local SWINGS = [[L = [spawn(fun() -> (fun L() -> receive {to, N, R} ->
    {_, Q} = process_info(self(), message_queue_len),
    if Q < N -> [self() ! x || _ <- lists:seq(Q + 1, N)]; true -> [receive x -> ok end || _ <- lists:seq(N + 1, Q)] end,
    R ! done, L() end end)() end) || _ <- lists:seq(1, 300)],
  persistent_term:put(swings, lists:zip(lists:seq(1, 300), L)).]]
local TURN = [[L = persistent_term:get(swings), [P ! {to, 460 + (I * 53 + K * 31) rem 76, self()} || {I, P} <- L],
  [receive done -> ok end || _ <- L], ok.]]

describe("overload skill", function()
  local at, eval, callback, real, during, past

  local function send(name, count)
    eval(("[%s ! {noise, N} || N <- lists:seq(1, %d)], ok."):format(name, count))
  end

  -- Does this at each pause: one step each, nothing when they are used up.
  local function steps(list)
    during = function()
      local step = table.remove(list, 1)
      if step then step() end
    end
  end

  local function wait_for(text)
    local deadline = async.now() + 30
    while not eval(text) and async.now() < deadline do async.sleep(0.01) end
    assert.is_true(eval(text))
  end

  setup(function()
    at = live.start { args = { "+S", "2:2" } }
    eval = at.eval
    local node = { query = at.node.query, history = function() return past or {} end,
      sleep = function()
        if not during then return end
        async.sleep(0.2) -- a pace is of windows that are alike, so they are longer than what is done in them
        during()
      end }
    callback, real = skill.functions(overload, node), skill.functions(overload, at.node)
    live.test(function() crowd.load(at) end)()
  end)

  before_each(function() during, past = nil, nil end)
  after_each(live.test(function()
    eval "[crowd:stop(X) || X <- [sink, pond, desk, tap, a, b, c, engine, shop]], ok."
  end))
  teardown(function() live.stop_all() end)

  it("sums all mailboxes up in its snapshot", live.test(function()
    eval "crowd:deaf(sink, 50000), crowd:deaf(pond, 1001), crowd:deaf(desk, 1000)."
    assert.same({ total_queue_size = 52001, queues_over_1000 = 2, queues_over_10000 = 1, max_queue_size = 50000 },
      skill.snapshot(overload, at.node))
  end))

  it("finds nothing on an idle node", live.test(function()
    local state = callback.overload_state()
    assert.same({ "none", "none", "none", 0, 4 },
      { state.severity, state.type, state.pattern, state.affected_processes, state.looks })
    assert.is_nil(state.bottleneck_location)
    assert.is_nil(state.time_to_crash_estimate_seconds)
    assert.equal("none", callback.overload_queue_analysis().growth_pattern)
  end))

  describe("a mailbox of 50,000 messages that nobody empties", function()
    before_each(live.test(function() eval "crowd:deaf(sink, 50000)." end))

    it("is sustained, not growing, and found by name", live.test(function()
      local state = callback.overload_state()
      assert.same({ "sustained", "one_mailbox", "steady", "sink", 1, 50000, 50000, 0 },
        { state.severity, state.type, state.pattern, state.bottleneck_location, state.affected_processes,
          state.total_queue_depth, state.max_queue_size, state.growth_per_sec })
      assert.equal("crowd:idle/0", state.longest[1].current_function)
    end))

    it("is critical when it gains at every look as well", live.test(function()
      during = function() send("sink", 2000) end
      local state = callback.overload_state()
      assert.same({ "critical", "growing", 56000 }, { state.severity, state.pattern, state.max_queue_size })
    end))

    it("is in the percentiles of all processes for what it is, one of many", live.test(function()
      local q = callback.overload_queue_analysis()
      local count = eval "erlang:system_info(process_count)."
      assert.near(count, q.process_count, 1)
      assert.same({ p50 = 0, p90 = 0, p95 = 0, p99 = 50000, max = 50000 }, q.percentiles)
      assert.same({ 50000, 1, 1, 1, 1, "sink", 50000 }, { q.total_queue_size, q.nonempty, q.total, q.showing,
        q.queues_over_10000, q.processes[1].name, q.processes[1].message_queue })
    end))

    it("is told as one whose process takes nothing, where no cause can be seen", live.test(function()
      local found = callback.overload_bottleneck()
      assert.same({ "unknown", "sink", "low" }, { found.bottleneck_type, found.location, found.confidence })
      assert.matches("sink has 50000 messages, %+0 in", found.evidence[1])
      assert.matches("waits in crowd:idle/0 and takes no message there", found.evidence[2])
    end))
  end)

  it("calls a burst that drains transient, and does not predict from it", live.test(function()
    eval(TAKER)
    send("desk", 3000)
    local function taken() eval "desk ! {take, 900, self()}, receive done -> ok end." end
    steps { taken, taken, taken }
    local state = callback.overload_state()
    assert.same({ "transient", "draining", "desk", 300 },
      { state.severity, state.pattern, state.bottleneck_location, state.max_queue_size })
    send("desk", 2700)
    steps { taken, taken, taken }
    local prediction = callback.overload_predict_growth()
    assert.same({ "draining", 300 }, { prediction.pattern, prediction.total_queue_size })
    assert.is_nil(prediction.predicted_in_5_minutes)
  end))

  it("still calls a burst transient that was drained to the end while it looked", live.test(function()
    eval "crowd:deaf(sink, 5000)."
    steps { function() eval "crowd:stop(sink)." end }
    local state = callback.overload_state()
    assert.same({ "transient", 0 }, { state.severity, state.total_queue_depth })
  end))

  describe("growth", function()
    before_each(live.test(function() eval "crowd:deaf(sink, 2000)." end))

    it("is called neither growing nor accelerating, far less exponential, after one sample that gained", live.test(
      function()
        steps { function() send("sink", 2000) end }
        assert.equal("fluctuating", callback.overload_queue_analysis().growth_pattern)
        steps { function() send("sink", 4000) end }
        assert.equal("transient", callback.overload_state().severity)
      end))

    it("is called accelerating when each of three windows gained more than the one before", live.test(function()
      steps { function() send("sink", 100) end, function() send("sink", 1000) end,
        function() send("sink", 10000) end }
      assert.equal("accelerating", callback.overload_queue_analysis().growth_pattern)
    end))

    it("is called growing when it goes on at one pace", live.test(function()
      local row = callback.overload_queue_analysis()
      assert.equal("steady", row.growth_pattern)
      during = function() send("sink", 500) end
      local q = callback.overload_queue_analysis()
      assert.equal("growing", q.growth_pattern)
      assert.same({ "sink", 1500, 1 },
        { q.fastest_growing[1].name, q.fastest_growing[1].queue_growth, q.growing_total })
    end))
  end)

  it("calls what goes up and down lasting only where every kept look over a minute was long", live.test(function()
    eval(TAKER)
    send("desk", 3000)
    local function wave()
      steps { function() send("desk", 500) end,
        function() eval "desk ! {take, 500, self()}, receive done -> ok end." end }
      return callback.overload_state().severity
    end
    assert.equal("transient", wave())
    past = { { age = 90, value = { longest = 4000 } }, { age = 20, value = { longest = 1500 } } }
    assert.equal("sustained", wave())
    past = { { age = 90, value = { longest = 4000 } }, { age = 20, value = { longest = 3 } } }
    assert.equal("transient", wave())
  end))

  it("sees in real time a consumer slower than its producer, and what it waits in", live.test(function()
    eval [[crowd:start(desk, fun() -> (fun L() -> receive _ -> timer:sleep(5), L() end end)() end),
      crowd:every(tap, 10, fun() -> [desk ! N || N <- lists:seq(1, 50)] end), ok.]]
    local function length() return eval "element(2, process_info(whereis(desk), message_queue_len))." end
    local from, low = async.now(), length()
    local state = real.overload_state()
    local high, until_then = length(), async.now()
    assert.is_true(state.pattern == "growing")
    assert.equal("desk", state.bottleneck_location)
    between(3, state.seconds, until_then - from)
    between(low, state.max_queue_size, high)
    between(1, state.growth_per_sec * state.seconds, (high - low) * 1.01)
    local found = real.overload_bottleneck()
    assert.same({ "downstream_blocking", "the clock", "medium" },
      { found.bottleneck_type, found.location, found.confidence })
    assert.equal("timer:sleep/1", found.processes[1].stack[1])
    local prediction = real.overload_predict_growth()
    assert.near(prediction.total_queue_size + prediction.growth_per_minute * 5, prediction.predicted_in_5_minutes,
      prediction.predicted_in_5_minutes * 0.01)
    assert.equal("low", prediction.confidence)
  end))

  describe("a crowd of mailboxes that swing", function()
    local turn

    before_each(live.test(function()
      eval(SWINGS)
      turn = 0
      during = function()
        turn = turn + 1
        eval(TURN, { K = turn })
      end
      during()
    end))
    after_each(live.test(function() eval "[exit(P, kill) || {_, P} <- persistent_term:get(swings)], ok." end))

    it("gains nothing, though others are the longest at every look", live.test(function()
      local q = callback.overload_queue_analysis()
      assert.same({ 300, 0, 535 }, { q.nonempty, q.growing_total, q.percentiles.max })
      assert.same({ "none", 0 }, { callback.overload_state().severity, callback.overload_state().affected_processes })
    end))

    it("is not told to have gained what was not seen before", live.test(function()
      local gained = callback.overload_bottleneck().evidence[1]:match "has %d+ messages, %+(%d+) in"
      between(0, tonumber(gained), 20)
    end))

    it("does not hide who does gain", live.test(function()
      eval "crowd:deaf(sink, 400)."
      local swing = during
      during = function()
        swing()
        send("sink", 400)
      end
      local q = callback.overload_queue_analysis()
      assert.same({ 1, "sink" }, { q.growing_total, q.fastest_growing[1].name })
    end))
  end)

  it("predicts from what was kept, and says how long that was", live.test(function()
    eval "crowd:deaf(sink, 3000)."
    past = { { age = 1200, value = { total = 1000, longest = 1000 } },
      { age = 600, value = { total = 2000, longest = 2000 } } }
    during = function() send("sink", 100) end
    local p = callback.overload_predict_growth()
    assert.same({ "growing", 6, 3300 }, { p.pattern, p.looks, p.total_queue_size })
    assert.near(1200, p.seconds, 1)
    assert.near(2300 / 20, p.growth_per_minute, 0.2)
    assert.near(3300 + 5 * 115, p.predicted_in_5_minutes, 2)
    assert.near((10000 - 3300) / 115 * 60, p.seconds_to_10000, 20)
    assert.equal("high", p.confidence)
  end))

  it("stands on what the sampler of the same run has kept", live.test(function()
    local going = sampler.start(at.node, { overload })
    local deadline = async.now() + 30
    while going.asked < 1 and async.now() < deadline do async.sleep(0.01) end
    going:stop()
    local p = real.overload_predict_growth()
    assert.equal(4 + going.asked, p.looks)
    assert.is_true(p.seconds > 3)
  end))

  it("estimates when the memory is full where os_mon knows it, from what it gained", live.test(function()
    local function eat()
      steps { function() eval "crowd:heavy(a, 8000000), ok." end, function() eval "crowd:heavy(b, 8000000), ok." end,
        function() eval "crowd:heavy(c, 8000000), ok." end }
    end
    eat()
    assert.is_nil(callback.overload_state().time_to_crash_estimate_seconds)
    eval "crowd:stop(a), crowd:stop(b), crowd:stop(c), {ok, _} = application:ensure_all_started(os_mon), true."
    local low = eval "element(2, lists:keyfind(available_memory, 1, memsup:get_system_memory_data()))."
    eat()
    local from, memory = async.now(), eval "erlang:memory(total)."
    local state = callback.overload_state()
    local per_second = (eval "erlang:memory(total)." - memory) / (async.now() - from)
    eval "application:stop(os_mon), application:stop(sasl)."
    between(low / per_second / 4, state.time_to_crash_estimate_seconds, low / per_second * 4)
  end))

  describe("a chain of servers", function()
    before_each(live.test(function()
      eval [[
        Calls = fun(Next) -> fun() -> receive _ -> gen_server:call(Next, go, infinity) end end end,
        crowd:start(c, fun() -> receive _ -> crowd:idle() end end), crowd:start(b, Calls(c)), crowd:start(a, Calls(b)),
        [a ! N || N <- lists:seq(1, 2000)], [P ! N || P <- [b, c], N <- lists:seq(1, 100)], ok.]]
      wait_for [[ lists:all(fun(P) -> element(2, process_info(whereis(P), current_function)) =:= {gen, do_call, 4} end,
        [a, b]).]]
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
      wait_for [[ lists:all(fun(P) -> element(2, process_info(whereis(P), current_function)) =:= {gen, do_call, 4} end,
        [a, b]).]]
      local found = callback.overload_cascade_detection()
      assert.same({ 1, true, 2 }, { found.total, found.chains[1].cycle, found.chains[1].depth })
    end))
  end)

  it("finds among several monitored the one that is waited for, and says that it is not sure", live.test(function()
    eval [[crowd:start(c, fun() -> receive never -> ok end end), crowd:start(b, fun crowd:idle/0),
      crowd:start(a, fun() -> monitor(process, whereis(b)), receive _ -> gen_server:call(c, go, infinity) end end),
      [a ! N || N <- lists:seq(1, 200)], ok.]]
    wait_for "element(2, process_info(whereis(a), current_function)) =:= {gen, do_call, 4}."
    local row = callback.overload_bottleneck().processes[1]
    assert.same({ "a", "c", false }, { row.name, row.waits_for_name, row.sure })
  end))

  it("tells a process that works from one that waits", live.test(function()
    eval "crowd:start(engine, fun() -> crowd:spin(0) end)."
    send("engine", 5000)
    local found = callback.overload_bottleneck()
    assert.same({ "cpu_bound", "engine", "high" }, { found.bottleneck_type, found.location, found.confidence })
    assert.matches("it ran or wanted to in %d+ %% of the samples", found.evidence[2])
    between(60, found.processes[1].running_pct, 100)
  end))

  it("tells many callers of one server as contention for it", live.test(function()
    eval [[crowd:start(shop, fun() -> (fun L() -> receive _ -> lists:seq(1, 100), erlang:yield(),
        receive after 20 -> L() end end end)() end),
      [spawn(fun() -> crowd:idle(gen_server:call(shop, buy, infinity)) end) || _ <- lists:seq(1, 500)], ok.]]
    wait_for "element(2, process_info(whereis(shop), message_queue_len)) > 200."
    local found = callback.overload_bottleneck()
    assert.same({ "contention", "shop" }, { found.bottleneck_type, found.location })
    assert.matches("%d+ processes monitor it, as callers do", found.evidence[2])
  end))

  it("plans the harmless first, and says of each step what it may cost", live.test(function()
    eval "crowd:start(engine, fun() -> crowd:spin(0) end)."
    send("engine", 5000)
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

  it("answers to the older names too, which stand in no prompt", live.test(function()
    assert.equal("none", assert(skill.call(overload, "overload_get_queue_status", {}, at.node)).severity)
    assert.is_false(assert(skill.call(overload, "overload_detect_cascades", {}, at.node)).detected)
    assert.is_nil(skill.describe(overload):find("overload_get_queue_status", 1, true))
  end))

  it("forgives processes that die while it looks", live.test(function()
    eval "crowd:start(tap, fun crowd:breed/0)."
    for _ = 1, 3 do
      callback.overload_state()
      callback.overload_bottleneck()
      callback.overload_cascade_detection()
    end
    assert.is_true(eval "is_pid(whereis(tap)).")
    assert.is_nil(find(callback.overload_queue_analysis().processes, "nobody"))
  end))
end)
