--- The virtual machine: memory, processes, mailboxes, schedulers, atoms. What it costs to
--- ask differs a hundredfold: some items of a process are read from outside, for others the
--- process is woken to answer. So every question reads a cheap item of all processes first,
--- in compiled code, and the dear ones only of those that it will show.

local texts = ...
local WORDS, WALK, COUNTS, REFS = texts.words, texts.walk, texts.counts, texts.refs

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
Worth a notification: a mailbox that grows or never shrinks; one process with most of the memory, the
reductions or the binaries; processes or atoms that rise at every look; schedulers without rest. Not worth
one: many processes by design, a high, flat atom count. Say what a process was doing
(current_function). memory_utilization_pct is of the whole machine; a container's limit is known to `system`.]=],

  uses = { "history" },
  keep = { "atoms", "figures", "mailboxes" },
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

  queries = {
    -- Taken often, and also of a node whose dirty IO schedulers are what is stuck: so it reads no file, and the
    -- memory of the machine is what os_mon says of it, absent without. What a container may use stands in a dozen
    -- files; the skill `system` reads them, and leaves them alone where others wait for these schedulers.
    snapshot = WALK .. COUNTS .. texts.mailboxes .. [=[
  {Q, _, _} = Mail(),
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
    {max_message_queue, maps:get(longest, Q)}, {total_message_queue, maps:get(total, Q)}])).]=],

    -- What needs neither the processes nor a lock. It may go before the node's own work.
    pulse = [=[
  #{process_count => erlang:system_info(process_count), port_count => erlang:system_info(port_count),
    atom_count => erlang:system_info(atom_count), schedulers_online => erlang:system_info(schedulers_online),
    scheduler_run_queue => erlang:statistics(total_run_queue_lengths_all)}.]=],

    memory = WORDS .. COUNTS .. [=[ Memory().]=],

    figures = WORDS .. COUNTS .. [=[ maps:merge(Memory(), Counts()).]=],

    mailboxes = WALK .. texts.mailboxes .. texts.mailboxes_kept,

    processes = [=[
  #{process_count => erlang:system_info(process_count), process_limit => erlang:system_info(process_limit),
    port_count => erlang:system_info(port_count), port_limit => erlang:system_info(port_limit)}.]=],

    schedulers = [=[
  Of = fun(X) when is_integer(X) -> X; (_) -> erlang:system_info(schedulers) end,
  #{schedulers => erlang:system_info(schedulers), schedulers_online => erlang:system_info(schedulers_online),
    cores => Of(erlang:system_info(logical_processors_available)),
    cpu_quota => Of(catch erlang:system_info(cpu_quota)),
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

    -- The exact memory wakes a process, so it is asked of those with the largest heaps and the longest mailboxes.
    top = WALK .. [=[
  S = All(), N = 10 + Limit + Limit div 2,
  One = fun(I, K) -> Ps = case I of memory -> Fattest(S, N, Limit);
                                      _ -> [P || {_, _, _, P} <- Top(S, [], Shape(I), N, -1)] end,
    List(S, Rank(K, [X || P <- Ps, X <- Row(P, #{})], Limit)) end,
  case binary_to_existing_atom(SortBy) of memory -> One(memory, memory_kb);
    reductions -> One(reductions, reductions); message_queue -> One(message_queue_len, message_queue) end.]=],

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
      brief = "by category",
      doc = "Memory by category. processes_used is what the processes' heaps hold; system includes binary, ets, "
        .. "code, atom.",
      class = "SAFE",
      cost = "the counters of the allocators, under 1 ms",
      returns = { "total_mb", "processes_mb", "processes_used_mb", "system_mb", "binary_mb", "ets_mb", "code_mb",
        "atom_mb" },
      query = "memory",
    },

    beam_get_processes = {
      brief = "count, limit",
      doc = "How many processes and ports there are, and may be.",
      class = "SAFE",
      cost = "four counters",
      returns = { "process_count", "process_limit", "port_count", "port_limit" },
      query = "processes",
    },

    beam_get_schedulers = {
      brief = "",
      doc = "How many schedulers there are, and how many runnable processes wait for one now.",
      class = "SAFE",
      cost = "seven counters",
      returns = { "schedulers", "schedulers_online", "cores, cpu_quota (that the VM may use)",
        "dirty_cpu_schedulers_online", "dirty_io_schedulers",
        "run_queue" },
      query = "schedulers",
    },

    beam_get_atoms = {
      brief = "",
      doc = "How many atoms there are, and may be: the node ends when the table is full.",
      class = "SAFE",
      cost = "four counters",
      returns = { "atom_count", "atom_limit", "atom_mb", "atom_used_mb" },
      query = "atoms",
    },

    beam_get_system = {
      brief = "releases, uptime",
      doc = "Releases and uptime.",
      class = "SAFE",
      cost = "five counters",
      returns = { "node", "otp_release", "elixir_version (where Elixir runs)", "uptime_seconds",
        "schedulers_online" },
      query = "system",
    },

    beam_get_persistent_terms = {
      brief = "",
      doc = "Persistent terms: how many, and what they take.",
      class = "SAFE",
      cost = "two counters",
      returns = { "count", "memory_mb" },
      query = "persistent_terms",
    },

    beam_top_processes = {
      brief = "by memory, message_queue or reductions",
      doc = "The processes with most memory, the longest mailbox or most reductions since their start.",
      args = { LIMIT, { name = "sort_by", type = "choice", of = { "memory", "message_queue", "reductions" },
        default = "memory" } },
      class = "SAFE",
      cost = "one item of every process (by memory two), none of them woken; all items of two to three times "
        .. "those shown, which are",
      returns = { "total", "showing", ROW },
      query = "top",
    },

    beam_process_info = {
      brief = "stack, links, heap of one",
      doc = "One process whole, by pid or registered name. Of messages and dictionary only numbers and keys.",
      args = { { name = "pid", type = "string" } },
      class = "SAFE",
      cost = "wakes the one process; copies its links, monitors and dictionary",
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
  },
}
