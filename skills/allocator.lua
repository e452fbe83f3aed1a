--- Memory allocators. They take carriers from the operating system and cut blocks from them. A carrier
--- goes back when its last block is freed, so after a spike a few blocks that stayed can hold hundreds of
--- megabytes that no count of the node's own memory shows.

local texts = ...

-- A ratio says nothing of an allocator that has a carrier or two.
local FLOOR = 16 -- MB

-- Each allocator has one instance for every scheduler, and one for all other threads. Until OTP 23 the
-- blocks of an instance were one figure, since then they are told by type. Carriers that have become
-- rather empty are put aside in mbcs_pool, for whoever needs one: without these the fragmentation of a node
-- would be missed. A maximum has none of them: they were in mbcs when they were full.
--
-- All instances are added up in compiled loops: twelve figures, of mbcs, of mbcs_pool and of sbcs each the
-- blocks and the carriers, and their maxima.
local SIZES = texts.words .. [=[
  Only = fun(L) -> ets:match_spec_compile([{X, [], ['$1']} || X <- L]) end,
  K = [Only([{mbcs, '$1'}]), Only([{mbcs_pool, '$1'}]), Only([{sbcs, '$1'}])],
  H = Only([{blocks, '$1'}]), T = Only([{'_', '$1'}]),
  Here = [Only([{size, '$1', '_', '_'}, {size, '$1'}, {blocks_size, '$1', '_', '_'}, {blocks_size, '$1'}]),
         Only([{carriers_size, '$1', '_', '_'}, {carriers_size, '$1'}])],
  Peak = [Only([{size, '_', '_', '$1'}, {blocks_size, '_', '_', '$1'}]), Only([{carriers_size, '_', '_', '$1'}])],
  In = fun(L, M) -> lists:append(ets:match_spec_run(L, M)) end,
  Sizes = fun(L, M) -> Q = In(L, M), B = Q ++ In(In(Q, H), T),
    [lists:sum(ets:match_spec_run(W, I)) || {W, I} <- lists:zip([B, Q, B, Q], Here ++ Peak)] end,
  Added = fun(L) -> lists:append([Sizes(L, M) || M <- K]) end,
  Props = fun(L) -> In(L, Only([{instance, '_', '$1'}])) end,
  Ratio = fun(_, 0) -> undefined; (B, T) -> round(10000 * B / T) / 10000 end,
  Fill = fun(B, C, N, D) ->
    Some([{carriers_mb, Mb(C)}, {blocks_mb, Mb(B)}, {unused_mb, Mb(C - B)}, {usage_ratio, Ratio(B, C)},
          {sbcs_carriers_mb, Mb(D)}, {sbcs_blocks_mb, Mb(N)}, {sbcs_usage_ratio, Ratio(N, D)}]) end,
  Current = fun([B, C, _, _, Q, W, _, _, N, D | _]) -> maps:put(pool_carriers_mb, Mb(W), Fill(B + Q, C + W, N, D)) end,
  Maximum = fun([_, _, B, C, _, _, _, _, _, _, N, D]) -> Fill(B, C, N, D) end,
  All = fun() -> [{A, Added(Props(L))} || {A, L} <- [{A, erlang:system_info({allocator_sizes, A})}
                                                   || A <- erlang:system_info(alloc_util_allocators)], is_list(L)] end,
  Rank = fun(K, L) -> [X || {_, X} <- lists:reverse(lists:keysort(1, [{maps:get(K, X), X} || X <- L]))] end,
  List = fun(L) -> #{total => length(L), showing => length(L), allocators => L} end,
]=]

local FILL = "carriers_mb, blocks_mb, unused_mb, usage_ratio (blocks by carriers), sbcs_carriers_mb, sbcs_blocks_mb, "
  .. "sbcs_usage_ratio (carriers of one large block)"
local POOL = "pool_carriers_mb (of carriers_mb, those put aside as rather empty)"
local BOTH = "allocators[]: name, current: " .. FILL .. ", " .. POOL .. "; maximum: the same, without the pool, at the "
  .. "peak of each instance"

local COST = "asks every scheduler once for each of about 10 allocators, as erlang:memory does; a few ms"

---@type Skill
return {
  name = "allocator",
  title = "Memory allocators",
  about = "What the node holds from the operating system and does not use: fragmentation, by allocator.",

  prompt = [[
You look after the memory allocators of one BEAM node.
An allocator holds carriers and cuts blocks from them; what is in carriers and not in blocks is held for nothing.
Worth a notification: an allocator of many megabytes whose usage_ratio is under 0.5 and stays there, above all where
its maximum shows a spike that is over: few blocks that stayed pin the carriers, and only they can let go.
Not worth one: a low ratio of a few megabytes; a low ratio just after a spike, while carriers are still given back;
single-block carriers, which go back with their block. Look twice, and give carriers, blocks, and the maximum.]],

  snapshot = "snapshot",
  aliases = {
    allocator_get_info = { "allocator_summary" },
    allocator_get_binary = { "allocator_by_type", "binary_alloc" },
    allocator_get_mbuf = { "allocator_by_type", "eheap_alloc" }, -- where messages off the heap are
  },

  queries = {
    -- The worst of those that weigh something; on a small node, the heaviest.
    snapshot = SIZES .. ([=[
  L = All(), R = [{Ratio(B + Q, C + W), C + W, Text(A)} || {A, [B, C, _, _, Q, W | _]} <- L, C + W > 0],
  Th = min(FLOOR * 1048576, lists:max([C || {_, C, _} <- R])),
  {X, _, I} = hd(lists:sort([Y || {_, C, _} = Y <- R, C >= Th])),
  U = fun(I) -> lists:sum([lists:nth(I, F) || {_, F} <- L]) end,
  #{carriers_mb => Mb(U(2) + U(6) + U(10)), blocks_mb => Mb(U(1) + U(5) + U(9)),
    unused_mb => Mb(U(2) + U(6) - U(1) - U(5)), usage_ratio => X, worst_allocator => I}.]=]):gsub("FLOOR", FLOOR),

    summary = SIZES .. [=[ List(Rank(carriers_mb, [maps:put(name, Text(A), Current(F)) || {A, F} <- All()])).]=],

    fragmentation = SIZES .. [=[
  L = lists:reverse(lists:keysort(1, [{C + W - B - Q, A, F} || {A, [B, C, _, _, Q, W | _] = F} <- All()])),
  List([#{name => Text(A), current => Current(F), maximum => Maximum(F)} || {_, A, F} <- L]).]=],

    -- The settings and the numbers of carriers and blocks stand in the longer of the node's two answers.
    one = SIZES .. [=[
  A = binary_to_existing_atom(AllocatorName),
  case erlang:system_info({allocator, A}) of
    [_ | _] = L ->
      Sum = fun(P, M) -> lists:sum(ets:match_spec_run(P, M)) end,
      Number = Only([{count, '$1', '_', '_'}, {count, '$1'}, {blocks, '$1', '_', '_'}]),
      Carriers = Only([{carriers, '$1', '_', '_'}, {carriers, '$1'}]),
      Count = fun(P) -> Q = lists:append([In(P, M) || M <- K]),
        #{carrier_count => Sum(Q, Carriers), block_count => Sum(Q ++ In(In(Q, H), T), Number)} end,
      P = Props(L), F = Added(P), O = In(P, Only([{options, '$1'}])),
      I = Rank(unused_mb, [maps:put(id, N, maps:merge(Count(X), Current(Added(X)))) || {instance, N, X} <- L]),
      S = lists:sublist(I, 50),
      maps:merge(Count(P), Some([{name, Text(A)}, {current, Current(F)}, {maximum, Maximum(F)},
        {strategy, case Get(as, O) of undefined -> undefined; X -> Text(X) end},
        {total, length(I)}, {showing, length(S)}, {instances, S}]));
    _ -> [] end.]=],
  },

  callbacks = {
    allocator_summary = {
      doc = "Every allocator, the largest first. Blocks of some hundred KB and more have a carrier each (sbcs).",
      class = "SAFE",
      cost = COST,
      returns = { "total", "showing", "allocators[]: name, " .. FILL .. ", " .. POOL },
      query = "summary",
    },

    allocator_by_type = {
      brief = "One allocator: now, at its maximum, its instances",
      doc = "One allocator whole: now, at its maximum, its strategy, and its instances (0 is shared, the others "
        .. "belong to a scheduler each), most unused first.",
      args = { { name = "allocator_name", type = "choice", default = "binary_alloc", of = { "binary_alloc",
        "driver_alloc", "eheap_alloc", "ets_alloc", "fix_alloc", "literal_alloc", "ll_alloc", "sl_alloc", "std_alloc",
        "temp_alloc" } } },
      class = "SAFE",
      cost = "asks every scheduler once; well under 1 ms",
      returns = { "name", "current: " .. FILL .. ", " .. POOL, "maximum: the same without the pool", "strategy",
        "carrier_count", "block_count", "total", "showing", "instances[]: id, carrier_count, block_count, "
          .. "and what current has" },
      run = function(node, args)
        local found, err = node.ask("one", args)
        if not found then return nil, err end
        if #found == 0 and not found.name then
          return { unavailable = args.allocator_name .. " is switched off on this node (a flag +M...e false)" }
        end
        return found
      end,
    },

    allocator_fragmentation = {
      doc = "Every allocator as it is now and at its maximum, most unused memory first.",
      class = "SAFE",
      cost = COST,
      returns = { "total", "showing", BOTH },
      query = "fragmentation",
    },

    allocator_problematic = {
      brief = "Those less than half used",
      doc = ("Allocators whose carriers are less than half used (usage_ratio under 0.5) and that hold %d MB of them "
        .. "at least, most unused first. Single-block carriers are not counted."):format(FLOOR),
      class = "SAFE",
      cost = COST,
      returns = { "total", "showing", BOTH },
      run = function(node)
        local found, err = node.ask "fragmentation"
        if not found then return nil, err end
        local rows = {}
        for _, row in ipairs(found.allocators) do
          local now = row.current
          if now.carriers_mb >= FLOOR and now.usage_ratio < 0.5 then rows[#rows + 1] = row end
        end
        return { total = #rows, showing = #rows, allocators = rows }
      end,
    },
  },
}
