-- Schedulers and reductions on a live node. Windows are on the node, so what they saw is bracketed by
-- what the node says just before and just after.
local crowd = require "spec.support.crowd"
local live = require "spec.support.live_node"
local skill = require "runtime.skill"

local beam = assert(skill.open "beam")
local between, find = crowd.between, crowd.find

describe("beam skill, load", function()
  local at, callback, eval

  setup(function()
    at = live.start { args = { "+S", "2:2" } }
    eval, callback = at.eval, skill.functions(beam, at.node)
    live.test(function() crowd.load(at) end)()
  end)

  teardown(function() live.stop_all() end)

  local function spin(name) eval(("crowd:start(%s, fun() -> crowd:spin(0) end), true."):format(name)) end
  local function stop(...)
    for _, name in ipairs { ... } do eval(("crowd:stop(%s)."):format(name)) end
  end

  describe("scheduler utilisation", function()
    it("is a few per cent on an idle node, never beyond a hundred, for every kind of scheduler", live.test(function()
      local u = callback.beam_scheduler_utilization(300)
      between(0, u.avg_utilization_pct, 30)
      assert.equal(2, #u.schedulers)
      assert.same({ eval "erlang:system_info(dirty_cpu_schedulers).", eval "erlang:system_info(dirty_io_schedulers)." },
        { #u.dirty_cpu, #u.dirty_io })
      between(0.3, u.seconds, 60)
    end))

    it("is full on one scheduler and half on average when one process spins", live.test(function()
      spin "engine"
      local u = callback.beam_scheduler_utilization(500)
      stop "engine"
      -- It may move from one scheduler to the other in the window.
      between(45, u.avg_utilization_pct, 80)
      between(u.avg_utilization_pct, u.max_utilization_pct, 100)
      between(0, u.dirty_cpu_avg_pct, 10)
    end))

    it("counts schedulers online only", live.test(function()
      eval "erlang:system_flag(schedulers_online, 1)."
      local u = callback.beam_scheduler_utilization(100)
      eval "erlang:system_flag(schedulers_online, 2)."
      assert.equal(1, #u.schedulers)
    end))

    it("leaves the flag as it was", live.test(function()
      callback.beam_scheduler_utilization(100)
      assert.equal("undefined", tostring(eval "erlang:statistics(scheduler_wall_time)."))
    end))

    it("is refused for less than 100 ms", live.test(function()
      assert.has_error(function() callback.beam_scheduler_utilization(99) end,
        "beam_scheduler_utilization: sample_ms must be from 100 to 10000")
    end))
  end)

  it("judges the schedulers: healthy when idle, warning for one full, critical for all", live.test(function()
    assert.is_true(callback.beam_scheduler_capacity_available())
    assert.same({ "healthy", {} }, { callback.beam_scheduler_health().status,
      callback.beam_scheduler_health().recommendations })
    spin "engine"
    local one = callback.beam_scheduler_health()
    for i = 1, 3 do spin("engine" .. i) end
    local all = callback.beam_scheduler_health()
    assert.is_false(callback.beam_scheduler_capacity_available())
    stop("engine", "engine1", "engine2", "engine3")
    assert.equal("warning", one.status)
    between(40, one.imbalance, 100)
    assert.matches("beam_top_reducers_window", one.recommendations[1])
    assert.equal("critical", all.status)
    between(90, all.avg_utilization_pct, 100)
  end))

  it("finds who works, and how much of all work that is", live.test(function()
    spin "engine"
    local function reductions() return eval "element(2, process_info(whereis(engine), reductions))." end
    local low = reductions()
    local top = callback.beam_top_reducers_window(3, 300)
    local high = reductions()
    stop "engine"
    local row = top.processes[1]
    assert.equal("engine", row.name)
    assert.equal("crowd:spin/1", row.current_function)
    between(1, row.reductions_delta, high - low)
    assert.near(row.reductions_delta / top.seconds, row.rate_per_sec, 1)
    between(80, row.share_pct, 100.5)
    for _, other in ipairs(top.processes) do assert.not_matches("^erl_eval", other.current_function) end
  end))

  it("tells how much one process works, in figures and a word", live.test(function()
    spin "engine"
    eval "crowd:start(sloth, fun crowd:idle/0), crowd:every(clock, 20, fun() -> lists:seq(1, 1500) end), true."
    local fast, still = callback.beam_reduction_rate("engine", 200), callback.beam_reduction_rate("sloth", 100)
    local slow = callback.beam_reduction_rate("clock", 500)
    stop("engine", "sloth", "clock")
    assert.same({ "very_high", "idle", 0 }, { fast.trend, still.trend, still.reductions_delta })
    assert.near(fast.reductions_delta / fast.seconds, fast.reductions_per_sec, 1)
    local r = slow.reductions_per_sec
    assert.equal(r > 10000 and "very_high" or r > 5000 and "high" or r > 1000 and "moderate" or "low", slow.trend)
    assert.error_matches(function() callback.beam_reduction_rate("sloth", 100) end,
      "^beam_reduction_rate: no such process, or it ended in the window; pid is text")
  end))

  it("shows no other question of ours, though it runs at the same time and works more", live.test(function()
    local async = require "runtime.async"
    local other = async.spawn(at.node.query, "(fun L(N) -> L(N + 1) end)(0).", {}, { timeout = 3 })
    local top, hot = callback.beam_top_reducers_window(10, 300), callback.beam_hot_functions(10, 300)
    local groups, memory = callback.beam_busy_groups(10), callback.beam_top_processes(10, "reductions")
    other:cancel "seen enough"
    for _, row in ipairs(top.processes) do assert.is_not.equal("erpc:execute_call/4", row.name) end
    for _, row in ipairs(memory.processes) do assert.is_not.equal("erpc:execute_call/4", row.name) end
    for _, row in ipairs(hot.functions) do assert.is_nil(row.func:find("erl_eval:", 1, true)) end
    for _, row in ipairs(groups.groups) do assert.is_nil(row.app_function:find("erl_eval:", 1, true)) end
  end))

  it("finds who works more than just before, and not who works as always", live.test(function()
    eval "crowd:every(steady, 2, fun() -> lists:seq(1, 3000) end), crowd:climber(climber), true."
    local bursts = callback.beam_burst_detection(300, 80)
    stop("steady", "climber")
    local row = find(bursts.processes, "climber")
    assert.is_true(row.rate_per_sec > 1.8 * row.baseline_per_sec)
    assert.near(100 * (row.rate_per_sec - row.baseline_per_sec) / row.baseline_per_sec, row.increase_pct, 1)
    assert.is_nil(find(bursts.processes, "steady"))
  end))

  it("adds reductions up by function", live.test(function()
    for i = 1, 4 do spin("engine" .. i) end
    local hot = callback.beam_hot_functions(5, 300)
    stop("engine1", "engine2", "engine3", "engine4")
    local first = hot.functions[1]
    assert.same({ "crowd:spin/1", 4 }, { first.func, first.process_count })
    assert.equal(math.floor(first.reductions_delta / 4), first.avg_reductions)
    between(80, first.share_pct, 100.5)
  end))
end)
