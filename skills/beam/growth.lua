--- What rises: processes, memory, atoms. One look cannot tell growth from size, so each of these looks
--- twice and says in `seconds` how far apart.

local texts = ...
local LIMIT = { name = "limit", type = "integer", min = 1, max = 50, default = 10 }
local ROW = "processes[]: pid, name, current_function, status, memory_kb, message_queue, reductions, "
local WINDOW = { name = "window_ms", type = "integer", min = 100, max = 10000, default = 1000, waits = true }

-- The figures of the first look, as process_count_before. The words are made here: atoms made by the
-- query itself would look like growth.
local pairs_of = {}
for i, word in ipairs { "process_count", "port_count", "atom_count", "modules", "run_queue", "total_mb",
  "processes_mb", "processes_used_mb", "system_mb", "binary_mb", "ets_mb", "code_mb", "atom_mb", "fixed_kb",
  "persistent_terms", "known_nodes", "dirty_cpu_queue", "dirty_io_queue" } do
  pairs_of[i] = ("{%s, %s_before}"):format(word, word)
end
local OLD = ([=[
  Old = fun(M) -> maps:from_list([{B, maps:get(A, M)} || {A, B} <- [%s], maps:is_key(A, M)]) end,
]=]):format(table.concat(pairs_of, ", "))

-- What has one size each has an allocator of its own: processes, monitors, links, timers, references to messages.
-- It is asked as erlang:memory asks all of them, and tells of monitors and timers what no item of a process does.
local FIXED = [=[
  Count = fun() -> case catch erlang:system_info({allocator_sizes, fix_alloc}) of
    [_ | _] = L -> lists:sum([element(2, Z) || {instance, _, P} <- L, {K, Q} <- P, K =:= mbcs orelse K =:= mbcs_pool,
      {blocks, U} <- Q, {_, W} <- U, Z <- W, element(1, Z) =:= size]);
    _ -> 0 end end,
]=]

local function round(x) return math.floor(x * 100 + 0.5) / 100 end

-- Where nothing older is remembered, two looks are this far apart. A shorter time is always looked at now.
local WAIT = 2

--- What two counts of the atoms, `seconds` apart, say about the limit.
local function atom_rate(before, now, seconds)
  local per_minute = (now.atom_count - before) / seconds * 60
  local pct = 100 * now.atom_count / now.atom_limit
  local left = per_minute > 0 and (now.atom_limit - now.atom_count) / per_minute or math.huge
  local urgency = "none"
  if pct >= 95 or left < 10 then urgency = "critical"
  elseif pct >= 80 or left < 60 then urgency = "high"
  elseif left < 24 * 60 then urgency = "medium"
  elseif pct >= 50 then urgency = "low" end
  return { seconds = round(seconds), atom_count_before = before, atom_count = now.atom_count,
    atom_limit = now.atom_limit,
    utilization_pct = round(pct), growth_per_minute = round(per_minute), urgency = urgency,
    minutes_to_exhaustion = left < math.huge and round(left) or nil }
end

--- The atoms now and some time ago: from history where that reaches back, else seen now.
local function atoms_since(node, seconds)
  local past = seconds > WAIT and node.history("atoms", seconds / 60)[1]
  if past and past.age >= math.min(seconds / 2, WAIT) then
    local now, err = node.ask "atoms"
    if not now then return nil, err end
    return atom_rate(past.value.atom_count, now, past.age)
  end
  local two, err = node.ask("atoms_twice", { window_ms = math.floor(math.min(seconds, WAIT) * 1000) })
  if not two then return nil, err end
  return atom_rate(two.atom_count_before, two, two.seconds)
end

return {
  queries = {
    release = [=[ list_to_integer(erlang:system_info(otp_release)).]=],

    atoms_twice = texts.words .. [=[
  A = erlang:system_info(atom_count), T = Now(),
  receive after WindowMs -> ok end,
  #{seconds => Since(T), atom_count_before => A, atom_count => erlang:system_info(atom_count),
    atom_limit => erlang:system_info(atom_limit)}.]=],

    -- maps:groups_from_list is compiled, and of OTP 25 like `parent`; a fold does without it.
    groups = texts.walk .. [=[
  I = binary_to_existing_atom(By),
  {Gc, P, X, _} = Shape(memory), S = Theirs(All()),
  M = ets:match_spec_compile([{{{I, '$8'}, P, '$9'}, [], [['$8', {{X, '$9'}}]]}]),
  Group = case erlang:function_exported(maps, groups_from_list, 3) of
    true -> fun(L) -> maps:groups_from_list(fun erlang:hd/1, fun lists:last/1, L) end;
    false -> fun(L) -> lists:foldl(fun([K, V], A) -> A#{K => [V | maps:get(K, A, [])]} end, #{}, L) end end,
  Add = fun({K, V}, A) -> {N, W, _} = maps:get(K, A, {0, 0, 0}), {Ws, [H | _] = Ps} = lists:unzip(V),
          A#{K => {N + length(Ps), W + lists:sum(Ws), H}} end,
  Sums = lists:foldl(fun(H, A) -> lists:foldl(Add, A, maps:to_list(
           Group(ets:match_spec_run(lists:zip3(Ask(H, I), Ask(H, Gc), H), M)))) end, #{}, S),
  U = lists:sublist(lists:reverse(lists:sort([{N, W, K, H} || {K, {N, W, H}} <- maps:to_list(Sums)])), Limit),
  Of = fun(K, Q) when is_pid(K) -> maps:from_list([{Q, Show(K)} | [{parent_name, V} ||
    node(K) =:= node(), Y <- Row(K, #{}), V <- [maps:get(name, Y, undefined)], V =/= undefined]]);
          (undefined, _) -> #{};
          (K, Q) -> #{Q => Func(K)} end,
  #{total => maps:size(Sums), showing => length(U), process_count => Total(S),
    groups => [maps:merge(Of(K, I), maps:merge(#{count => N, share_pct => Pct(N, Total(S)), memory_kb => Kb(W)},
      maps:from_list([{Z, maps:get(Y, E)} || E <- Row(H, #{}), {Y, Z} <- [{pid, example_pid}, {name, example_name},
        {current_function, example_current_function}], maps:is_key(Y, E)]))) || {N, W, K, H} <- U]}.]=],

    -- Who was born in the window and still lives shows what grows; a sample of them shows who started them, which
    -- may be a process of another node, of which nothing can be asked here.
    process_growth = texts.walk .. [=[
  B = lists:delete(self(), erlang:processes()), T = Now(),
  receive after WindowMs -> ok end,
  W = Since(T), A = lists:delete(self(), erlang:processes()), Born = A -- B, N = length(A) - length(B),
  L = lists:sublist(Born, 1000), Up = fun(P) -> case Item(P, parent) of X when is_pid(X) -> X; _ -> undefined end end,
  Kinds = [{I, F, Up(P)} || P <- L,
    [{_, I0}, {_, F}, {_, H}] <- [erlang:process_info(P, [initial_call, current_function, total_heap_size])],
    I0 =/= {erpc, execute_call, 4} orelse not Ours(P),
    I <- [case I0 of {proc_lib, _, _} -> case Key(P, '$initial_call',
      H) of undefined -> I0; X -> X end; _ -> I0 end]],
  Sum = fun(L0) -> lists:foldl(fun(K, X) -> X#{K => maps:get(K, X, 0) + 1} end, #{}, L0) end,
  M = lists:foldl(fun({I, F, P}, X) -> X#{{I, F} => [P | maps:get({I, F}, X, [])]} end, #{}, Kinds),
  G = lists:sublist(lists:reverse(lists:sort([{length(V), K, V} || {K, V} <- maps:to_list(M)])), 10),
  #{seconds => W, before => length(B), 'after' => length(A), growth => N, growth_per_sec => round(N / W),
    born => length(Born), died => length(Born) - N, sampled => length(L), showing => length(G), total => maps:size(M),
    groups => [maps:merge(Some([{initial_call, Func(I)}, {current_function, Func(F)}, {count, X}]),
                 case [Y || is_pid(P), node(P) =:= node(), Y <- Row(P, #{})] of [Y] -> Some([{parent, Show(P)},
                   {parent_name, maps:get(name, Y, undefined)}, {of_parent, Q}]);
                            _ when is_pid(P) -> #{parent => Show(P), of_parent => Q}; _ -> #{} end)
      || {X, {I, F}, V} <- G, {Q, P} <- [lists:max([{Q, P} || {P, Q} <- maps:to_list(Sum(V))])]]}.]=],

    -- What is used of the heaps rises smoothly, where `memory` jumps by steps at a collection. Messages lie beside
    -- them; what a mailbox gained is its share, by number, of all that lies there.
    memory_growth = texts.walk .. texts.counts .. OLD .. [=[
  S = All(), G = Shape(used), Q = Shape(message_queue_len), T = Now(), B = Memory(),
  A = Look(S, [], G, []), Z = Look(S, [], Q, []),
  receive after WindowMs -> ok end,
  L = Top(S, A, G, Limit, 0), K = Top(S, Z, Q, Limit, 0), W = Since(T), M = Memory(),
  Beyond = fun(P) -> case erlang:process_info(P, [memory, total_heap_size]) of
    [{_, X}, {_, H}] -> [max(0, X div 1024 - Kb(H))]; _ -> [] end end,
  Mail = fun() -> [Y || {D, X, _, P} <- K, N <- Beyond(P),
    Y <- Row(P, #{queue_growth => D, mailbox_kb => N, mailbox_growth_kb => N * D div X})] end,
  maps:merge(maps:merge(Old(B), M), maps:merge(#{seconds => W,
    growth_mb_per_sec => round(100 * (maps:get(total_mb, M) - maps:get(total_mb, B)) / W) / 100},
    maps:put(mailboxes, Rank(mailbox_growth_kb, Mail(), Limit),
    List(S, [Y || {D, X, E, P} <- L, Y <- Row(P, #{growth_kb => Kb(E), used_kb => Kb(X),
      used_growth_kb => Kb(D)})])))).]=],

    -- A timer is in no item of its process. What has one size each grows by processes, monitors, links, messages and
    -- timers; all but the last are told beside it, so what is left is them. Monitors, links and messages are part
    -- of their process's memory beyond its heap. Asking the allocator wakes every scheduler: not each millisecond.
    timer_makers = texts.walk .. texts.mailboxes .. FIXED .. texts.makers .. [=[
  Sums = fun() -> {M, _, _} = Mail(), maps:get(total, M) end,
  T = Now(), N = Sums(), B = Count(), C = erlang:system_info(process_count), U = erlang:system_info(port_count),
  K = erlang:system_info(wordsize),
  Beyond = fun(P) -> case erlang:process_info(P, [memory, total_heap_size]) of
    [{_, X}, {_, H}] -> X - H * K; _ -> gone end end,
  S = All(), G = Shape(reductions), A = Look(S, [], G, []), receive after 200 -> ok end,
  V = [{P, Beyond(P)} || {_, _, _, P} <- Top(S, A, G, 20, 0)],
  L = Makers(4, max(400, WindowMs - 400)),
  W = Since(T),
  R = [Y || {D, P} <- lists:sublist(L, 5), D > 0, X <- [Get(P, V)], is_integer(X), Z <- [Beyond(P)], is_integer(Z),
    Y <- Row(P, #{share_pct => D, beside_heap_growth_kb => (Z - X) div 1024})],
  #{seconds => W, fixed_kb_before => B div 1024, fixed_kb => Count() div 1024, process_count_before => C,
    process_count => erlang:system_info(process_count), port_count_before => U,
    port_count => erlang:system_info(port_count), queued_messages_before => N, queued_messages => Sums(),
    makers => R}.]=],

    -- erlang:memory/0 makes some 300 atoms when it is first called, so it goes before the count of them.
    overview = texts.walk .. texts.counts .. texts.wall .. OLD .. FIXED .. [=[
  Sums = fun() -> [Y, X | _] = lists:reverse(erlang:statistics(run_queue_lengths_all)),
    maps:merge(#{dirty_cpu_queue => X, dirty_io_queue => Y, fixed_kb => Count() div 1024,
      persistent_terms => maps:get(count, persistent_term:info()), known_nodes => length(erlang:nodes(known))},
      maps:merge(Memory(), Counts())) end,
  Gcs = fun() -> erlang:statistics(garbage_collection) end,
  S = All(), I = [reductions, message_queue_len], P = [{reductions, '$1'}, {message_queue_len, '$2'}],
  T = Now(), C = Sums(), N = Gcs(), R = Reds(),
  A = Look(S, [], {I, P, '$1', 0}, []), B = Look(S, [], {I, P, 0, '$2'}, []), U = Wall(),
  receive after WindowMs div 2 -> ok end, V = erlang:system_info(atom_count),
  receive after WindowMs - WindowMs div 2 - 50 -> ok end, F = erlang:system_info(atom_count),
  receive after 50 -> ok end,
  L = Top(S, A, {I, P, '$1', 0}, 3, 0),
  Named = lists:usort(lists:filter(fun erlang:is_pid/1, lists:map(fun erlang:whereis/1,
    lists:sublist(registered(), 1000)) ++ lists:sublist(hd(S), 1000))),
  Lead = ets:match_spec_run(Ask(Named, group_leader), ets:match_spec_compile([{{group_leader, '$1'},
    [{'=:=', {node, '$1'}, {node}}], ['$1']}])),
  Dead = [X || X <- lists:usort(Lead), not is_process_alive(X)],
  {Z, Y, X} = Busy(U), W = Since(T), Q = Reds() - R, {G, K, _} = Gcs(), {D, E, _} = N,
  maps:merge(maps:merge(Old(C), Sums()), #{seconds => W, atom_count_between => V, atom_count => F,
    led_by_the_dead_count => case Dead of [] -> 0; _ -> length([X || X <- Lead, lists:member(X, Dead)]) end,
    old_code_count => length(ets:match_spec_run(lists:map(fun erlang:check_old_code/1, erlang:loaded()),
      ets:match_spec_compile([{true, [], [true]}]))),
    schedulers => erlang:system_info(schedulers), schedulers_online => erlang:system_info(schedulers_online),
    utilization_pct => Mean(Z), max_utilization_pct => Most(Z), dirty_cpu_pct => Mean(Y), dirty_io_pct => Mean(X),
    process_limit => erlang:system_info(process_limit), port_limit => erlang:system_info(port_limit),
    atom_limit => erlang:system_info(atom_limit), reductions_per_sec => round(Q / W), gcs_per_sec => round((G - D) / W),
    gc_mb_per_sec => Mb((K - E) * erlang:system_info(wordsize) / W),
    top_reducers => [K || {D, _, _, H} <- L, K <- Row(H, #{reductions_delta => D, share_pct => Pct(D, Q)})],
    longest_queues => [K || {D, _, E, H} <- Top(S, B, {I, P, '$2', '$2'}, 3, 0),
                            K <- Row(H, #{message_queue => D, queue_growth => E})]}).]=],
  },

  callbacks = {
    beam_overview = {
      brief = "all that moves; begin here",
      doc = "The whole machine over one window, before and after: the cheapest first look at what moves.",
      args = { WINDOW },
      class = "SAFE",
      cost = "two items of every process at three looks, none of them woken but the six shown; turns the "
        .. "accounting of scheduler time on while it looks",
      returns = { "seconds", "process_count, port_count, atom_count, modules, run_queue (each also as …_before)",
        "atom_count_between (half-way)", "known_nodes (also as …_before)", "old_code_count (modules)",
        "led_by_the_dead_count (of up to 2,000 processes, those whose group leader is dead)",
        "total_mb, processes_mb, processes_used_mb, system_mb, binary_mb, ets_mb, code_mb, atom_mb (each also as "
          .. "…_before)",
        "persistent_terms, fixed_kb (what has one size each: processes, monitors, links, timers; also as …_before)",
        "process_limit", "port_limit", "atom_limit", "schedulers", "schedulers_online",
        "utilization_pct (mean of the schedulers online)", "max_utilization_pct", "dirty_cpu_pct", "dirty_io_pct",
        "dirty_cpu_queue, dirty_io_queue (each also as …_before)",
        "reductions_per_sec", "gcs_per_sec", "gc_mb_per_sec (thrown away)",
        "top_reducers[] (3): as processes[], with reductions_delta, share_pct",
        "longest_queues[] (3): as processes[], with queue_growth" },
      query = "overview",
    },

    beam_process_groups = {
      brief = "who is there in masses",
      doc = "Processes counted and weighed by initial_call, current_function or parent (OTP 25): who is there in "
        .. "masses, and who started them.",
      args = { { name = "by", type = "choice", of = { "initial_call", "current_function", "parent" },
        default = "current_function" }, LIMIT },
      class = "SAFE",
      cost = "two items of every process; grouped by current_function every one of them is woken",
      returns = { "process_count", "total (groups)", "showing",
        "groups[]: initial_call or current_function or parent and parent_name, "
        .. "count, share_pct, memory_kb (heaps), example_pid, example_name, example_current_function" },
      run = function(node, args)
        if args.by == "parent" then
          local release, err = node.ask "release"
          if not release then return nil, err end
          if release < 25 then
            return { unavailable = "processes know their parent since OTP 25, this is " .. release .. "; group by "
              .. "initial_call" }
          end
        end
        return node.ask("groups", args)
      end,
    },

    beam_process_growth = {
      brief = "the newborn: what they do, whose",
      doc = "Whether processes become more: counts over a window, and of those born in it what they do and who "
        .. "started them.",
      args = { WINDOW },
      class = "SAFE",
      cost = "the list of processes twice; wakes up to 1,000 of the new ones",
      returns = { "seconds", "before", "after", "growth", "growth_per_sec", "born (and alive at the end)", "died",
        "sampled (of the born)",
        "total", "showing", "groups[]: initial_call, current_function, count, parent (OTP 25: who started most of "
          .. "them), parent_name, of_parent (so many)" },
      query = "process_growth",
    },

    beam_memory_growth = {
      brief = "categories, heaps, mailboxes",
      doc = "Memory over a window by category, the processes whose heaps gained most, and those whose mailboxes did, "
        .. "which lie beside the heaps.",
      args = { WINDOW, LIMIT },
      class = "SAFE",
      cost = "two items of every process twice, none of them woken but those shown",
      returns = { "seconds", "total_mb, processes_mb, binary_mb, ets_mb, atom_mb, code_mb (each also as …_before)",
        "growth_mb_per_sec",
        "total", "showing", ROW .. "growth_kb (of the heaps' blocks), used_kb, used_growth_kb (of what is used in "
          .. "them)", ROW:gsub("processes", "mailboxes") .. "queue_growth, mailbox_kb (memory beside the heap), "
          .. "mailbox_growth_kb (of that, by the number of messages that came)" },
      query = "memory_growth",
    },

    beam_timer_growth = {
      brief = "who sets timers",
      doc = "Whether timers become more, and who sets them. The node counts them only together with processes, "
        .. "monitors, links and messages (fixed_kb): where these stand still, it is timers. A process that makes "
        .. "monitors, links or messages has them in its memory beside its heap, timers it has not.",
      args = { { name = "window_ms", type = "integer", min = 500, max = 10000, default = 1000, waits = true } },
      class = "SAFE",
      cost = "one item of every process six times, none of them woken but the 20 busiest; asks every scheduler some "
        .. "200 times a second what it allocated",
      returns = { "seconds", "fixed_kb_before", "fixed_kb", "process_count_before", "process_count",
        "port_count_before", "port_count", "queued_messages_before, queued_messages",
        (ROW:gsub("processes", "makers")) .. "share_pct (100: all of it came while it ran, and nothing while it did "
          .. "not), beside_heap_growth_kb" },
      query = "timer_makers",
    },

    beam_atom_growth_rate = {
      brief = "pace, and time until full",
      doc = "How fast atoms become more. Where less was kept it looks twice, 2 seconds apart; `seconds` says which.",
      args = { { name = "minutes_back", type = "number", min = 0.005, max = 1440, default = 10 } },
      class = "SAFE",
      cost = "one counter once or twice",
      returns = { "seconds", "atom_count_before", "atom_count", "atom_limit", "utilization_pct", "growth_per_minute",
        "minutes_to_exhaustion (absent when they do not grow)", "urgency (none, low, medium, high, critical)" },
      run = function(node, args) return atoms_since(node, args.minutes_back * 60) end,
    },

    beam_atom_leak_detected = {
      brief = "",
      doc = "Whether atoms became more in each of two windows of a second, by 10 a second at least: code that was "
        .. "loaded comes in one.",
      class = "SAFE",
      cost = "one counter four times",
      returns = { "suspected", "windows[]: seconds, atom_count_before, atom_count, atom_limit, growth_per_minute",
        "atom_count", "atom_limit", "utilization_pct", "growth_per_minute (the slower window)",
        "minutes_to_exhaustion", "urgency",
        "earlier: seconds, growth_per_minute (over the last hour, as far as it was kept)" },
      run = function(node)
        local past = node.history("atoms", 60)[1]
        local windows, slower = {}, nil
        for i = 1, 2 do
          local two, err = node.ask("atoms_twice", { window_ms = 1000 })
          if not two then return nil, err end
          local rate = atom_rate(two.atom_count_before, two, two.seconds)
          windows[i] = { seconds = rate.seconds, atom_count_before = rate.atom_count_before,
            atom_count = rate.atom_count, atom_limit = rate.atom_limit, growth_per_minute = rate.growth_per_minute }
          if not slower or rate.growth_per_minute < slower.growth_per_minute then slower = rate end
        end
        local earlier
        if past and past.age >= WAIT then
          local rate = atom_rate(past.value.atom_count, windows[2], past.age + windows[1].seconds + windows[2].seconds)
          earlier = { seconds = rate.seconds, growth_per_minute = rate.growth_per_minute }
        end
        return { suspected = slower.growth_per_minute >= 600, windows = windows, earlier = earlier,
          atom_count = windows[2].atom_count,
          atom_limit = slower.atom_limit, utilization_pct = slower.utilization_pct,
            growth_per_minute = slower.growth_per_minute,
          minutes_to_exhaustion = slower.minutes_to_exhaustion, urgency = slower.urgency }
      end,
    },
  },
}
