-- Collections and large heaps on a live node. What statistics and process_info say is the other road.
local crowd = require "spec.support.crowd"
local live = require "spec.support.live_node"
local skill = require "runtime.skill"

local gc = assert(skill.open "gc")
local between, find = crowd.between, crowd.find

describe("gc skill", function()
  local at, callback, eval, node, past, sleep

  setup(function()
    at = live.start()
    eval = at.eval
    node = {
      query = at.node.query,
      history = function(metric) return past[metric] or {} end,
      sleep = function(seconds) return sleep(seconds) end,
    }
    callback = skill.functions(gc, node)
    live.test(function()
      crowd.load(at)
      eval "crowd:heavy(full, 4000000), crowd:heavy(other, 2000000), true."
    end)()
  end)

  before_each(function() past, sleep = {}, at.node.sleep end)
  teardown(function() live.stop_all() end)

  local function statistics() return eval "tuple_to_list(erlang:statistics(garbage_collection))." end

  it("says in its snapshot what the node counted since it started", live.test(function()
    local low = statistics()
    local seen = skill.snapshot(gc, node)
    local high = statistics()
    between(low[1], seen.total_gcs, high[1])
    between(low[2], seen.words_reclaimed, high[2])
    assert.near(seen.words_reclaimed * 8 / 2 ^ 20, seen.bytes_reclaimed_mb, 0.01)
  end))

  it("tells the rate between two looks where there is no history", live.test(function()
    eval [[crowd:every(churner, 1, fun() -> erlang:garbage_collect() end), true.]]
    local low = statistics()
    local seen = callback.gc_stats()
    local high = statistics()
    eval "crowd:stop(churner)."
    between(1, seen.seconds, 5)
    between(1, seen.gcs_per_sec * seen.seconds, high[1] - low[1])
    between(0, seen.words_per_gc * seen.gcs_per_sec * seen.seconds, 1.01 * (high[2] - low[2]))
  end))

  it("takes the rate from history where that reaches back", live.test(function()
    past = { total_gcs = { { age = 100, value = 0 } }, words_reclaimed = { { age = 100, value = 0 } } }
    local seen = callback.gc_stats()
    assert.same({ 100, seen.total_gcs / 100 }, { seen.seconds, math.floor(seen.gcs_per_sec * 100 + 0.5) / 100 })
    assert.near(seen.bytes_reclaimed_mb / 100, seen.reclaimed_mb_per_sec, 0.01)
  end))

  it("ranks by all heap blocks, and says what of them is in use", live.test(function()
    local top = callback.gc_top_processes(2)
    assert.same({ "full", "other" }, { top.processes[1].name, top.processes[2].name })
    local row = top.processes[1]
    local theirs = eval [[
      P = whereis(full), {_, G} = process_info(P, garbage_collection),
      [element(2, process_info(P, heap_size)) div 128, element(2, process_info(P, total_heap_size)) div 128,
       erts_debug:flat_size(lists:seq(1, 2000000)) div 128, proplists:get_value(minor_gcs, G),
       proplists:get_value(fullsweep_after, G)].]]
    assert.same(theirs,
      { row.heap_size_kb, row.total_heap_size_kb, row.used_kb, row.minor_gcs, row.fullsweep_after })
    assert.same({ 0, "crowd:hold/1", 2 }, { row.message_queue_len, row.current_function, top.showing })
  end))

  local LARGEST_HEAPS = "element(2, process_info(whereis(full), garbage_collection))."

  it("finds large heaps that were not collected between its looks, and says how far those reach", live.test(function()
    local counted = eval(LARGEST_HEAPS)
    local seen = callback.gc_find_lazy_gc_processes(20, 5)
    assert.same({ 2, 300, 1 }, { seen.seconds, seen.asked_seconds, seen.total })
    assert.same({ "full", true, 2 },
      { seen.processes[1].name, seen.processes[1].idle, seen.processes[1].uncollected_seconds })
    assert.same(counted, eval(LARGEST_HEAPS))
  end))

  it("does not name who was collected between two looks", live.test(function()
    sleep = function() eval "erlang:garbage_collect(whereis(full))." end
    local seen = callback.gc_find_lazy_gc_processes(10, 5)
    assert.is_nil(find(seen.processes, "full"))
    assert.is_table(find(seen.processes, "other"))
  end))

  it("goes by history where that reaches back half as far as was asked", live.test(function()
    local heaps = node.query(gc.queries.heaps)
    past.heaps = { { age = 200, value = heaps }, { age = 100, value = heaps } }
    sleep = function() error "there is history" end
    local seen = callback.gc_find_lazy_gc_processes(10, 5)
    assert.same({ 200, 2 }, { seen.seconds, seen.total })
  end))

  it("says that somebody works who was not collected meanwhile", live.test(function()
    eval [[crowd:start(busy, fun() -> lists:seq(1, 2000000), crowd:spin(0) end),
      (fun Wait() -> process_info(whereis(busy), current_function) =:= {current_function, {crowd, spin, 1}}
                     orelse Wait() end)().]]
    local seen = callback.gc_find_lazy_gc_processes(10, 5)
    eval "crowd:stop(busy)."
    assert.is_false(find(seen.processes, "busy").idle)
  end))

  it("passes on that nobody listens to the node", live.test(function()
    assert.is_string(callback.gc_get_long_gcs().unavailable)
  end))
end)
