--- Processes outside of the trees: that nobody is linked to, whose parent is dead, that outlived their supervisor.

local texts = ...

-- The dead parents of those who live; before OTP 25, of those who keep their ancestors in the dictionary. What
-- holds all processes is bound inside of funs only, so that a million of them are not kept three times; whom a
-- list is of is then gone through in slices beside our heap (`Part`).
local DEAD = texts.tree .. [=[
  Dead = fun(K) -> L = Run(maps:keys(K), [{'$1', [{'=:=', {node, '$1'}, {node}}], ['$1']}]),
    Run(lists:zip(lists:map(fun erlang:is_process_alive/1, L), L), [{{false, '$1'}, [], ['$1']}]) end,
  Lost = fun(K) -> lists:append(maps:values(maps:with(Dead(K), K))) end,
  Above = fun(P) when Modern -> Item(P, parent); (P) -> Up(P) end,
  Cut = fun Cut(L, I, A) when I > 5000 ->
              {H, T} = lists:split(5000, L), Cut(T, I - 5000, [term_to_binary(H) | A]);
            Cut(L, _, A) -> [term_to_binary(L) | A] end,
  Part = fun(L) -> Cut(L, length(L), []) end,
  Heavy = fun(S, N) -> G = Shape(memory),
    [P || {_, _, _, P} <- lists:foldl(fun(B, A) ->
      Best([binary_to_term(B)], [], G, N, if length(A) < N -> -1; true -> element(1, lists:last(A)) end, A) end, [], S)]
    end,
  Old = fun(P) -> case Item(P, total_heap_size) of
      X when is_integer(X), X =< 4000000 -> case Item(P, dictionary) of
          D when is_list(D) -> case Get('$ancestors', D) of Y when is_list(Y) -> Y; _ -> [] end; _ -> [] end;
      _ -> [] end end,
  Born = fun(P) -> case erlang:process_info(P, [initial_call, total_heap_size]) of
      [{_, {proc_lib, _, _} = I}, {_, X}] -> case Key(P, '$initial_call', X) of undefined -> Func(I); Y -> Func(Y) end;
      [{_, I}, _] -> Func(I); _ -> undefined end end,
  Gone = fun(X) when is_pid(X), node(X) =:= node() -> not is_process_alive(X); (_) -> false end,
]=]

local ROW = "processes[] (50, most memory first): pid, name, current_function, status, memory_kb, message_queue, "
  .. "reductions, "

return {
  queries = {
    -- Most processes are linked to who started them, so the links of the few parents acquit the many children
    -- without waking them; only the rest is asked (and everybody, where most are parents themselves). What init
    -- itself started is the machine's own.
    unlinked = DEAD .. [=[
  Kept = fun(K) when map_size(K) > 50000 -> [];
            (K) -> L = maps:to_list(maps:without(Dead(K), K)), {Ps, Vs} = lists:unzip(L),
    {_, X} = lists:unzip(lists:sublist(lists:reverse(lists:sort(lists:zip(lists:map(fun erlang:length/1, Vs), Ps))),
                                       5000)), X end,
  Free = fun(P, K) -> case Item(P, links) of L when is_list(L) -> Kids(P, K) -- L; _ -> Kids(P, K) end end,
  Loose = fun(K, L) -> lists:append([Free(P, K) || P <- L] ++ maps:values(maps:without(L, K))) end,
  Rest = fun(_) when Modern -> []; (K) -> erlang:processes() -- lists:append([[whereis(init)] | maps:values(K)]) end,
  Free2 = fun() -> (fun(K) -> (fun([]) -> Loose(K, Kept(K)); (L) -> L ++ Loose(K, Kept(K)) end)(Rest(K)) end)
    (maps:remove(whereis(init), Kin(Pack()))) end,
  {C, A} = (fun({I, S}) -> {I, Heavy(S, 5000)} end)((fun(L) -> {length(L), Part(L)} end)(Free2())),
  U = lists:filter(fun(X) -> not Ours(element(5, X)) end,
    Run(lists:zip(Ask(A, [links, monitors, monitored_by, current_function]), A),
      [{{[{links, []}, {monitors, '$1'}, {monitored_by, '$2'}, {current_function, '$3'}], '$4'}, [],
        [{{x, {length, '$1'}, {length, '$2'}, '$3', '$4'}}]}])),
  F = lists:foldl(fun(X, M) -> maps:put(X, maps:get(X, M, 0) + 1, M) end, #{}, Run(U,
    [{{'_', '_', '_', '$1', '_'}, [], ['$1']}])),
  Rows = fun(L) -> [Y || {_, M, N, _, P} <- L, Y <- Row(P, #{monitor_count => M, monitored_by_count => N})] end,
  R = Rows(lists:sublist(U, 50)),
  #{total => length(U), showing => length(R), left_out => C - length(A), processes => R,
    groups => [Some([{current_function, Func(X)}, {count, N}])
               || {X, N} <- lists:sublist(lists:reverse(lists:keysort(2, maps:to_list(F))), 10)]}.]=],

    orphaned = DEAD .. [=[
  Rows = fun(L) -> [Y || P <- L, A <- [Old(P)], Y <- Row(P, Some([{initial_call, Born(P)},
    {dead_ancestor_pids, [Show(X) || X <- lists:usort(lists:filter(Gone, [Above(P) | A]))]},
    {ancestor_names, case [Text(X) || X <- A, is_atom(X)] of [] -> undefined; X -> X end},
    {link_count, case Item(P, links) of X when is_list(X) -> length(X); _ -> undefined end}]))] end,
  {N, S} = (fun(L) -> {length(L), Part(L)} end)((fun(K) -> Lost(K) end)(Kin(Pack()))),
  A = Marked(lists:append([Still(binary_to_term(B)) || B <- S])),
  R = Rows(lists:sublist(Heavy(S, 50 + length(A)) -- A, 50)),
  #{total => N - length(A), showing => length(R), processes => R}.]=],

    -- A supervisor that was started again under its name finds none of the children of the one before.
    zombies = texts.one .. DEAD:sub(#texts.tree + 1) .. [=[
  P = Find(SupervisorName),
  Alive = is_pid(P) andalso is_process_alive(P),
  Word = fun() -> try binary_to_existing_atom(SupervisorName) catch _:_ ->
    try list_to_existing_atom("Elixir." ++ binary_to_list(SupervisorName)) catch _:_ -> none end end end,
  Atom = (fun(true) -> (fun(X) when is_atom(X) -> X; (_) -> none end)(Item(P, registered_name));
             (_) when is_pid(P) -> none; (_) -> Word() end)(Alive),
  Before = fun(none) -> []; (undefined) -> [];
              (N) -> [{X, former} || X <- Heavy(Part(Lost(K)), 2000), hd(Old(X) ++ [none]) =:= N] end,
  Named = Before(Atom),
  {Status, Mine} = case Alive of
    true -> case Listed(P) of
      {ok, L} when is_list(L) -> {alive, [{X, unlisted} || X <- Kids(P, K) -- [C || {_, C, _, _} <- L],
                                           is_process_alive(X)]};
      {many, _} -> {alive, []};
      Odd -> {Odd, []} end;
    false -> {dead, [{X, dead} || is_pid(P), X <- Kids(P, K)]} end,
  U = Mine ++ Named,
  Rows = fun(L) -> [Y || {X, W} <- L, Y <- Row(X, Some([{reason, atom_to_binary(W)}, {initial_call, Born(X)}]))] end,
  R = Rows(lists:sublist(U, 50)),
  Some([{status, atom_to_binary(Status)}, {supervisor_pid, case is_pid(P) of true -> Show(P); false -> undefined end},
    {total, length(U)}, {showing, length(R)}, {zombies, R}]).]=],
  },

  callbacks = {
    sup_unlinked_processes = {
      doc = "Processes without a link to any other: nobody hears of their end, nothing ends them. A few of OTP's own "
        .. "are so by design; thousands with one current_function were spawned and forgotten.",
      class = "SAFE",
      cost = "one item of every process; links of at most 5,000 parents; wakes those who are not linked to their "
        .. "parent, 5,000 at most",
      returns = { "total (unlinked)", "showing", "left_out (not asked, those with the least memory)",
        "groups[] (10): current_function, count", ROW .. "monitor_count, monitored_by_count" },
      query = "unlinked",
    },

    sup_orphaned_processes = {
      doc = "Processes whose parent is dead. Many live like that in good health, whoever was started by something that "
        .. "came to its end. No process keeps the time of its start: age_seconds is how long it was seen to be an "
        .. "orphan, at least, and absent where it was not seen before.",
      class = "SAFE",
      cost = "one item of every process, without a signal; wakes those that are shown",
      returns = { "total", "showing",
        ROW .. "initial_call, dead_ancestor_pids, ancestor_names, link_count, age_seconds (at least)" },
      run = function(node)
        local answer, err = node.ask "orphaned"
        if not answer then return nil, err end
        local since = {}
        for _, look in ipairs(node.history("orphan_pids", 1440)) do
          for _, pid in ipairs(look.value) do since[pid] = since[pid] or look.age end
        end
        for _, row in ipairs(answer.processes) do row.age_seconds = since[row.pid] end
        return answer
      end,
    },

    sup_zombie_children = {
      doc = "Living processes that a supervisor started and does not have any more: of a dead one, by its pid or its "
        .. "former name; of one that was started again under its name, those of its forerunner; of one alive, those it "
        .. "does not list.",
      args = { { name = "supervisor_name", type = "string" } },
      class = "SAFE",
      cost = "one item of every process; dictionaries of at most 2,000 orphans; one which_children to the supervisor, "
        .. "where it is alive",
      returns = { "status (alive, dead, none: alive and no supervisor)", "supervisor_pid", "total", "showing",
        ROW:gsub("processes", "zombies") .. "initial_call, reason (dead: their supervisor is; former: the one of that "
          .. "name before this one; unlisted: it is alive and does not list them)" },
      run = function(node, args)
        local answer, err = node.ask("zombies", args)
        if not answer then return nil, err end
        if answer.status == "silent" then return { unavailable = texts.silent } end
        return answer
      end,
    },
  },
}
