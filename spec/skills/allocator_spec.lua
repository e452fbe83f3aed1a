-- The allocator skill against a live node: a spike of binaries of which one in twelve stays, told by the
-- node's own scan of its carriers.
local live = require "spec.support.live_node"
local skill = require "runtime.skill"
local until_true = require "spec.support.until_true"

local allocator = assert(skill.open "allocator")
local at, callback, eval

local function find(rows, name)
  for _, row in ipairs(rows) do if row.name == name then return row end end
end

-- The scan counts the room between blocks as part of them, a few bytes each, and moves by what the
-- node itself does meanwhile.
local function near(expected, actual) assert.near(expected, actual, 0.5 + expected / 50) end

local SCANNED = [[
  {ok, {_, L}} = instrument:carriers(#{allocator_types => [binary_alloc]}),
  [lists:sum([T || {_, _, T, _, _, _} <- L]) / 1048576,
   lists:sum([S || {_, _, _, _, B, _} <- L, {_, _, S} <- B]) / 1048576,
   lists:sum([T || {_, true, T, _, _, _} <- L]) / 1048576].]]

-- The two formats have nothing in common but the carriers.
local FORMAT_23 = [[ [{instance, 0, [{mbcs, [{blocks_size, 4194304, 5242880, 62914560},
                                             {carriers_size, 41943040, 41943040, 83886080}]},
    {sbcs, [{blocks_size, 1048576, 1048576, 1048576}, {carriers_size, 2097152, 2097152, 2097152}]}]},
  {instance, 1, [{mbcs, [{blocks_size, 0, 0, 0}, {carriers_size, 1048576, 1048576, 1048576}]},
    {mbcs_pool, [{blocks_size, 1048576}, {carriers_size, 9437184}]},
    {sbcs, [{blocks_size, 0, 0, 0}, {carriers_size, 0, 0, 0}]}]}] ]]

describe("allocator skill", function()
  setup(function()
    at = live.start()
    eval = at.eval
    callback = skill.functions(allocator, at.node)
  end)
  teardown(live.stop_all)

  it("sees no problem in a node that just started", live.test(function()
    assert.same({ total = 0, showing = 0, allocators = {} }, callback.allocator_problematic())
  end))

  it("has the same totals as the node's own count of what it got from the system", live.test(function()
    local function held()
      return eval [[ lists:sum([element(2, C) || A <- erlang:system_info(alloc_util_allocators),
        {instance, _, P} <- erlang:system_info({allocator, A}), {K, L} <- P, lists:member(K, [mbcs, mbcs_pool, sbcs]),
        C <- L, element(1, C) =:= carriers_size]) / 1048576.]]
    end
    -- A carrier that came for one look alone is in neither of the two beside it.
    until_true("the same total", function()
      local before, figures = held(), skill.snapshot(allocator, at.node)
      return held() == before and math.abs(figures.carriers_mb - before) < 0.5 + before / 50
    end)
  end))

  it("gains in blocks what the node gains in memory, and calls that no problem", live.test(function()
    local before, total = skill.snapshot(allocator, at.node).blocks_mb, eval "erlang:memory(total) / 1048576."
    eval [[
      Me = self(),
      spawn(fun() ->
        put(keep, [binary:copy(list_to_binary([7]), 3000) || _ <- lists:seq(1, 10000)]),
        register(hold, self()), Me ! ready, receive stop -> ok end end),
      receive ready -> ok end.]]
    near(eval "erlang:memory(total) / 1048576." - total, skill.snapshot(allocator, at.node).blocks_mb - before)
    assert.is_true(find(callback.allocator_summary().allocators, "binary_alloc").carriers_mb > 16)
    assert.equal(0, callback.allocator_problematic().total)
    eval "exit(whereis(hold), kill)."
  end))

  it("names every allocator once, the largest first", live.test(function()
    local summary = callback.allocator_summary()
    assert.equal(eval "length(erlang:system_info(alloc_util_allocators)).", summary.total)
    assert.equal(summary.total, #summary.allocators)
    for i = 2, summary.total do
      assert.is_true(summary.allocators[i - 1].carriers_mb >= summary.allocators[i].carriers_mb)
    end
  end))

  it("reads blocks that are told without their type (the format of OTP 23)", live.test(function()
    local text = allocator.queries.fragmentation:gsub("erlang:system_info%({allocator_sizes, A}%)", FORMAT_23)
    local row = find(eval(text).allocators, "binary_alloc")
    assert.same({ carriers_mb = 50, blocks_mb = 5, unused_mb = 45, usage_ratio = 0.1, pool_carriers_mb = 9,
      sbcs_carriers_mb = 2, sbcs_blocks_mb = 1, sbcs_usage_ratio = 0.5 }, row.current)
    assert.same({ 81, 60, 0.7407 }, { row.maximum.carriers_mb, row.maximum.blocks_mb, row.maximum.usage_ratio })
  end))

  it("refuses an allocator that there is not", live.test(function()
    assert.matches("allocator_by_type: allocator_name must be one of binary_alloc, ",
      tostring(select(2, pcall(callback.allocator_by_type, "heap"))))
  end))

  describe("after a spike of binaries", function()
    setup(live.test(function()
      eval [[
        Me = self(),
        spawn(fun() ->
          register(frag, self()),
          put(keep, (fun() -> L = [crypto:strong_rand_bytes(3000) || _ <- lists:seq(1, 100000)],
            [B || {B, I} <- lists:zip(L, lists:seq(1, 100000)), I rem 12 =:= 0] end)()),
          erlang:garbage_collect(), Me ! ready,
          receive stop -> ok end end),
        receive ready -> ok end,
        Freed = fun F(0) -> slow; F(N) -> case erlang:memory(binary) < 40000000 of true -> ok;
                  _ -> receive after 10 -> F(N - 1) end end end,
        ok = Freed(3000).]] -- what another scheduler allocated is freed a moment later
    end))

    it("sees the carriers that the few which stayed hold", live.test(function()
      local carriers, blocks, pool = unpack(eval(SCANNED))
      local row = callback.allocator_fragmentation().allocators[1]
      assert.equal("binary_alloc", row.name)
      near(carriers, row.current.carriers_mb + row.current.sbcs_carriers_mb)
      near(blocks, row.current.blocks_mb + row.current.sbcs_blocks_mb)
      near(pool, row.current.pool_carriers_mb)
      assert.is_true(row.current.usage_ratio < 0.15)
      assert.near(row.current.blocks_mb / row.current.carriers_mb, row.current.usage_ratio, 0.001)
    end))

    it("remembers how full they were", live.test(function()
      local maximum = callback.allocator_fragmentation().allocators[1].maximum
      assert.is_true(maximum.blocks_mb > 280 and maximum.usage_ratio > 0.9)
    end))

    it("calls that a problem, and says so in its snapshot", live.test(function()
      local found, figures = callback.allocator_problematic(), skill.snapshot(allocator, at.node)
      assert.same({ 1, "binary_alloc" }, { found.total, found.allocators[1].name })
      assert.equal("binary_alloc", figures.worst_allocator)
      assert.near(found.allocators[1].current.usage_ratio, figures.usage_ratio, 0.01)
      assert.is_true(figures.unused_mb > 200)
    end))

    it("shows one allocator with its strategy, carriers and instances, by older names too", live.test(function()
      local one = callback.allocator_get_binary()
      assert.equal("binary_alloc", one.name)
      assert.equal("aoffcbf", one.strategy) -- the default of binaries
      local carriers = eval "{ok, {_, L}} = instrument:carriers(#{allocator_types => [binary_alloc]}), length(L)."
      assert.near(carriers, one.carrier_count, 2) -- the node's own come and go
      assert.is_true(one.block_count >= 8333)
      assert.equal(eval "erlang:system_info(schedulers) + 1.", one.total)
      assert.equal("eheap_alloc", callback.allocator_get_mbuf().name)
      assert.equal(callback.allocator_summary().total, callback.allocator_get_info().total)
    end))
  end)
end)
