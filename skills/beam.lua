--- The virtual machine: memory, processes, mailboxes, schedulers, atoms. What it costs to
--- ask differs a hundredfold: some items of a process are read from outside, for others the
--- process is woken to answer. So every question reads a cheap item of all processes first,
--- in compiled code, and the dear ones only of those that it will show.

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
-- read since OTP 26.2; before that the whole is copied, so not that of a process of over 32 MB.
local ROWS = WORDS .. [=[
  Key = fun(P, K, H) ->
    case catch erlang:process_info(P, {dictionary, K}) of
      {{dictionary, _}, X} -> X;
      _ when H > 4000000 -> undefined;
      _ -> case Item(P, dictionary) of undefined -> undefined; D -> Get(K, D) end end end,
  Label = fun(undefined) -> undefined; (X) -> unicode:characters_to_binary(io_lib:format("~0tP", [X, 8])) end,
  Name = fun(_, R, _, _) when is_atom(R) -> Text(R);
            (P, _, {proc_lib, _, _}, H) -> Func(Key(P, '$initial_call', H));
            (P, _, {erlang, apply, _}, _) -> Label(Item(P, {dictionary, '$process_label'}));
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
-- The dead count as 0 and are not found. `Top` is the same without other questions of ours, which run
-- at the same time and are told by what started them and by their group leader, who sits where ours
-- does. A shape says which item, where in it the figures stand,
-- X and E. The order of garbage_collection_info is that of this release, so we ask for our own.
local WALK = ROWS .. [=[
  Slices = fun Slices(L, K, A) when K > 2000 ->
                 {H, T} = lists:split(2000, L), Slices(T, K - 2000, [lists:delete(self(), H) | A]);
               Slices(L, _, A) -> [lists:delete(self(), L) | A] end,
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
  Ours = fun(P) -> Item(P, initial_call) =:= {erpc, execute_call, 4} andalso node() =/= node(group_leader())
    andalso case Item(P, group_leader) of X when is_pid(X) -> node(X) =:= node(group_leader()); _ -> false end end,
  Top = fun(S, B, G, N, Th) ->
    lists:sublist([X || {_, _, _, P} = X <- Best(S, B, G, N + 16, Th, []), not Ours(P)], N) end,
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

local SNAPSHOT_PATIENCE = 5 -- seconds

local LIMIT = { name = "limit", type = "integer", min = 1, max = 50, default = 10 }
local ROW = "processes[]: pid, name, current_function, status, memory_kb, message_queue, reductions"

---@type Skill
return {
  name = "beam",
  title = "BEAM virtual machine",
  about = "Memory by category, processes, mailboxes, schedulers, reductions, binaries and atoms.",

  prompt = [=[
You look after the virtual machine of one BEAM node: memory, processes, mailboxes, schedulers, atoms.
Worth a notification: a mailbox that grows, or is long and never shorter; one process with most of the
memory, the reductions or the binaries; a number of processes or of atoms that rises at every look;
schedulers without rest. Look twice before you call something growth: a burst that drains is health.
Not worth one: large but steady memory, many processes by design, a high but flat atom count.
Name the process (name and pid), what it was doing (current_function), both figures and the time between.]=],

  uses = { "history" },
  keep = { "atoms" },
  urgent = { "pulse" },

  -- Where questions of low priority get no answer, that is the first thing to know.
  snapshot = function(node)
    local figures, err = node.ask("snapshot", nil, SNAPSHOT_PATIENCE)
    if figures then return figures end
    local pulse = node.ask "pulse"
    if not pulse then return nil, err end
    pulse.starved = true
    return pulse
  end,

  texts = { words = WORDS, rows = ROWS, walk = WALK, refs = REFS, wall = WALL, counts = COUNTS, where = WHERE },

  queries = {
    -- The host's or the container's memory is known to os_mon alone; reading /proc or a cgroup would go
    -- through the node's file server, which may be what is stuck. So without os_mon that figure is absent.
    snapshot = WALK .. COUNTS .. [=[
  L = Over(All(), Shape(message_queue_len), 0),
  Used = case whereis(memsup) of
    undefined -> undefined;
    _ -> case catch gen_server:call(memsup, get_system_memory_data, 2000) of
           [_ | _] = D ->
             T = proplists:get_value(total_memory, D, 0),
             F = proplists:get_value(free_memory, D, 0) + proplists:get_value(cached_memory, D, 0)
                 + proplists:get_value(buffered_memory, D, 0),
             if T > 0 -> Pct(T - proplists:get_value(available_memory, D, F), T); true -> undefined end;
           _ -> undefined end end,
  maps:merge(maps:merge(maps:with([total_mb, processes_mb, binary_mb, ets_mb], Memory()), Counts()), Some([
    {memory_utilization_pct, Used},
    {process_utilization_pct, Pct(erlang:system_info(process_count), erlang:system_info(process_limit))},
    {port_utilization_pct, Pct(erlang:system_info(port_count), erlang:system_info(port_limit))},
    {atom_utilization_pct, Pct(erlang:system_info(atom_count), erlang:system_info(atom_limit))},
    {scheduler_run_queue, erlang:statistics(total_run_queue_lengths_all)},
    {schedulers_online, erlang:system_info(schedulers_online)},
    {binary_memory_mb, Mb(erlang:memory(binary))},
    {max_message_queue, lists:max([0 | L])}, {total_message_queue, lists:sum(L)}])).]=],

    -- What needs neither the processes nor a lock. It may go before the node's own work.
    pulse = [=[
  #{process_count => erlang:system_info(process_count), port_count => erlang:system_info(port_count),
    atom_count => erlang:system_info(atom_count), schedulers_online => erlang:system_info(schedulers_online),
    scheduler_run_queue => erlang:statistics(total_run_queue_lengths_all)}.]=],

    memory = WORDS .. COUNTS .. [=[ Memory().]=],

    processes = [=[
  #{process_count => erlang:system_info(process_count), process_limit => erlang:system_info(process_limit),
    port_count => erlang:system_info(port_count), port_limit => erlang:system_info(port_limit)}.]=],

    schedulers = [=[
  #{schedulers => erlang:system_info(schedulers), schedulers_online => erlang:system_info(schedulers_online),
    dirty_cpu_schedulers_online => erlang:system_info(dirty_cpu_schedulers_online),
    dirty_io_schedulers => erlang:system_info(dirty_io_schedulers),
    run_queue => erlang:statistics(total_run_queue_lengths_all)}.]=],

    atoms = WORDS .. [=[
  #{atom_count => erlang:system_info(atom_count), atom_limit => erlang:system_info(atom_limit),
    atom_mb => Mb(erlang:memory(atom)), atom_used_mb => Mb(erlang:memory(atom_used))}.]=],

    system = WORDS .. [=[
  Some([{node, atom_to_binary(node())}, {otp_release, list_to_binary(erlang:system_info(otp_release))},
    {elixir_version, case application:get_key(elixir, vsn) of {ok, X} -> list_to_binary(X); _ -> undefined end},
    {uptime_seconds, element(1, erlang:statistics(wall_clock)) div 1000},
    {schedulers_online, erlang:system_info(schedulers_online)}]).]=],

    persistent_terms = WORDS .. [=[
  I = persistent_term:info(), #{count => maps:get(count, I), memory_mb => Mb(maps:get(memory, I))}.]=],

    -- Ranked by heap blocks, which are nearly all of the memory; the exact figure wakes a process.
    top = WALK .. [=[
  {I, K} = case binary_to_existing_atom(SortBy) of memory -> {memory, memory_kb};
             reductions -> {reductions, reductions}; message_queue -> {message_queue_len, message_queue} end,
  S = All(),
  List(S, Rank(K, [X || {_, _, _, P} <- Top(S, [], Shape(I), 10 + Limit + Limit div 2, -1), X <- Row(P, #{})],
    Limit)).]=],

    queues = WALK .. [=[
  S = All(), G = Shape(message_queue_len),
  N = length(Over(S, G, Threshold)),
  L = [X || {_, _, _, P} <- Best(S, [], G, 50, Threshold, []), X <- Row(P, #{})],
  #{total => N, showing => length(L), processes => L}.]=],

    queue_stats = WALK .. [=[
  S = All(), G = Shape(message_queue_len),
  L = Over(S, G, 0),
  Some([{total_queued_messages, lists:sum(L)}, {processes_with_queues, length(L)},
        {processes_with_large_queues, length([X || X <- L, X > 1000])},
        {processes_with_critical_queues, length([X || X <- L, X > 10000])}, {max_queue_size, lists:max([0 | L])},
        {max_queue_process, case [X || {_, _, _, P} <- Best(S, [], G, 1, 0, []), X <- Row(P,
          #{})] of [X] -> X; _ -> undefined end}]).]=],

    -- Ranked twice: by what was gained, and by length, for a long queue that stands still tells something too.
    queue_growth = WALK .. [=[
  S = All(), {I, P, X, E} = G = Shape(message_queue_len), T = Now(),
  A = Look(S, [], G, []), B = Look(S, [], {I, P, 0, E}, []),
  receive after IntervalMs -> ok end,
  W = Since(T),
  U = lists:usort([{H, N - D, N} || {D, N, _, H} <- Best(S, A, G, Limit, 0, [])]
               ++ [{H, N - D, N} || {_, N, D, H} <- Best(S, B, G, Limit, 0, [])]),
  L = lists:reverse(lists:sort([{N - M, N, H} || {H, M, N} <- lists:ukeysort(1, U)])),
  maps:merge(#{seconds => W}, List(S, [Y || {D, N, H} <- L,
    Y <- Row(H, #{queue_growth => D, initial_queue => N - D, final_queue => N, message_queue => N})])).]=],

    -- Whatever a process holds that is its own business stays there: of messages the number, of the
    -- dictionary the keys, of the stack the functions. One that is stuck in native code answers
    -- nothing of this, and then the deadline ends the question.
    info = REFS .. [=[
  To = fun To({process, X}) -> To(X);
           To({port, X}) -> To(X);
           To({X, N}) when is_atom(X), is_atom(N) -> iolist_to_binary([Text(X), "@", atom_to_binary(N)]);
           To(X) when is_pid(X) -> Show(X);
           To(X) when is_port(X) -> list_to_binary(erlang:port_to_list(X));
           To(X) when is_atom(X) -> Text(X);
           To(_) -> list_to_binary("other") end,
  Word = fun(X) when is_atom(X) -> Text(X);
            (X) when is_tuple(X), is_atom(element(1, X)) -> iolist_to_binary(["{", Text(element(1, X)), ", ...}"]);
            (_) -> list_to_binary("(no atom)") end,
  Few = fun(X) -> lists:map(To, lists:sublist(X, 10)) end,
  Whole = fun(P, I) ->
    V = fun(K) -> Get(K, I) end,
    D = case V(total_heap_size) of H when H =< 4000000 -> Item(P, dictionary); _ -> undefined end,
    Own = fun(K) when D =:= undefined -> undefined; (K) -> Get(K, D) end,
    Row(P, maps:merge(Held(Refs(P), 0), Some([
      {initial_call, case Own('$initial_call') of undefined -> Func(V(initial_call)); C -> Func(C) end},
      {stack, [Func({M, F, A}) || {M, F, A, _} <- V(current_stacktrace)]},
      {heap_kb, Kb(V(heap_size))}, {total_heap_kb, Kb(V(total_heap_size))}, {stack_kb, Kb(V(stack_size))},
      {link_count, length(V(links))}, {links, Few(V(links))},
      {monitor_count, length(V(monitors))}, {monitors, Few(V(monitors))},
      {monitored_by_count, length(V(monitored_by))}, {monitored_by, Few(V(monitored_by))},
      {suspending, [To(X) || {X, _, _} <- V(suspending)]}, {priority, Text(V(priority))}, {trap_exit, V(trap_exit)},
      {group_leader, Show(V(group_leader))}, {message_queue_data, Text(V(message_queue_data))},
      {minor_gcs, Get(minor_gcs, V(garbage_collection))}, {fullsweep_after, Get(fullsweep_after,
        V(garbage_collection))},
      {dictionary_keys, if is_list(D) -> [Word(K) || {K, _} <- lists:sublist(D, 50)]; true -> undefined end},
      {dictionary_count, if is_list(D) -> length(D); true -> undefined end},
      {parent, case Item(P, parent) of X when is_pid(X) -> Show(X); _ -> undefined end},
      {ancestors, case Own('$ancestors') of L when is_list(L) -> Few(L); _ -> undefined end}]))) end,
  case Find(Pid) of
    P when is_pid(P) ->
      case erlang:process_info(P, [total_heap_size, heap_size, stack_size, current_stacktrace, links, monitors,
        monitored_by,
             priority, trap_exit, group_leader, suspending, garbage_collection, message_queue_data, initial_call]) of
        undefined -> []; I -> Whole(P, I) end;
    _ -> [] end.]=],
  },

  callbacks = {
    beam_get_memory = {
      doc = "Memory by category. processes_used is what the processes' heaps hold; system includes binary, ets, "
        .. "code, atom.",
      class = "SAFE",
      returns = { "total_mb", "processes_mb", "processes_used_mb", "system_mb", "binary_mb", "ets_mb", "code_mb",
        "atom_mb" },
      query = "memory",
    },

    beam_get_processes = {
      doc = "How many processes and ports there are, and may be.",
      class = "SAFE",
      returns = { "process_count", "process_limit", "port_count", "port_limit" },
      query = "processes",
    },

    beam_get_schedulers = {
      doc = "How many schedulers there are, and how many runnable processes wait for one now.",
      class = "SAFE",
      returns = { "schedulers", "schedulers_online", "dirty_cpu_schedulers_online", "dirty_io_schedulers",
        "run_queue" },
      query = "schedulers",
    },

    beam_get_atoms = {
      doc = "How many atoms there are, and may be: the node ends when the table is full.",
      class = "SAFE",
      returns = { "atom_count", "atom_limit", "atom_mb", "atom_used_mb" },
      query = "atoms",
    },

    beam_get_system = {
      doc = "Releases and uptime.",
      class = "SAFE",
      returns = { "node", "otp_release", "elixir_version (where Elixir runs)", "uptime_seconds",
        "schedulers_online" },
      query = "system",
    },

    beam_get_persistent_terms = {
      doc = "Persistent terms: how many, and what they take.",
      class = "SAFE",
      returns = { "count", "memory_mb" },
      query = "persistent_terms",
    },

    beam_top_processes = {
      doc = "The processes with most memory, the longest mailbox or most reductions since their start.",
      args = { LIMIT, { name = "sort_by", type = "choice", of = { "memory", "message_queue", "reductions" },
        default = "memory" } },
      class = "SAFE",
      returns = { "total", "showing", ROW },
      query = "top",
    },

    beam_process_info = {
      doc = "One process whole, by pid or registered name. Of messages and dictionary only numbers and keys.",
      args = { { name = "pid", type = "string" } },
      class = "SAFE",
      returns = { (ROW:gsub("^%S+ ", "")), "initial_call", "stack (functions, innermost first)", "heap_kb",
        "total_heap_kb",
        "stack_kb", "link_count", "links", "monitor_count", "monitors", "monitored_by_count", "monitored_by",
          "suspending",
        "priority", "trap_exit", "group_leader", "message_queue_data", "minor_gcs", "fullsweep_after",
          "dictionary_count",
        "dictionary_keys", "binary_count", "binary_memory_kb", "parent (OTP 25)", "ancestors" },
      run = function(node, args)
        local found, err = node.ask("info", args)
        if not found then return nil, err end
        if #found == 0 then return nil, "no such process now; pid is text like <0.123.0>, or a registered name" end
        return found[1]
      end,
    },

    beam_queue_processes = {
      doc = "Processes with a mailbox longer than threshold, longest first, the first 50 of them.",
      args = { { name = "threshold", type = "integer", min = 0, max = 1e9, default = 1000 } },
      class = "SAFE",
      returns = { "total", "showing", ROW },
      query = "queues",
    },

    beam_queue_stats = {
      doc = "All mailboxes together.",
      class = "SAFE",
      returns = { "total_queued_messages", "processes_with_queues", "processes_with_large_queues (over 1000)",
        "processes_with_critical_queues (over 10000)", "max_queue_size", "max_queue_process: " .. ROW:gsub("^%S+ ",
          "") },
      query = "queue_stats",
    },

    beam_queue_growth = {
      doc = "Two looks at the mailboxes: those that grew most and those that are longest, most grown first, "
        .. "`limit` of each kind.",
      args = { { name = "interval_ms", type = "integer", min = 100, max = 10000, default = 1000, waits = true },
        LIMIT },
      class = "SAFE",
      returns = { "seconds", "total", "showing",
        ROW .. ", queue_growth (may be negative), initial_queue, final_queue" },
      query = "queue_growth",
    },
  },
}
