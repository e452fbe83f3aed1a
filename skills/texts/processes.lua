--- Erlang that several skills share: how a process is named and shown, how all of them are walked
--- through cheaply, how schedulers are measured. Every skill file is handed these texts.

-- Put together here from constants, and nowhere else. Variables are few, since each new name
-- is an atom on the node for ever; map patterns are avoided, since erl_eval is slow at them, and
-- binaries in <<>>, for which it would load a module.

-- Texts and figures. Elixir's modules print as in Elixir, absent figures are left out.
local WORDS = [=[
  Text = fun(X) -> case atom_to_list(X) of [$E, $l, $i, $x, $i, $r, $. | R] -> unicode:characters_to_binary(R);
                                           _ -> atom_to_binary(X) end end,
  Show = fun(X) -> list_to_binary(pid_to_list(X)) end,
  Func = fun({M, F, A}) when is_integer(A) ->
               iolist_to_binary([Text(M), ":", atom_to_binary(F), "/", integer_to_binary(A)]);
            (_) -> undefined end,
  Mb = fun(X) -> round(X / 10485.76) / 100 end,
  Kb = fun(X) -> X * erlang:system_info(wordsize) div 1024 end,
  Pct = fun(X, Y) -> round(10000 * X / max(1, Y)) / 100 end,
  Some = fun(L) -> maps:from_list([X || {_, V} = X <- L, V =/= undefined]) end,
  Get = fun(K, L) -> case lists:keyfind(K, 1, L) of {_, X} -> X; _ -> undefined end end,
  Item = fun(P, I) -> case catch erlang:process_info(P, I) of {I, X} -> X; _ -> undefined end end,
  Find = fun(B) -> L = binary_to_list(B),
    case catch case L of [$< | _] -> list_to_pid(L); _ -> whereis(binary_to_existing_atom(B)) end of
      P when is_pid(P), node(P) =:= node() -> P;
      _ -> catch whereis(list_to_existing_atom("Elixir." ++ L)) end end,
  Now = fun() -> erlang:monotonic_time(millisecond) end,
  Since = fun(T) -> max(1, Now() - T) / 1000 end,
]=]

-- One process as a row of a list, or nothing when it is gone. One key of a dictionary can be
-- read since OTP 26.2, which is found out once, for a refusal is dear; before that the whole is copied, so not
-- that of a process of over 32 MB.
local ROWS = WORDS .. [=[
  Keyed = try is_tuple(erlang:process_info(self(), {dictionary, '$ancestors'})) catch error:badarg -> false end,
  Key = fun(P, K, _) when Keyed -> Item(P, {dictionary, K});
           (_, _, H) when H > 4000000 -> undefined;
           (P, K, _) -> case Item(P, dictionary) of undefined -> undefined; D -> Get(K, D) end end,
  Label = fun(undefined) -> undefined; (X) -> unicode:characters_to_binary(io_lib:format("~0tP", [X, 8])) end,
  Name = fun(_, R, _, _) when is_atom(R) -> Text(R);
            (P, _, {proc_lib, _, _}, H) -> Func(Key(P, '$initial_call', H));
            (P, _, {erlang, apply, _}, _) when Keyed -> Label(Item(P, {dictionary, '$process_label'}));
            (_, _, {erlang, apply, _}, _) -> undefined;
            (_, _, I, _) -> Func(I) end,
  Row = fun(P, M) ->
    case erlang:process_info(P, [registered_name, initial_call, current_function, status, memory,
                                 message_queue_len, reductions, total_heap_size]) of
      [{_, R}, {_, I}, {_, F}, {_, S}, {_, B}, {_, Q}, {_, N}, {_, H}] ->
        [maps:merge(Some([{pid, Show(P)}, {name, Name(P, R, I, H)}, {current_function, Func(F)}, {status, Text(S)},
                          {memory_kb, B div 1024}, {message_queue, Q}, {reductions, N}]), M)];
      _ -> [] end end,
]=]

-- All processes but the asking one, in slices. `Look` keeps two figures of each as binaries,
-- which are no burden on our heap; `Best` finds the N with the largest X (since `Look`, where
-- that is given) above Th, as {Delta, X, DeltaE, P}; `Over` is every X above Th and nothing else.
-- The dead count as 0 and are not found. `Top` is the same without what is `Ours`: other questions, told by
-- what started them and by their group leader, who sits where ours does; and relays, told by a mark in the
-- dictionary, which is asked of few. Of all processes `Apart` finds relays that wait, nobody else being woken
-- but funs that the node's `user` leads, the 2,000 youngest of them. A shape says which item, where in it the
-- figures stand, X and E. The order of garbage_collection_info is that of this release, so we ask for our own.
-- `Lean` gives garbage back at once where lists of all processes are most of what a query may have.
-- `Fattest` is the N with the most heap and the K with the longest mailboxes: messages lie beside the heap.
local WALK = ROWS .. [=[
  Slices = fun Slices(L, K, A) when K > 5000 ->
                 {H, T} = lists:split(5000, L), Slices(T, K - 5000, [lists:delete(self(), H) | A]);
               Slices(L, _, A) -> [lists:delete(self(), L) | A] end,
  Lean = fun(X) -> erlang:system_info(process_count) > 200000 andalso erlang:garbage_collect(), X end,
  All = fun() -> L = erlang:processes(), Slices(L, length(L), []) end,
  Total = fun(S) -> lists:sum(lists:map(fun erlang:length/1, S)) end,
  Ask = fun(H, I) -> lists:zipwith(fun erlang:process_info/2, H, lists:duplicate(length(H), I)) end,
  Was = fun(H, []) -> {lists:duplicate(length(H), {0, 0}), []};
           (_, [W | R]) -> {binary_to_term(W), R} end,
  Look = fun Look([], _, _, A) -> lists:reverse(A);
             Look([H | T], B, {I, P, X, E} = G, A) ->
               {W, R} = Was(H, B),
               M = ets:match_spec_compile([{{P, {'$8', '$9'}}, [], [{{X, E}}]}, {'_', [], [{{0, 0}}]}]),
               Look(T, R, G, [term_to_binary(ets:match_spec_run(lists:zip(Ask(H, I), W), M)) | A]) end,
  Best = fun Best([], _, _, _, _, A) -> A;
             Best([H | T], B, {I, P, X, E} = G, N, Th, A) ->
               {Q, Y, D, F, R} = case B of
                 [] -> {lists:zip(Ask(H, I), H), {P, '$7'}, X, E, []};
                 [W | Z] -> {lists:zip3(Ask(H, I), binary_to_term(W), H), {P, {'$8', '$9'}, '$7'},
                             {'-', X, '$8'}, {'-', E, '$9'}, Z} end,
               V = ets:match_spec_run(Q, ets:match_spec_compile([{Y, [{'>', D, Th}], [{{D, X, F, '$7'}}]}])),
               L = lists:sublist(lists:reverse(lists:sort(V ++ A)), N),
               Best(T, R, G, N, if length(L) < N -> Th; true -> element(1, lists:last(L)) end, L) end,
  Beside = fun(P) -> case Item(P, group_leader) of
    X when is_pid(X) -> node(X) =:= node(group_leader()); _ -> false end end,
  Ours = fun(P) -> case Item(P, initial_call) of
      {erpc, execute_call, 4} -> node() =/= node(group_leader()) andalso Beside(P);
      {erlang, apply, 2} -> (Item(P, group_leader) =:= whereis(user) orelse Beside(P))
        andalso Key(P, '$beamlens', Item(P, total_heap_size)) =:= relay;
      _ -> false end end,
  Top = fun(S, B, G, N, Th) ->
    lists:sublist([X || {_, _, _, P} = X <- Best(S, B, G, N + 16, Th, []), not Ours(P)], N) end,
  Those = fun(L, I, X) -> ets:match_spec_run(lists:zip(Ask(L, I), L),
    ets:match_spec_compile([{{{I, X}, '$7'}, [], ['$7']}])) end,
  Still = fun(H) ->
    Those(Those(Those(H, group_leader, whereis(user)), initial_call, {erlang, apply, 2}), status, waiting) end,
  Marked = fun(L) -> lists:filter(Ours, lists:sublist(lists:reverse(lists:sort(L)), 2000)) end,
  Apart = fun(S) -> Marked(lists:append(lists:map(Still, S))) end,
  Theirs = fun(S) -> case Apart(S) of [] -> S; L -> [H -- L || H <- S] end end,
  Pick = fun(L) -> {I, Z} = erlang:process_info(self(), garbage_collection_info),
           {I, [case lists:keyfind(K, 1, L) of false -> '_'; X -> X end || {K, _} <- Z]} end,
  Shape = fun(I) -> {G, X, E} = case I of
        memory -> {Pick([{heap_block_size, '$1'}, {old_heap_block_size, '$2'}, {mbuf_size, '$3'}]),
                   {'+', '$1', {'+', '$2', '$3'}}, 0};
        used -> {Pick([{heap_size, '$1'}, {old_heap_size, '$2'}, {mbuf_size, '$3'},
                       {heap_block_size, '$4'}, {old_heap_block_size, '$5'}]),
                 {'+', '$1', {'+', '$2', '$3'}}, {'+', '$4', {'+', '$5', '$3'}}};
        binary -> {Pick([{bin_vheap_size, '$1'}, {bin_old_vheap_size, '$2'}]), {'+', '$1', '$2'}, 0};
        _ -> {{I, '$1'}, '$1', '$1'} end, {element(1, G), G, X, E} end,
  Fattest = fun(S, N, K) ->
    {I, P, X, _} = Shape(memory), {J, Q, Y, _} = Shape(message_queue_len),
    Few = fun(L, R, Z, Th, M, A) -> B = lists:sublist(lists:reverse(lists:sort(ets:match_spec_run(L,
            ets:match_spec_compile([{{R, '$7'}, [{'>', Z, Th}], [{{Z, '$7'}}]}])) ++ A)), M),
          {B, if length(B) < M -> Th; true -> element(1, lists:last(B)) end} end,
    Pure = fun({A, _}, M) -> lists:sublist([V || {_, V} <- A, not Ours(V)], M) end,
    Two = fun Two([], A, B) -> lists:usort(Pure(A, N) ++ Pure(B, K));
              Two([H | T], {A, Th}, {B, Th2}) -> L = lists:zip(Ask(H, [I, J]), H),
                Two(T, Few(L, [P, '_'], X, Th, N + 16, A), Few(L, ['_', Q], Y, Th2, K + 16, B)) end,
    Two(S, {[], -1}, {[], 0}) end,
  List = fun(S, L) -> #{total => Total(S), showing => length(L), processes => L} end,
  Over = fun(S, G, Th) -> M = ets:match_spec_compile([{{'$1', '_'}, [{'>', '$1', Th}], ['$1']}]),
    lists:append([ets:match_spec_run(binary_to_term(B), M) || B <- Look(S, [], G, [])]) end,
  Rank = fun(K, L, N) -> lists:sublist([X || {_, X} <- lists:reverse(lists:keysort(1,
           [{maps:get(K, X), X} || X <- L]))], N) end,
  Reds = fun() -> element(1, erlang:statistics(exact_reductions)) end,
]=]


local COUNTS = [=[
  Counts = fun() -> #{process_count => erlang:system_info(process_count),
    port_count => erlang:system_info(port_count),
    atom_count => erlang:system_info(atom_count), modules => length(erlang:loaded()),
    run_queue => erlang:statistics(total_run_queue_lengths_all)} end,
  Memory = fun() -> M = erlang:memory(), maps:from_list([{X, Mb(Get(K, M))} || {K, X} <- [
    {total, total_mb}, {processes, processes_mb}, {processes_used, processes_used_mb}, {system, system_mb},
    {binary, binary_mb}, {ets, ets_mb}, {code, code_mb}, {atom, atom_mb}]]) end,
]=]
-- References to binaries outside the heap: how many, and the bytes of those that differ. The list
-- is built on our heap, so not for a process whose own heap is over 32 MB.
local REFS = WALK .. [=[
  Refs = fun(P) -> case Item(P, total_heap_size) of H when H =< 4000000 -> Item(P, binary); _ -> undefined end end,
  Bytes = fun(L) -> lists:sum(ets:match_spec_run(lists:usort(L), ets:match_spec_compile([{{'_', '$1', '_'}, [],
    ['$1']}]))) end,
  Held = fun(undefined, Y) -> #{binary_memory_kb => Kb(Y)};
            (L, _) -> #{binary_count => length(L), binary_memory_kb => Bytes(L) div 1024} end,
]=]

-- The flag belongs to the asking process and goes with it. Schedulers are numbered normal
-- first, then dirty CPU, then dirty IO; of the normal ones only those online can work.
local WALL = [=[
  erlang:system_flag(scheduler_wall_time, true),
  Wall = fun() -> lists:sort(erlang:statistics(scheduler_wall_time_all)) end,
  Busy = fun(L) -> K = erlang:system_info(schedulers), D = K + erlang:system_info(dirty_cpu_schedulers),
    U = [{I, Pct(B - A, D1 - D0)} || {{I, A, D0}, {I, B, D1}} <- lists:zip(L, Wall())],
    {[X || {I, _} = X <- U, I =< erlang:system_info(schedulers_online)],
     [X || {I, _} = X <- U, I > K, I =< D], [X || {I, _} = X <- U, I > D]} end,
  Mean = fun([]) -> 0; (L) -> round(100 * lists:sum([X || {_, X} <- L]) / length(L)) / 100 end,
  Most = fun(L) -> lists:max([0 | [X || {_, X} <- L]]) end,
]=]

-- Where a stack stands: the first function that is not OTP's.
local WHERE = [=[
  Otp = [erlang, erts_internal, lists, maps, ets, timer, gen, gen_server, gen_statem, proc_lib, binary, string,
         unicode, re, io_lib, math, rand, crypto, prim_inet, gen_tcp, logger, erts_debug],
  Where = fun(S) -> case [{M, F, A} || {M, F, A, _} <- S, not lists:member(M, Otp)] of
             [X | _] -> X; [] -> case S of [{M, F, A, _} | _] -> {M, F, A}; _ -> none end end end,
]=]

return { words = WORDS, rows = ROWS, walk = WALK, counts = COUNTS, refs = REFS, wall = WALL, where = WHERE }
