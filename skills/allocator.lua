--- Memory allocators. They take carriers from the operating system and cut blocks from them. A carrier
--- goes back when its last block is freed, so after a spike a few blocks that stayed can hold hundreds of
--- megabytes that no count of the node's own memory shows.

local texts = ...

-- A ratio says nothing of an allocator that has a carrier or two.
local FLOOR = 16 -- MB

-- Each allocator has one instance for every scheduler, and one for all other threads. Until OTP 23 the
-- blocks of an instance were one figure, since then they are told by type. Carriers that have become
-- rather empty are put aside in mbcs_pool, for whoever needs one: without these the
-- fragmentation of a node would be missed. A maximum has none of them: they were in mbcs when they were full.
local SIZES = texts.words .. [=[
  Nth = fun(X, I) -> element(min(I, tuple_size(X)), X) end,
  Carriers = fun(L, I) -> lists:sum([Nth(X, I) || X <- L, element(1, X) =:= carriers_size]) end,
  Blocks = fun(L, I) -> lists:sum([Nth(X, I) || {blocks, T} <- L, {_, S} <- T, X <- S, element(1, X) =:= size]
                               ++ [Nth(X, I) || X <- L, element(1, X) =:= blocks_size]) end,
  Part = fun(L, K) -> [X || {instance, _, P} <- L, {T, S} <- P, lists:member(T, K), X <- S] end,
  Ratio = fun(_, 0) -> undefined; (B, T) -> round(10000 * B / T) / 10000 end,
  Fill = fun(L, I) ->
    M = Part(L, [mbcs | [mbcs_pool || I =:= 2]]), S = Part(L, [sbcs]),
    {B, T, N, H} = {Blocks(M, I), Carriers(M, I), Blocks(S, I), Carriers(S, I)},
    Some([{carriers_mb, Mb(T)}, {blocks_mb, Mb(B)}, {unused_mb, Mb(T - B)}, {usage_ratio, Ratio(B, T)},
          {sbcs_carriers_mb, Mb(H)}, {sbcs_blocks_mb, Mb(N)}, {sbcs_usage_ratio, Ratio(N, H)}]) end,
  Pool = fun(L) -> #{pool_carriers_mb => Mb(Carriers(Part(L, [mbcs_pool]), 2))} end,
  All = fun() -> [X || {_, L} = X <- [{A, erlang:system_info({allocator_sizes, A})}
                                      || A <- erlang:system_info(alloc_util_allocators)], is_list(L)] end,
  Rank = fun(K, L) -> [X || {_, X} <- lists:reverse(lists:keysort(1, [{maps:get(K, X), X} || X <- L]))] end,
  List = fun(L) -> #{total => length(L), showing => length(L), allocators => L} end,
  Both = fun(A, L) -> #{name => Text(A), current => maps:merge(Fill(L, 2), Pool(L)), maximum => Fill(L, 4)} end,
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
  L = [maps:put(name, Text(A), Fill(S, 2)) || {A, S} <- All()],
  H = min(FLOOR, lists:max([maps:get(carriers_mb, X) || X <- L])),
  W = hd(lists:sort([{maps:get(usage_ratio, X, 1), maps:get(name, X)} || X <- L, maps:get(carriers_mb, X) >= H])),
  T = fun(K) -> round(100 * lists:sum([maps:get(K, X) || X <- L])) / 100 end,
  #{carriers_mb => round(100 * (T(carriers_mb) + T(sbcs_carriers_mb))) / 100,
    blocks_mb => round(100 * (T(blocks_mb) + T(sbcs_blocks_mb))) / 100,
    unused_mb => T(unused_mb), usage_ratio => element(1, W), worst_allocator => element(2, W)}.]=])
      :gsub("FLOOR", FLOOR),

    summary = SIZES .. [=[
  List(Rank(carriers_mb, [maps:put(name, Text(A), maps:merge(Fill(L, 2), Pool(L))) || {A, L} <- All()])).]=],

    fragmentation = SIZES .. [=[
  List([maps:remove(unused_mb, X) || X <- Rank(unused_mb,
    [maps:put(unused_mb, maps:get(unused_mb, maps:get(current, X)), X) || {A, L} <- All(), X <- [Both(A, L)]])]).]=],

    -- The settings and the numbers of carriers and blocks stand in the longer of the node's two answers.
    one = SIZES .. [=[
  A = binary_to_existing_atom(AllocatorName),
  case erlang:system_info({allocator, A}) of
    [_ | _] = L ->
      Number = fun(S, K) -> lists:sum([Nth(X, 2) || X <- S, element(1, X) =:= K, is_integer(element(2, X))]
        ++ [Nth(X, 2) || {blocks, T} <- S, K =:= blocks, {_, Y} <- T, X <- Y, element(1, X) =:= count]) end,
      Count = fun(P) -> S = Part(P, [mbcs, mbcs_pool, sbcs]),
        #{carrier_count => Number(S, carriers), block_count => Number(S, blocks)} end,
      O = hd([S || {instance, _, P} <- L, {options, S} <- P] ++ [[]]),
      I = Rank(unused_mb, [maps:merge(#{id => N}, maps:merge(Count([X]), maps:merge(Fill([X], 2), Pool([X]))))
                           || {instance, N, _} = X <- L]),
      S = lists:sublist(I, 50),
      maps:merge(maps:merge(Both(A, L), Count(L)), Some([{strategy, case Get(as, O) of
        T when is_atom(T), T =/= undefined -> Text(T); _ -> undefined end},
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
