--- A close look at a few: what one process does with its time and its messages, who runs, who
--- makes the atoms. Many looks in one window on the node, so that little travels.

local texts = ...
local LIMIT = { name = "limit", type = "integer", min = 1, max = 50, default = 10 }

return {
  queries = {
    -- Of its messages only the length of the mailbox is seen, so what was taken is what left between
    -- two samples, and one that came meanwhile hides one that went. Looks and samples are strung
    -- together from compiled functions, six looks at a time and a sample each millisecond. Who runs is
    -- woken by each and answers at the end of its slice: there a few samples beside each other are
    -- enough, and none where an answer took 3 ms. To nap is to wait for an answer that does not come: `timer`
    -- might have to be loaded; the emulator's own receive is counted as a whole slice of work each time. Of callers who
    -- call again as soon as they are answered the mailbox shows nothing: one more came for each that went. Who did
    -- nothing in the first half, but for what looks of others cost, waited for one answer all the while.
    watch = texts.words .. [==[
  P = Find(Pid), {Wait, Tag} = case erlang:function_exported(gen, wait_response, 2) of
    true -> {fun gen:wait_response/2, erlang:make_ref()};
    false -> {fun prim_eval:'receive'/2, fun(_) -> nomatch end} end,
  Ask = fun(I) -> {fun erlang:process_info/2, [P, I]} end, Nap = fun(K) -> {Wait, [Tag, K]} end,
  Us = {fun erlang:monotonic_time/1, [microsecond]}, Size = Ask(message_queue_len),
  One = [Ask(status), Us, Ask([garbage_collection_info, garbage_collection, current_function, reductions,
    message_queue_len, memory]), Us],
  Plan = fun(L) -> lists:unzip(lists:append([One ++ X || X <- L])) end,
  Calm = Plan([lists:append(lists:duplicate(K, [Nap(1), Size])) || K <- [3, 7, 4, 8, 5, 6]]),
  Busy = Plan([lists:duplicate(10, Size) ++ [Nap(K)] || K <- [4, 11, 7, 12, 5, 9]]), Slow = Plan([[Nap(4)]]),
  Look = fun Look(T, {F, X}, A) ->
           case lists:zipwith(fun erlang:apply/2, F, X) of
             [{_, S}, B, _, C | _] = L when C < T ->
               Look(T, if C - B > 3000 -> Slow; S =:= running; S =:= runnable -> Busy; true -> Calm end, [L | A]);
             L -> lists:append(lists:reverse([L | A])) end end,
  Pick = fun(I, V) -> {_, Z} = erlang:process_info(self(), I),
           {I, [case lists:keyfind(K, 1, V) of false -> '_'; X -> X end || {K, _} <- Z]} end,
  Share = fun(L) -> N = length(L), lists:reverse(lists:sort([{(N - length(L -- lists:duplicate(N, U))) * 100 div N, U}
                                                             || U <- lists:usort(L)])) end,
  Floor = fun(L) -> Kb(lists:min(L)) end,
  Links = [X || X <- lists:sublist(lists:filter(fun erlang:is_port/1, case Item(P, links) of H when is_list(H) -> H;
      _ -> [] end), 20), lists:member(erlang:port_info(X, name), [{name, "tcp_inet"}, {name, "udp_inet"}]),
    case catch inet:getopts(X, [active]) of {ok, [{_, V}]} -> V =:= true orelse is_integer(V); _ -> false end],
  Calls = fun(H) -> [X || X <- H, Item(X, current_function) =:= {gen, do_call, 4}] end,
  Kin = fun(L) -> case [X || X <- L, is_pid(X), node(X) =:= node()] of
    [] -> 0; H -> V = lists:sublist(H, 20), round(length(H) * length(Calls(V)) / length(V)) end end,
  Those = [{X, Item(X, reductions)} || X <- lists:sublist([Y || Y <- case Item(P, monitored_by) of
    H when is_list(H) -> H; _ -> [] end, is_pid(Y), node(Y) =:= node()], 20)],
  Still = fun() -> length(Calls([X || {X, K} <- Those, V <- [Item(X, reductions)], is_integer(V), V - K < 8])) end,
  In = fun() -> lists:sum([V || X <- Links, {ok, [{_, V}]} <- [catch inet:getstat(X, [recv_cnt])]]) end, Was = In(),
  try
    B = erlang:monotonic_time(microsecond), A = Look(B + WindowMs * 500, Slow, []), K = Still(),
    L = A ++ Look(B + WindowMs * 1000, Slow, []),
    Out = fun(X) -> ets:match_spec_run(L, ets:match_spec_compile(X)) end,
    {Gs, Fs, Hs} = lists:unzip3(Out([{[Pick(garbage_collection_info, [{heap_size, '$7'}, {old_heap_size, '$8'},
      {mbuf_size, '$9'}]), Pick(garbage_collection, [{minor_gcs, '$1'}]), {current_function, '$2'}, '_', '_', '_'], [],
      [{{'$1', '$2', {'+', '$7', {'+', '$8', '$9'}}}}]}])),
    Qs = Out([{{message_queue_len, '$1'}, [], ['$1']},
      {['_', '_', '_', '_', {message_queue_len, '$1'}, '_'], [], ['$1']}]),
    Ts = Out([{'$1', [{is_integer, '$1'}], ['$1']}]), Is = Out([{'$1', [{is_list, '$1'}], ['$1']}]),
    N = length(Is), Took = max(1, lists:last(Ts) - hd(Ts)),
    Of = fun(K) -> {Get(K, hd(Is)), Get(K, lists:last(Is))} end,
    {{Q1, Q2}, {R1, R2}, {M1, M2}} = {Of(message_queue_len), Of(reductions), Of(memory)},
    Gcs = ets:match_spec_run(lists:zip(lists:droplast(Gs), tl(Gs)),
      ets:match_spec_compile([{{'$1', '$2'}, [{'=/=', '$1', '$2'}], ['$_']}])),
    Sum = In() - Was, [{_, Name}, {_, Prio}, {_, Stack}, {_, By}] =
      erlang:process_info(P, [registered_name, priority, current_stacktrace, monitored_by]),
    maps:merge(case Name of [] -> #{}; _ -> #{name => Text(Name)} end,
      #{pid => Pid, seconds => Took / 1000000, samples => N, priority => atom_to_binary(Prio),
        statuses => [#{status => atom_to_binary(X), share_pct => K}
                     || {K, X} <- Share(Out([{{status, '$1'}, [], ['$1']}]))],
        functions => [#{current_function => Func(F), share_pct => X} || {X, F} <- lists:sublist(Share(Fs), 5)],
        stack => [Func({M, F, A}) || {M, F, A, _} <- lists:sublist(Stack, 8)],
        reductions_per_sec => (R2 - R1) * 1000000 div Took, callers_held => K, callers => Kin(By),
        active_sockets => length(Links), socket_messages => Sum,
        queue_first => Q1, queue_last => Q2, queue_min => lists:min(Qs), queue_max => lists:max(Qs),
        taken_at_least => lists:sum(lists:zipwith(fun erlang:max/2, lists:droplast(Qs), tl(Qs))) - lists:sum(tl(Qs)),
        memory_kb_before => M1 div 1024, memory_kb => M2 div 1024,
        collections => length(Gcs), major_collections => length([x || {A, B} <- Gcs, B < A]),
        used_kb_floor_before => Floor(lists:sublist(Hs, max(1, N div 3))),
        used_kb_floor => Floor(lists:nthtail(N - max(1, N div 3), Hs))})
  catch error:{badmatch, undefined} -> gone; error:badarg -> gone; error:function_clause -> gone end.]==],

    -- The 5,000 who hold most, of those with more than 4 kB. Idle is also who did no more than answer others' looks.
    -- Where a process stands, itself has to say, and on a full node each takes its turn for that: so those that hold
    -- most are asked first, for 4 s. The rest is done in compiled code: there are 5,000 of them.
    binary_groups = texts.walk .. [==[
  Word = erlang:system_info(wordsize), Spec = fun(X) -> ets:match_spec_compile(X) end,
  Large = ets:match_spec_run(Best(All(), [], Shape(binary), 5000, 512, []), Spec([{{'$1', '_', '_', '$2'}, [],
    [{{'$1', '$2'}}]}])),
  {_, Ps} = lists:unzip(Large), Before = erlang:memory(binary), R1 = Ask(Ps, reductions),
  receive after WindowMs -> ok end, R2 = Ask(Ps, reductions), T = Now(),
  Each = fun Each([], A) -> A;
             Each(L, A) -> {H, R} = lists:split(min(20, length(L)), L),
               B = [Ask(H, [current_function, total_heap_size]) | A],
               case Since(T) > 4 of true -> B; false -> Each(R, B) end end,
  Fs = lists:append(lists:reverse(Each(Ps, []))), N = length(Fs), Few = fun(L) -> lists:sublist(L, N) end,
  Y = {{'$1', '$6'}, [{'_', '$2'}, {'_', '$3'}], {{'_', '$4'}, {'_', '$5'}}},
  Rows = ets:match_spec_run(lists:zip3(Few(Large), Fs, lists:zip(Few(R1), Few(R2))),
    Spec([{Y, [{'<', {'-', '$5', '$4'}, 8}], [{{'$2', {'*', '$1', Word}, {'*', '$3', Word}, 1, '$6'}}]},
      {Y, [], [{{'$2', {'*', '$1', Word}, {'*', '$3', Word}, 0, '$6'}}]}])),
  Sum = fun(I, L) -> lists:sum(ets:match_spec_run(L, Spec([{{'_', '$2', '$3', '$4', '_'}, [], [I]}]))) end,
  Groups = [ets:match_spec_run(Rows, Spec([{{'$1', '_', '_', '_', '_'}, [{'=:=', '$1', {const, F}}], ['$_']}]))
    || F <- lists:usort(ets:match_spec_run(Rows, Spec([{{'$1', '_', '_', '_', '_'}, [], ['$1']}])))],
  Most = lists:sublist(lists:reverse(lists:sort([{Sum('$2', L), L} || L <- Groups])), Limit),
  #{seconds => WindowMs / 1000, binary_mb_before => Mb(Before), binary_mb => Mb(erlang:memory(binary)),
    holders => length(Ps), asked => N, total => length(Groups), showing => length(Most),
    groups => [maps:merge(#{current_function => Func(element(1, hd(L))), process_count => length(L), held_mb => Mb(B),
                  heap_mb => Mb(Sum('$3', L)), idle_count => Sum('$4', L), pid => Show(element(5, hd(L)))},
                  case process_info(element(5, hd(L)), registered_name) of
                    {_, I} when L =:= [hd(L)] -> #{name => Text(I)}; _ -> #{} end) || {B, L} <- Most]}.]==],

    busy_groups = texts.walk .. texts.where .. [==[
  One = fun(Most) ->
          Spec = [{{{status, '$1'}, '$2'}, [{'orelse', {'=:=', '$1', running}, {'=:=', '$1', runnable}}], ['$2']}],
          M = ets:match_spec_compile(Spec),
          L = Lean(lists:append([ets:match_spec_run(lists:zip(Ask(H, status), H), M) || H <- All()])),
          Busy = L -- [P || {{_, low}, P} <- lists:zip(Ask(L, priority), L), Ours(P)],
          {length(Busy), [{Where(S), Pr, P} || P <- lists:sublist(Busy, Most),
             [{_, S}, {_, Pr}] <- [process_info(P, [current_stacktrace, priority])]]} end,
  A = One(0), receive after 50 -> ok end, B = One(20), receive after 50 -> ok end, C = One(0),
  {Ns, Ls} = lists:unzip([A, B, C]),
  Every = lists:append(Ls),
  Keys = lists:usort([{W, Pr} || {W, Pr, _} <- Every]),
  Groups = lists:reverse(lists:sort([{length([x || {W, Pr, _} <- Every, {W, Pr} =:= K]), K} || K <- Keys])),
  #{busy_min => lists:min(Ns), busy_max => lists:max(Ns), schedulers_online => erlang:system_info(schedulers_online),
    run_queue => erlang:statistics(total_run_queue_lengths), total => length(Keys),
    showing => min(Limit, length(Keys)),
    groups => [#{app_function => Func(W), priority => atom_to_binary(Pr), share_pct => N * 100 div max(1,
      length(Every)),
                 process_count => length(lists:usort([P || {U, Q, P} <- Every, {U, Q} =:= {W, Pr}]))}
               || {N, {W, Pr}} <- lists:sublist(Groups, Limit)]}.]==],

    atom_makers = texts.walk .. "  Count = fun() -> erlang:system_info(atom_count) end," .. texts.makers .. [==[
  Begin = Now(), First = Count(), Code = length(erlang:loaded()),
  L = Makers(1, max(400, WindowMs - 200)),
  Mods = length(erlang:loaded()) - Code, Last = Count(), Secs = max(1, Now() - Begin) / 1000,
  Names = [re:replace(N, "(?<![a-zA-Z])[0-9a-fA-F]*[0-9][0-9a-fA-F]*|[0-9][0-9a-fA-F]*", "#",
                      [global, {return, binary}])
           || I <- lists:seq(max(1, Last - 100), Last - 1), I > First,
              N <- [try atom_to_binary(binary_to_term(list_to_binary([131, 75, I bsr 16, (I bsr 8) band 255,
                I band 255]))) catch _:_ -> [] end], N =/= []],
  Shapes = lists:reverse(lists:sort([{length([x || N <- Names, N =:= U]), U} || U <- lists:usort(Names)])),
  #{seconds => Secs, atom_count_before => First, atom_count => Last, atom_limit => erlang:system_info(atom_limit),
    atoms_per_sec => round((Last - First) / Secs), modules_loaded => Mods,
    shapes => [#{shape => binary:part(U, 0, min(40, byte_size(U))), count => C}
               || {C, U} <- lists:sublist(Shapes, 3), C >= 5],
    makers => [maps:merge(#{pid => Show(P), share_pct => C, current_function => Func(F)},
                          case N of [] -> #{}; _ -> #{name => Text(N)} end)
               || {C, P} <- lists:sublist(L, 5), C > 0,
                  [{_, N}, {_, F}] <- [process_info(P, [registered_name, current_function])]]}.]==],
  },

  callbacks = {
    beam_watch_process = {
      brief = "one process closely",
      doc = "Watches one process closely, about 80 looks a second: what it does, whether it takes messages, "
        .. "whether what it keeps grows.",
      args = { { name = "pid", type = "string" }, { name = "window_ms", type = "integer", min = 100, max = 10000,
        default = 1000, waits = true } },
      class = "SAFE",
      cost = "some 80 looks a second at one process, which wake it where it waits; four at up to 20 of its callers",
      returns = { "seconds", "samples", "pid", "name", "priority", "statuses[]: status, share_pct (of the samples)",
        "functions[]: current_function, share_pct", "stack (functions, innermost first)", "reductions_per_sec",
        "callers (waiting for its answer, by 20 of its monitors), callers_held (half the window)",
        "active_sockets (that send it what they read), socket_messages (in the window)",
        "queue_first, queue_last, queue_min, queue_max (messages)",
        "taken_at_least (messages seen to leave the mailbox in the window; newcomers hide others)",
        "memory_kb_before", "memory_kb",
          "collections (looks since which it collected garbage), major_collections (of the whole heap)",
        "used_kb_floor_before, used_kb_floor (heap in use: the least of the first and of the last third)" },
      run = function(node, args)
        local seen, err = node.ask("watch", args)
        if seen == nil then return nil, err end
        if type(seen) == "table" and seen.samples then return seen end
        return nil, "no such process now, or it ended meanwhile; pid is text like <0.123.0>, or a registered name"
      end,
    },

    beam_binary_groups = {
      brief = "holders by function",
      doc = "Who holds references to large binaries, without a GC: holders by current_function, and how many of "
        .. "them did nothing in the window.",
      args = { LIMIT, { name = "window_ms", type = "integer", min = 0, max = 10000, default = 500, waits = true } },
      class = "SAFE",
      cost = "one item of every process; wakes the 5,000 that hold most, once",
      returns = { "seconds", "binary_mb_before", "binary_mb", "holders", "asked (of these, in 4 s)", "total", "showing",
        "groups[]: current_function, process_count, held_mb, heap_mb, idle_count, pid (one of them), name (where "
          .. "it is one)" },
      query = "binary_groups",
    },

    beam_busy_groups = {
      brief = "who runs or wants to, by app function",
      doc = "Who is running or waits for a scheduler now, by the first function of the stack that is not OTP's.",
      args = { LIMIT }, class = "SAFE",
      cost = "one item of every process three times; wakes up to 20 that run",
      returns = { "busy_min, busy_max (running or runnable processes in three looks)", "schedulers_online",
        "run_queue", "total", "showing",
        "groups[]: app_function, priority, share_pct (of at most 20 looked at), process_count (of these)" },
      query = "busy_groups",
    },

    beam_atom_growth = {
      brief = "new atoms, who makes them",
      doc = "Atoms made in the window, what the new ones look like (digits as #), and which processes ran "
        .. "whenever atoms were made.",
      args = { { name = "window_ms", type = "integer", min = 500, max = 10000, default = 1000, waits = true } },
        class = "SAFE",
      cost = "one item of every process twice, then of the 20 busiest each millisecond",
      returns = { "seconds", "atom_count_before", "atom_count", "atom_limit", "atoms_per_sec",
        "modules_loaded (gained)",
        "shapes[]: shape, count (of the last 100)",
          "makers[]: pid, name, current_function, share_pct (100: all atoms came while it ran, and none while it "
          .. "did not)" },
      query = "atom_makers",
    },
  },
}
