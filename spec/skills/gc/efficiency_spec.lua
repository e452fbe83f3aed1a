-- The collections of one process, traced for a moment on a live node. The process knows what it made.
local async = require "runtime.async"
local crowd = require "spec.support.crowd"
local live = require "spec.support.live_node"
local skill = require "runtime.skill"

local gc = assert(skill.open "gc")
local between = crowd.between

describe("gc skill, efficiency", function()
  local at, callback, eval

  setup(function()
    at = live.start()
    eval, callback = at.eval, skill.functions(gc, at.node)
    live.test(function()
      crowd.load(at)
      -- Makes lists of 160,000 bytes and drops them; how many stands in a counter that all may read.
      eval [[
        persistent_term:put(made, counters:new(1, [])),
        crowd:every(maker, 2, fun() -> lists:seq(1, 10000), counters:add(persistent_term:get(made), 1, 1) end), true.]]
    end)()
  end)

  teardown(function() live.stop_all() end)

  local function flags(name)
    return eval("length(element(2, erlang:trace_info(whereis(binary_to_atom(N)), flags))).", { N = name })
  end

  it("tells what a process made and what was reclaimed of it", live.test(function()
    local made = eval "counters:get(persistent_term:get(made), 1)."
    local seen = callback.gc_calculate_efficiency("maker", 1000)
    made = (eval "counters:get(persistent_term:get(made), 1)." - made) * 160000 / 2 ^ 20
    between(0.8 * made, seen.total_allocated_mb, 1.05 * made)
    assert.near(1, seen.efficiency_ratio, 0.1)
    assert.near(seen.total_allocated_mb * seen.efficiency_ratio, seen.total_reclaimed_mb, 0.2)
    between(0, seen.gc_ms, seen.seconds * 1000)
  end))

  it("counts every collection of the window", live.test(function()
    eval "crowd:start(forced, fun crowd:idle/0), true."
    local task = async.spawn(function() return callback.gc_calculate_efficiency("forced", 1500) end)
    while flags "forced" == 0 do async.sleep(0.005) end
    eval "[erlang:garbage_collect(whereis(forced)) || _ <- lists:seq(1, 20)]."
    local _, seen = task:join()
    eval "crowd:stop(forced)."
    assert.same({ 20, 20 }, { seen.collections, seen.major_collections })
  end))

  it("says nothing of a ratio where nothing was collected", live.test(function()
    eval "crowd:heavy(full, 1000000), true."
    local seen = callback.gc_calculate_efficiency("full", 100)
    eval "crowd:stop(full)."
    assert.same({ 0, 0, 0 }, { seen.collections, seen.total_reclaimed_mb, seen.total_allocated_mb })
    assert.is_nil(seen.efficiency_ratio)
  end))

  it("leaves no flag behind", live.test(function()
    callback.gc_calculate_efficiency("maker", 100)
    assert.equal(0, flags "maker")
  end))

  it("leaves no flag behind when the asking process is killed", live.test(function()
    local task = async.spawn(skill.call, gc, "gc_calculate_efficiency", { "maker", 10000 }, at.node)
    while flags "maker" == 0 do async.sleep(0.005) end
    eval "exit(element(2, erlang:trace_info(whereis(maker), tracer)), kill)."
    task:join()
    assert.equal(0, flags "maker")
  end))

  it("leaves who is traced to whom it is traced by", live.test(function()
    eval [[crowd:start(owner, fun crowd:idle/0),
      erlang:trace(whereis(maker), true, [procs, {tracer, whereis(owner)}]).]]
    local seen = callback.gc_calculate_efficiency("maker", 100)
    local theirs = eval "erlang:trace_info(whereis(maker), flags) =:= {flags, [procs]}."
    eval "erlang:trace(whereis(maker), false, [all]), owner ! stop, true."
    assert.matches("somebody traces this process already", seen.unavailable)
    assert.is_true(theirs)
  end))

  it("names a process that is not there", live.test(function()
    assert.has_error(function() callback.gc_calculate_efficiency "<0.99999.0>" end,
      "gc_calculate_efficiency: no such process now; pid is text like <0.123.0>, or a registered name")
  end))

  it("waits to be allowed", function() assert.equal("CAUTION", gc.callbacks.gc_calculate_efficiency.class) end)
end)
