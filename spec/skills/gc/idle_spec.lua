-- Heap that is taken and not used, on a live node.
local crowd = require "spec.support.crowd"
local live = require "spec.support.live_node"
local skill = require "runtime.skill"

local gc = assert(skill.open "gc")
local between, find = crowd.between, crowd.find

describe("gc skill, unused heap", function()
  local at, callback, eval

  setup(function()
    at = live.start()
    eval, callback = at.eval, skill.functions(gc, at.node)
    live.test(function()
      crowd.load(at)
      eval "crowd:heavy(full, 8000000), true."
    end)()
  end)

  teardown(function() live.stop_all() end)

  it("names whose heap swings, by how much, and not who has a large one in use", live.test(function()
    eval [[crowd:every(swinger, 20, fun() -> L = lists:seq(1, 1500000), true = is_list(L), length(L),
             erlang:garbage_collect() end), true.]]
    local seen = callback.gc_find_spiky_processes(10)
    eval "crowd:stop(swinger)."
    local row = find(seen.processes, "swinger")
    between(15, row.variance_mb, row.peak_mb) -- A list of 1,500,000 is 23 MB.
    assert.is_nil(find(seen.processes, "full"))
    between(1, seen.seconds, 10)
  end))

  it("tells a heap that nothing refers to from one that is kept", live.test(function()
    eval [[register(waster, spawn(crowd, waster, [])), register(keeper, spawn(crowd, keeper, [])),
      Rests = fun W(P, F) -> process_info(P, [status, current_function]) =:= [{status, waiting},
        {current_function, {crowd, F, 0}}] orelse begin erlang:yield(), W(P, F) end end,
      Rests(whereis(waster), idle) andalso Rests(whereis(keeper), keeper).]]
    local seen = callback.gc_recommend_hibernation(300)
    local used = eval [[F = fun(P) -> I = element(2, process_info(P, garbage_collection_info)),
      proplists:get_value(heap_size, I) + proplists:get_value(old_heap_size, I) end,
      B = F(whereis(waster)), erlang:garbage_collect(whereis(waster)), [B div 128, F(whereis(waster)) div 128].]]
    eval "waster ! stop, keeper ! stop, ok."
    local waster, keeper = find(seen.processes, "waster"), find(seen.processes, "keeper")
    assert.same({ true, false }, { waster.unreferenced, keeper.unreferenced })
    assert.near(waster.used_kb, used[1], 2)
    between(0, used[2], 1)
  end))

  it("does not call a heap spiky that was asked for", live.test(function()
    eval [[crowd:start(roomy, fun crowd:idle/0, [{min_heap_size, 4000000}]), true.]]
    local seen = callback.gc_find_spiky_processes(10)
    local kb = eval "element(2, process_info(whereis(roomy), total_heap_size)) div 128."
    eval "crowd:stop(roomy)."
    between(30000, kb, 60000)
    assert.is_nil(find(seen.processes, "roomy"))
  end))

  it("estimates what hibernation gives back", live.test(function()
    eval [[crowd:start(drowsy, fun() -> L = lists:seq(1, 1000000),
             receive sleep -> erlang:hibernate(crowd, hold, [L]) end end), true.]]
    eval [[(fun Wait() -> process_info(whereis(drowsy), [current_function, status]) =:=
             [{current_function, {prim_eval, 'receive', 2}}, {status, waiting}] orelse Wait() end)().]]
    local seen = callback.gc_recommend_hibernation(100)
    local freed = eval [=[
      P = whereis(drowsy), {_, Before} = process_info(P, memory), P ! sleep,
      (fun Wait() -> element(2, process_info(P, memory)) < Before - 10000 orelse Wait() end)(),
      {_, After} = process_info(P, memory), Before - After.]=]
    eval "crowd:stop(drowsy)."
    assert.near(freed / 2 ^ 20, find(seen.processes, "drowsy").estimated_savings_mb, 0.05)
  end))

  it("counts the savings of all, and none of who works", live.test(function()
    eval [[
      Ps = [spawn(fun() -> L = lists:seq(1, 10000), receive stop -> L end end) || _ <- lists:seq(1, 200)],
      crowd:start(busy, fun() -> lists:seq(1, 100000), crowd:spin(0) end),
      register(herd, spawn(fun() -> receive stop -> [P ! stop || P <- Ps] end end)),
      (fun Wait() -> lists:all(fun(P) -> process_info(P, status) =:= {status, waiting} end, Ps)
         andalso process_info(whereis(busy), current_function) =:= {current_function, {crowd, spin, 1}}
         orelse Wait() end)().]]
    local seen = callback.gc_recommend_hibernation(200)
    local bytes = eval [=[
      V = fun(P) -> {_, I} = process_info(P, garbage_collection_info), [B, O, U, W] = [proplists:get_value(K, I) || K <-
            [heap_block_size, old_heap_block_size, heap_size, old_heap_size]], B + O - U - W end,
      8 * lists:sum([V(P) || P <- processes(), P =/= self(), V(P) > 2048, P =/= whereis(busy)]).]=]
    eval "crowd:stop(busy), herd ! stop, true."
    assert.same({ true, 50, 50 }, { seen.total >= 200, seen.showing, #seen.processes })
    assert.near(bytes / 2 ^ 20, seen.estimated_savings_mb, 0.5)
    assert.is_nil(find(seen.processes, "busy"))
  end))
end)
