--- Heap that is taken and not used: by processes that were large for a moment, and by those that wait.

local texts = ...

local ROW = "processes[]: pid, name, current_function, total_heap_size_kb (all blocks), used_kb, minor_gcs, "
  .. "fullsweep_after, message_queue_len, status"

return {
  queries = {
    -- Whose blocks are over the threshold, the 1,000 largest, is found anew at each look, so who is large at one of
    -- them is seen; from then on it is read at every look. Half of the time we rest.
    spiky = texts.gc .. [=[
  {I, P, X, E} = Shape(used), T = Now(), Th = round(ThresholdMb * 1048576 / Word),
  Large = fun(S) -> lists:sort([H || {_, _, _, H} <- Best(S, [], {I, P, E, X}, 1000, Th, [])]) end,
  M = ets:match_spec_compile([{{P, '$7'}, [], [{{'$7', E, X}}]}]),
  Many = fun Many(H, N, A) ->
    B = Now(), C = Lean(lists:sublist(lists:umerge(H, Large(All())), 2000)), Z = Now(),
    D = ets:match_spec_run(lists:zip(Ask(C, I), C), M) ++ A,
    if Z - T < WindowMs; N =:= 0 -> receive after max(WindowMs div 50, Z - B) -> ok end, Many(C, N + 1, D);
       true -> D end end,
  W = lists:foldl(fun({H, N, U}, F) -> {N0, L0, U0} = maps:get(H, F, {N, U, U}),
                    maps:put(H, {max(N, N0), min(U, L0), max(U, U0)}, F) end, #{}, Many([], 0, [])),
  Least = fun(H, N) -> case Item(H, garbage_collection) of [_ | _] = Y -> Get(min_heap_size, Y); _ -> N end end,
  L = lists:reverse(lists:sort([{N - max(U, K), N, U, U1 - U, H} || {H, {N, U, U1}} <- maps:to_list(W),
    N - U >= Th, N >= 2 * U orelse U1 - U >= Th, K <- [Least(H, N)], N - max(U, K) >= Th, not Ours(H)])),
  R = [Y || {V, N, U, Q, H} <- lists:sublist(L, 50), Y <- Gc(H, #{variance_mb => Mb(V * Word), peak_mb => Mb(N * Word),
    floor_mb => Mb(U * Word), swing_mb => Mb(Q * Word)})],
  #{seconds => Since(T), total => length(L), showing => length(R), processes => R}.]=],

    -- Idle is whose reductions stood still, but for looks of ours that woke it. Each slice is weighed in
    -- compiled code, and only the 50 best are kept. What a process that waits still needs, its stack or dictionary
    -- refers to: with one word on the stack, which is where to return to, and no dictionary, its heap is garbage.
    idle = texts.gc .. [=[
  S = All(), T = Now(), G = Shape(reductions), {I, P, X, E} = Shape(used),
  A = Look(S, [], G, []),
  receive after WindowMs -> ok end,
  M = ets:match_spec_compile([{{P, {{reductions, '$6'}, {'$9', '_'}}, '$7'},
    [{'<', {'-', '$6', '$9'}, 5}, {'>', {'-', E, X}, 16384 div Word}], [{{{'-', E, X}, '$7'}}]}]),
  Idle = fun Idle([], _, R) -> R;
             Idle([H | Q], [B | R], {N, V, L}) ->
               Y = ets:match_spec_run(lists:zip3(Ask(H, I), lists:zip(Ask(H, reductions), binary_to_term(B)), H), M),
               Idle(Q, R, {N + length(Y), V + lists:sum(element(1, lists:unzip(Y))),
                 lists:sublist(lists:reverse(lists:sort(Y ++ L)), 66)}) end,
  {N0, V0, L0} = Idle(S, A, {0, 0, []}),
  Us = [X || {_, H} = X <- L0, Ours(H)], L = lists:sublist(L0 -- Us, 50),
  N = N0 - length(Us), V = V0 - lists:sum([U || {U, _} <- Us]),
  W = Since(T),
  Bare = fun(H) -> case {Item(H, stack_size), Item(H, total_heap_size)} of
    {1, Q} when Q =< 1000000 -> Item(H, dictionary) =:= []; _ -> false end end,
  R = [Y || {U, H} <- L, Y <- Gc(H, #{estimated_savings_mb => Mb(U * Word), unreferenced => Bare(H)})],
  #{seconds => W, estimated_savings_mb => Mb(V * Word), total => N, showing => length(R), processes => R}.]=],
  },

  callbacks = {
    gc_find_spiky_processes = {
      doc = "Processes whose heap was much larger for a moment than it is between: blocks of twice what was least in "
        .. "use (less is the room every heap has), or a swing over the threshold. variance_mb is the most that its "
        .. "blocks took in up to 50 looks (peak_mb) less the least that was in use (floor_mb, or its min_heap_size "
        .. "where that is more); swing_mb is what the heap in use itself moved within the window. A large variance "
        .. "without a swing is a peak that has passed. From garbage_collection_info, without a trace.",
      args = { { name = "threshold_mb", type = "number", min = 0.1, max = 1e6, default = 10 },
        { name = "window_ms", type = "integer", min = 200, max = 10000, default = 1000, waits = true } },
      class = "SAFE",
      cost = "one item of every process, read from outside, at each look; rests as long as it looks",
      returns = { "seconds", "total (of the 1,000 with the largest heaps)", "showing",
        ROW .. ", variance_mb, peak_mb, floor_mb, swing_mb" },
      query = "spiky",
    },

    gc_recommend_hibernation = {
      doc = "Idle processes that would give memory back if they hibernated: their reductions stood still for the "
        .. "window, at least 16 kB of their blocks is unused. estimated_savings_mb is blocks less heap in use; a "
        .. "collection that finds garbage gives more: all of used_kb where nothing refers to it (unreferenced).",
      args = { { name = "window_ms", type = "integer", min = 100, max = 10000, default = 2000, waits = true } },
      class = "SAFE",
      cost = "three items of every process, read from outside; the processes shown are woken",
      returns = { "seconds", "estimated_savings_mb (of all that qualify)", "total", "showing",
        ROW .. ", estimated_savings_mb, unreferenced (nothing on its stack or in its dictionary refers to its heap)" },
      query = "idle",
    },
  },
}
