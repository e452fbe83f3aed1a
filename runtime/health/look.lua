--- What `health` asks a node: written as a skill is, so that it is parsed at home, guarded and bounded as those are,
--- but no skill that anybody names. Two questions in place of one for each line, for what a node pays for is to take a
--- question in: all figures at once, and one walk through all processes for both lists.

local texts = ...

local OURS = "health's own"

---@type Skill
return {
  name = "health",
  title = "Health",
  about = OURS,
  prompt = OURS,
  snapshot = "pulse",
  urgent = { "pulse" },

  queries = {
    -- Run queues are read before and after: what stood there at both was no breath.
    figures = texts.words .. texts.counts .. texts.wall .. [=[
  Q = fun() -> erlang:statistics(total_run_queue_lengths_all) end,
  Of = fun(X) when is_integer(X) -> X; (_) -> erlang:system_info(schedulers) end,
  Vsn = fun(X) -> case application:get_key(X, vsn) of {ok, V} -> list_to_binary(V); _ -> undefined end end,
  A = Wall(), B = Q(), T = Now(),
  receive after SampleMs -> ok end,
  {N, C, I} = Busy(A),
  Some([
    {memory, Memory()},
    {processes, #{process_count => erlang:system_info(process_count),
      process_limit => erlang:system_info(process_limit),
      port_count => erlang:system_info(port_count), port_limit => erlang:system_info(port_limit)}},
    {schedulers, #{schedulers => erlang:system_info(schedulers),
      schedulers_online => erlang:system_info(schedulers_online),
      cores => Of(erlang:system_info(logical_processors_available)),
      cpu_quota => Of(catch erlang:system_info(cpu_quota)),
      dirty_cpu_schedulers_online => erlang:system_info(dirty_cpu_schedulers_online),
      dirty_io_schedulers => erlang:system_info(dirty_io_schedulers),
      seconds => Since(T), run_queue_before => B, run_queue => Q(), utilization_pct => Mean(N),
      max_utilization_pct => Most(N), dirty_cpu_pct => Mean(C), dirty_io_pct => Mean(I)}},
    {atoms, #{atom_count => erlang:system_info(atom_count), atom_limit => erlang:system_info(atom_limit),
      atom_mb => Mb(erlang:memory(atom)), atom_used_mb => Mb(erlang:memory(atom_used))}},
    {system, Some([{node, atom_to_binary(node())}, {otp_release, list_to_binary(erlang:system_info(otp_release))},
      {elixir_version, Vsn(elixir)}, {uptime_seconds, element(1, erlang:statistics(wall_clock)) div 1000},
      {schedulers_online, erlang:system_info(schedulers_online)}])},
    {table_limit, erlang:system_info(ets_limit)}, {oban, Vsn(oban)}]).]=],

    -- What was started is told beside a registered name.
    processes = texts.walk .. [=[
  S = All(),
  L = [X || P <- Fattest(S, 10 + Limit + Limit div 2, Limit),
            X <- Row(P, Some([{initial_call, Name(P, [], Item(P, initial_call), Item(P, total_heap_size))}]))],
  #{top_by_memory => List(S, Rank(memory_kb, L, Limit)),
    top_by_mailbox => List(S, Rank(message_queue, L, Limit))}.]=],

    -- For a node that gave the others no turn: counters, before its own work.
    pulse = [=[
  #{processes => #{process_count => erlang:system_info(process_count),
      process_limit => erlang:system_info(process_limit),
      port_count => erlang:system_info(port_count), port_limit => erlang:system_info(port_limit)},
    atoms => #{atom_count => erlang:system_info(atom_count), atom_limit => erlang:system_info(atom_limit)},
    schedulers => #{schedulers_online => erlang:system_info(schedulers_online),
      run_queue => erlang:statistics(total_run_queue_lengths_all)},
    system => #{otp_release => list_to_binary(erlang:system_info(otp_release)),
      uptime_seconds => element(1, erlang:statistics(wall_clock)) div 1000}}.]=],
  },

  callbacks = {
    health_figures = {
      doc = "Memory, limits, schedulers of a short window, releases.",
      args = { { name = "sample_ms", type = "integer", min = 100, max = 2000, default = 400, waits = true } },
      class = "SAFE", timeout = 10,
      cost = "counters; turns the accounting of scheduler time on while it looks",
      returns = { "memory, processes, schedulers, atoms, system, table_limit",
        "oban (its version, where it is loaded)" },
      query = "figures",
    },
    health_processes = {
      doc = "The processes with most memory and with the longest mailboxes.",
      args = { { name = "limit", type = "integer", min = 1, max = 50, default = 5 } },
      class = "SAFE", timeout = 15,
      cost = "two items of every process in one walk, none of them woken but those shown",
      returns = { "top_by_memory, top_by_mailbox: total, showing, processes[]" },
      query = "processes",
    },
    health_pulse = {
      doc = "Counters, at high priority.",
      class = "SAFE", cost = "ten counters",
      returns = { "processes, atoms, schedulers, system" },
      query = "pulse",
    },
  },
}
