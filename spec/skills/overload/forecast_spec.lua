-- Predictions from what was kept and what is seen, on a live node.
local async = require "runtime.async"
local crowd = require "spec.support.crowd"
local live = require "spec.support.live_node"
local mailboxes = require "spec.support.mailboxes"
local sampler = require "runtime.sampler"
local skill = require "runtime.skill"

local overload = assert(skill.open "overload")
local between = crowd.between

describe("overload skill, where it goes", function()
  local t, eval, callback, real

  setup(function()
    t = mailboxes.start(overload)
    eval, callback, real = t.eval, t.callback, t.real
  end)

  after_each(function() t:clear() end)
  teardown(function() live.stop_all() end)

  it("predicts from what was kept, and says how long that was", live.test(function()
    eval "crowd:deaf(sink, 3000)."
    t.past = { { age = 1200, value = { total = 1000, longest = 1000 } },
      { age = 600, value = { total = 2000, longest = 2000 } } }
    t.during = function() t:send("sink", 100) end
    local p = callback.overload_predict_growth()
    assert.same({ "growing", 6, 3300 }, { p.pattern, p.looks, p.total_queue_size })
    assert.near(1200, p.seconds, 1)
    assert.near(2300 / 20, p.growth_per_minute, 0.2)
    assert.near(3300 + 5 * 115, p.predicted_in_5_minutes, 2)
    assert.near((10000 - 3300) / 115 * 60, p.seconds_to_10000, 20)
    assert.equal("high", p.confidence)
  end))

  it("stands on what the sampler of the same run has kept", live.test(function()
    local going = sampler.start(t.at.node, { overload })
    local deadline = async.now() + 30
    while going.asked < 1 and async.now() < deadline do async.sleep(0.01) end
    going:stop()
    local p = real.overload_predict_growth()
    assert.equal(4 + going.asked, p.looks)
    assert.is_true(p.seconds > 3)
  end))

  it("estimates when the memory is full where os_mon knows it, from what it gained", live.test(function()
    local function eat()
      t:steps { function() eval "crowd:heavy(a, 8000000), ok." end, function() eval "crowd:heavy(b, 8000000), ok." end,
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
end)
