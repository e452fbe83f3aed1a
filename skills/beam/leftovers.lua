--- What is left behind and what piles up beside the heaps: links and monitors, dictionaries, persistent terms,
--- modules; traces that are still on, suspended processes, old code, locks of `global` that nobody gives back.

local texts = ...
local LIMIT = { name = "limit", type = "integer", min = 1, max = 50, default = 10 }
local WINDOW = { name = "window_ms", type = "integer", min = 100, max = 10000, default = 1000, waits = true }
local ROW = "processes[]: pid, name, current_function, status, memory_kb, message_queue, reductions, "

return {
  queries = {
    -- No item that is read from outside shows links and monitors: they lie beside the heap, and so does what
    -- `memory` has beyond it. So where processes are few all are asked, else those that have a name, work most or
    -- have most; and the lists, which are copied, only of those with most beside their heap.
    link_holders = texts.walk .. [=[
  S = All(), T = Now(),
  L = case Total(S) of
    N when N =< 5000 -> lists:append(S);
    _ -> lists:usort([P || X <- lists:sublist(registered(), 1000), P <- [whereis(X)], is_pid(P)]
      ++ [P || I <- [reductions, used], {_, _, _, P} <- Best(S, [], Shape(I), 200, 0, [])]) end,
  Word = erlang:system_info(wordsize),
  Rest = fun(P) -> case process_info(P, [memory, total_heap_size, message_queue_len]) of
    [{_, B}, {_, H}, {_, 0}] -> [{B - H * Word, P}]; [{_, B}, {_, H}, _] -> [{(B - H * Word) div 2, P}];
    _ -> [] end end,
  U = [P || {B, P} <- lists:sublist(lists:reverse(lists:sort(lists:flatmap(Rest, L))), 2 * Limit + 16), B > 0,
    not Ours(P)],
  Of = fun(P) -> case process_info(P, [links, monitors, monitored_by, memory, total_heap_size]) of
    [{_, A}, {_, B}, {_, C}, {_, M}, {_, H}] -> {length(A), length(B), length(C), (M - H * Word) div 1024};
    _ -> gone end end,
  V = [{P, Of(P)} || P <- U],
  receive after WindowMs -> ok end,
  W = Since(T),
  R = [{A + B + C, Y} || {P, {A0, B0, C0, _}} <- V, {A, B, C, K} <- [Of(P)], Y <- Row(P, #{link_count => A,
    monitor_count => B, monitored_by_count => C, link_growth => A - A0, monitor_growth => B - B0,
    monitored_by_growth => C - C0, beside_heap_kb => K})],
  Z = [Y || {_, Y} <- lists:sublist(lists:reverse(lists:keysort(1, R)), Limit)],
  #{seconds => W, total => Total(S), looked_at => length(L), showing => length(Z), processes => Z}.]=],

    -- A dictionary is copied to be counted, so none of a process of over 32 MB. Its size is that of a message with
    -- it to ourselves, beside our heap: erts_debug knows it too, but may have to be loaded.
    dictionaries = texts.walk .. [=[
  S = All(), T = Now(), K = erlang:make_ref(), I = [memory, total_heap_size], W = erlang:system_info(wordsize),
  erlang:process_flag(message_queue_data, off_heap),
  L = [P || {_, _, _, P} <- Top(S, [], Shape(used), 30, 0), case Item(P, total_heap_size) of
    H when is_integer(H), H =< 4000000 -> true; _ -> false end],
  Size = fun(D) ->
    [[{_, A}, {_, A0}], _, [{_, B}, {_, B0}]] = lists:zipwith(fun erlang:apply/2,
      [fun erlang:process_info/2, fun erlang:send/2, fun erlang:process_info/2], [[self(), I], [self(), {K, D}],
        [self(), I]]),
    receive {K, _} -> B div W - B0 - A div W + A0 end end,
  Of = fun(P) -> case Item(P, dictionary) of D when is_list(D) -> {length(D), Size(D)}; _ -> gone end end,
  V = [{P, Of(P)} || P <- L],
  receive after WindowMs -> ok end,
  Took = Since(T),
  R = [{B, Y} || {P, {A0, B0}} <- V, {A, B} <- [Of(P)], Y <- Row(P, #{entries => A, dictionary_kb => Kb(B),
    entries_growth => A - A0, dictionary_growth_kb => Kb(B) - Kb(B0)})],
  Z = [Y || {_, Y} <- lists:sublist(lists:reverse(lists:keysort(1, R)), Limit)],
  #{seconds => Took, total => Total(S), looked_at => length(L), showing => length(Z), processes => Z}.]=],

    -- Who puts or erases a term makes the collector of literals walk through every process; its work tells what
    -- the count does not: terms that are written anew. Code that is purged has literals too, which the purger tells.
    literals = texts.words .. [=[
  C = [P || P <- lists:sublist(erlang:processes(), 100),
            Item(P, initial_call) =:= {erts_literal_area_collector, start, 0}],
  Did = fun(L) -> lists:sum([X || P <- L, X <- [Item(P, reductions)], is_integer(X)]) end,
  Old = [P || P <- [whereis(erts_code_purger)], is_pid(P)],
  T = Now(), A = persistent_term:info(), R = Did(C), N = Did(Old),
  receive after WindowMs -> ok end,
  W = Since(T), B = persistent_term:info(),
  #{seconds => W, count_before => maps:get(count, A), count => maps:get(count, B), memory_mb => Mb(maps:get(memory, B)),
    memory_mb_before => Mb(maps:get(memory, A)), collector_reductions_per_sec => round((Did(C) - R) / W),
    purger_reductions_per_sec => round((Did(Old) - N) / W)}.]=],

    modules = texts.words .. [=[
  T = Now(), A = erlang:loaded(), M = erlang:memory(code),
  receive after WindowMs -> ok end,
  W = Since(T), B = erlang:loaded(), N = B -- A, L = lists:sublist(N, 50),
  #{seconds => W, modules_before => length(A), modules => length(B), born => length(N), gone => length(A -- B),
    code_mb_before => Mb(M), code_mb => Mb(erlang:memory(code)), total => length(N), showing => length(L),
    names => [Text(X) || X <- L]}.]=],

    -- Who runs the old code of a module is asked of those who wait, for who runs may be long in answering; it says so
    -- by what it has on its stack, and is not collected for it. Of many processes only those are asked that have a name
    -- or began in that module.
    old_code = texts.walk .. [=[
  S = All(), L = erlang:loaded(),
  Ms = [M || {true, M} <- lists:zip(lists:map(fun erlang:check_old_code/1, L), L)],
  Named = [P || X <- lists:sublist(registered(), 1000), P <- [whereis(X)], is_pid(P)],
  Of = case Total(S) of
    N when N =< 5000 -> fun(_) -> lists:append(S) end;
    _ -> fun(M) -> lists:usort(Named ++ lists:sublist(lists:append([Those(H, initial_call, {M, '_', '_'}) || H <- S]),
           2000)) end end,
  Z = [{M, X} || M <- lists:sublist(lists:sort(Ms), 10),
    X <- [[P || P <- Those(Of(M), status, waiting), true =:= erlang:check_process_code(P, M, [{allow_gc, false}])]]],
  #{old_code_count => length(Ms), looked_at => case Ms of [] -> 0; [M | _] -> length(Of(M)) end,
    users => [maps:merge(#{module => Text(M), process_count => length(X)}, maps:with([pid, name, current_function], Y))
      || {M, [P | _] = X} <- Z, Y <- Row(P, #{})]}.]=],

    -- Flags that new processes get show a trace of all; else those of some processes are asked for. Nobody is woken
    -- for a status or a group leader. Who suspends is asked of all, but only where somebody is suspended.
    leftovers = texts.walk .. [=[
  S = All(),
  Which = fun(I, X) -> M = ets:match_spec_compile([{{{I, X}, '$1'}, [], ['$1']}]),
    lists:append([ets:match_spec_run(lists:zip(Ask(H, I), H), M) || H <- S]) end,
  Rows = fun(L) -> [Y || P <- lists:sublist(L, 10), Y <- Row(P, #{})] end,
  Words = fun(L) when is_list(L) -> [Text(X) || X <- L]; (_) -> [] end,
  Whose = fun(X) when is_pid(X) -> Show(X); (_) -> undefined end,
  Traced = fun(P) -> case catch erlang:trace_info(P, flags) of {_, [_ | _] = L} -> [{P, L}]; _ -> [] end end,
  Tracer = fun(P) -> case catch erlang:trace_info(P, tracer) of {_, X} -> Whose(X); _ -> undefined end end,
  F = Words(case catch erlang:trace_info(new, flags) of {_, X} -> X; _ -> [] end),
  Some1000 = lists:sublist(lists:append(S), 1000), Tr = lists:flatmap(Traced, Some1000),
  Su = Which(status, suspended),
  Suspends = fun(P) -> case Item(P, suspending) of
    [_ | _] = L -> [#{pid => Show(P), suspends => [Show(X) || {X, _, _} <- L]}]; _ -> [] end end,
  By = if Su =:= [] -> []; true -> lists:flatmap(Suspends, lists:sublist(lists:append(S), 5000)) end,
  G = lists:usort(lists:append([lists:usort([X || {_, X} <- Ask(H, group_leader)]) || H <- S])),
  Dead = [X || X <- G, node(X) =:= node(), not is_process_alive(X)],
  Led = lists:append([Which(group_leader, X) || X <- lists:sublist(Dead, 20)]),
  Ms = erlang:loaded(),
  Old = [M || {true, M} <- lists:zip(lists:map(fun erlang:check_old_code/1, Ms), Ms)],
  Lo = case ets:info(global_locks, size) of N when is_integer(N) ->
    [case X of {I, _, [{P, _} | _]} -> Some([{lock, Label(I)}, {holder, Whose(P)}]); _ -> #{} end
     || X <- case ets:match_object(global_locks, '_', 20) of {L, _} -> L; _ -> [] end]; _ -> [] end,
  Es = ets:all(), Ti = whereis(timer_server),
  Timers = if Ti =:= undefined -> undefined; true ->
    lists:max([0 | [N || X <- ets:match_spec_run(
      lists:zip(lists:zipwith(fun ets:info/2, Es, lists:duplicate(length(Es), owner)), Es),
      ets:match_spec_compile([{{Ti, '$1'}, [], ['$1']}])), N <- [ets:info(X, size)], is_integer(N)]]) end,
  Some([{multi_scheduling, Text(erlang:system_info(multi_scheduling))}, {trace_flags_of_new, F},
    {tracer, case F of [] -> undefined; _ -> Tracer(new) end},
    {traced_count, length(Tr)}, {traced_of, length(Some1000)},
    {traced, [Some([{pid, Show(P)}, {flags, Words(L)}, {tracer, Tracer(P)}]) || {P, L} <- lists:sublist(Tr, 5)]},
    {suspended_count, length(Su)}, {suspended, Rows(Su)}, {suspenders, lists:sublist(By, 10)},
    {led_by_the_dead_count, length(Led)}, {led_by_the_dead, Rows(Led)},
    {old_code_count, length(Old)}, {old_code, [Text(M) || M <- lists:sublist(lists:sort(Old), 50)]},
    {global_lock_count, length(Lo)}, {global_locks, Lo},
    {timer_server_timers, Timers}]).]=],
  },

  callbacks = {
    beam_link_holders = {
      brief = "most links, monitors",
      doc = "Who has most links and monitors, and whether they become more: a leak of links, or of monitors that are "
        .. "never given up. On a node with over 5,000 processes only those with a name, most work or most memory.",
      args = { LIMIT, WINDOW },
      class = "SAFE",
      cost = "wakes up to 5,000 processes once; copies the links and monitors of twice those shown, twice",
      returns = { "seconds", "total", "looked_at", "showing", ROW .. "link_count, monitor_count (whom it monitors), "
        .. "monitored_by_count, link_growth, monitor_growth, monitored_by_growth, beside_heap_kb (memory beyond its "
        .. "heap)" },
      query = "link_holders",
    },

    beam_dictionary_growth = {
      brief = "",
      doc = "The process dictionaries of the 30 largest processes (none of over 32 MB): entries, size, what they "
        .. "gained in the window. Never what is in them.",
      args = { LIMIT, WINDOW },
      class = "SAFE",
      cost = "wakes 30 processes three times and copies their dictionaries",
      returns = { "seconds", "total", "looked_at", "showing",
        ROW .. "entries, dictionary_kb, entries_growth, dictionary_growth_kb" },
      query = "dictionaries",
    },

    beam_persistent_term_growth = {
      brief = "more of them, or rewritten",
      doc = "Whether persistent terms become more, and whether they are written anew: each time one is, every process "
        .. "is searched for the old one, which the collector's reductions show.",
      args = { WINDOW },
      class = "SAFE",
      cost = "two counters twice, an item of the first 100 processes",
      returns = { "seconds", "count_before", "count", "memory_mb_before", "memory_mb", "collector_reductions_per_sec",
        "purger_reductions_per_sec (of code that is loaded anew)" },
      query = "literals",
    },

    beam_module_growth = {
      brief = "",
      doc = "Whether modules become more: code that is generated and loaded again and again fills code and atoms.",
      args = { WINDOW },
      class = "SAFE",
      cost = "the list of modules twice",
      returns = { "seconds", "modules_before", "modules", "born", "gone", "code_mb_before", "code_mb", "total",
        "showing", "names (of the born)" },
      query = "modules",
    },

    beam_old_code = {
      brief = "who runs it",
      doc = "Who still runs the old version of a module that was loaded anew: the next load of it ends them. Old code "
        .. "that nobody runs is harmless. On a node with over 5,000 processes only those with a name, and those that "
        .. "began in that module, are asked.",
      class = "SAFE",
      cost = "up to 5,000 processes that wait are woken for each module with old code, 10 modules at most",
      returns = { "old_code_count (modules)", "looked_at (processes)", "users[]: module, process_count (at least), "
        .. "pid, name, current_function (of one of them)" },
      query = "old_code",
    },

    beam_leftovers = {
      brief = "traces, suspended, old code, locks",
      doc = "What somebody left behind: traces that are on, suspended processes and who suspends them, processes whose "
        .. "group leader is dead, modules with old code, held locks of global, timers of the timer server.",
      class = "SAFE",
      cost = "two items of every process, none of them woken but those shown; where somebody is suspended up to 5,000 "
        .. "are, to find by whom",
      returns = { "multi_scheduling (enabled, else somebody blocks it)", "trace_flags_of_new (flags that every new "
        .. "process gets; empty is right)", "tracer", "traced_count, traced_of (of so many processes), "
        .. "traced[]: pid, flags, tracer", "suspended_count", "suspended[] (10 at most)", "suspenders[]: pid, suspends",
        "led_by_the_dead_count, led_by_the_dead[] (processes, 10 at most)", "old_code_count, old_code (modules)",
        "global_lock_count (20 at most), global_locks[]: lock, holder", "timer_server_timers" },
      query = "leftovers",
    },
  },
}
