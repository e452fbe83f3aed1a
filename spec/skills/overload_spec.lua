-- Overload on a live node; where a consumer is slower than its producer the looks are made in real time.
local async = require "runtime.async"
local crowd = require "spec.support.crowd"
local live = require "spec.support.live_node"
local mailboxes = require "spec.support.mailboxes"
local skill = require "runtime.skill"

local overload = assert(skill.open "overload")
local between, find = crowd.between, crowd.find

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
  local t, eval, callback, real

  setup(function()
    t = mailboxes.start(overload)
    eval, callback, real = t.eval, t.callback, t.real
  end)

  after_each(function() t:clear() end)
  teardown(function() live.stop_all() end)

  it("sums all mailboxes up in its snapshot", live.test(function()
    eval "crowd:deaf(sink, 50000), crowd:deaf(pond, 1001), crowd:deaf(desk, 1000)."
    assert.same({ total_queue_size = 52001, nonempty = 3, queues_over_1000 = 2, queues_over_10000 = 1,
      max_queue_size = 50000, global_locks = 0 },
      skill.snapshot(overload, t.at.node))
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
      t.during = function() t:send("sink", 2000) end
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
    eval(mailboxes.TAKER)
    t:send("desk", 3000)
    local function taken() eval "desk ! {take, 900, self()}, receive done -> ok end." end
    t:steps { taken, taken, taken }
    local state = callback.overload_state()
    assert.same({ "transient", "draining", "desk", 300 },
      { state.severity, state.pattern, state.bottleneck_location, state.max_queue_size })
    t:send("desk", 2700)
    t:steps { taken, taken, taken }
    local prediction = callback.overload_predict_growth()
    assert.same({ "draining", 300 }, { prediction.pattern, prediction.total_queue_size })
    assert.is_nil(prediction.predicted_in_5_minutes)
  end))

  it("still calls a burst transient that was drained to the end while it looked", live.test(function()
    eval "crowd:deaf(sink, 5000)."
    t:steps { function() eval "crowd:stop(sink)." end }
    local state = callback.overload_state()
    assert.same({ "transient", 0 }, { state.severity, state.total_queue_depth })
  end))

  describe("growth", function()
    before_each(live.test(function() eval "crowd:deaf(sink, 2000)." end))

    it("is called neither growing nor accelerating, far less exponential, after one sample that gained", live.test(
      function()
        t:steps { function() t:send("sink", 2000) end }
        assert.equal("fluctuating", callback.overload_queue_analysis().growth_pattern)
        t:steps { function() t:send("sink", 4000) end }
        assert.equal("transient", callback.overload_state().severity)
      end))

    it("is called accelerating when each of three windows gained more than the one before", live.test(function()
      t:steps { function() t:send("sink", 100) end, function() t:send("sink", 1000) end,
        function() t:send("sink", 10000) end }
      assert.equal("accelerating", callback.overload_queue_analysis().growth_pattern)
    end))

    it("is called growing when it goes on at one pace", live.test(function()
      local row = callback.overload_queue_analysis()
      assert.equal("steady", row.growth_pattern)
      t.during = function() t:send("sink", 500) end
      local q = callback.overload_queue_analysis()
      assert.equal("growing", q.growth_pattern)
      assert.same({ "sink", 1500, 1 },
        { q.fastest_growing[1].name, q.fastest_growing[1].queue_growth, q.growing_total })
    end))
  end)

  it("calls what goes up and down lasting only where every kept look over a minute was long", live.test(function()
    eval(mailboxes.TAKER)
    t:send("desk", 3000)
    local function wave()
      t:steps { function() t:send("desk", 500) end,
        function() eval "desk ! {take, 500, self()}, receive done -> ok end." end }
      return callback.overload_state().severity
    end
    assert.equal("transient", wave())
    t.past = { { age = 90, value = { longest = 4000 } }, { age = 20, value = { longest = 1500 } } }
    assert.equal("sustained", wave())
    t.past = { { age = 90, value = { longest = 4000 } }, { age = 20, value = { longest = 3 } } }
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
    between(low, state.max_queue_size, high + 50) -- taken from in between
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
      t.during = function()
        turn = turn + 1
        eval(TURN, { K = turn })
      end
      t.during()
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
      local swing = t.during
      t.during = function()
        swing()
        t:send("sink", 400)
      end
      local q = callback.overload_queue_analysis()
      assert.same({ 1, "sink" }, { q.growing_total, q.fastest_growing[1].name })
    end))
  end)

  it("answers to the older names too, which stand in no prompt", live.test(function()
    assert.equal("none", assert(skill.call(overload, "overload_get_queue_status", {}, t.at.node)).severity)
    assert.is_false(assert(skill.call(overload, "overload_detect_cascades", {}, t.at.node)).detected)
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
