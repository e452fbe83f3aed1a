--- Mailboxes: who has a long one, what all have together, which of them grow.

local texts = ...
local WALK = texts.walk

local LIMIT = { name = "limit", type = "integer", min = 1, max = 50, default = 10 }
local ROW = "processes[]: pid, name, current_function, status, memory_kb, message_queue, reductions"

return {
  queries = {
    queues = WALK .. [=[
  S = All(), G = Shape(message_queue_len),
  N = length(Over(S, G, Threshold)),
  L = [X || {_, _, _, P} <- Top(S, [], G, 50, Threshold), X <- Row(P, #{})],
  #{total => N, showing => length(L), processes => L}.]=],

    queue_stats = WALK .. texts.mailboxes .. [=[
  {M, B, _} = Mail(),
  Some([{total_queued_messages, maps:get(total, M)}, {processes_with_queues, maps:get(nonempty, M)},
        {processes_with_large_queues, maps:get(over_1000, M)},
        {processes_with_critical_queues, maps:get(over_10000, M)}, {max_queue_size, maps:get(longest, M)},
        {max_queue_process, case [X || {_, P} <- lists:sublist(B, 1), X <- Row(P, #{})] of
           [X] -> X; _ -> undefined end}]).]=],

    -- Ranked twice: by what was gained, and by length, for a long queue that stands still tells something too.
    queue_growth = WALK .. [=[
  S = All(), {I, P, X, E} = G = Shape(message_queue_len), T = Now(),
  A = Look(S, [], G, []), B = Look(S, [], {I, P, 0, E}, []),
  receive after IntervalMs -> ok end,
  W = Since(T),
  U = lists:usort([{H, N - D, N} || {D, N, _, H} <- Top(S, A, G, Limit, 0)]
               ++ [{H, N - D, N} || {_, N, D, H} <- Top(S, B, G, Limit, 0)]),
  L = lists:reverse(lists:sort([{N - M, N, H} || {H, M, N} <- lists:ukeysort(1, U)])),
  maps:merge(#{seconds => W}, List(S, [Y || {D, N, H} <- L,
    Y <- Row(H, #{queue_growth => D, initial_queue => N - D, final_queue => N, message_queue => N})])).]=],
  },

  callbacks = {
    beam_queue_processes = {
      brief = "mailboxes above it",
      doc = "Processes with a mailbox longer than threshold, longest first, the first 50 of them.",
      args = { { name = "threshold", type = "integer", min = 0, max = 1e9, default = 1000 } },
      class = "SAFE",
      cost = "one item of every process, none of them woken; all items of 50 at most, which are",
      returns = { "total", "showing", ROW },
      query = "queues",
    },

    beam_queue_stats = {
      brief = "all mailboxes",
      doc = "All mailboxes together.",
      class = "SAFE",
      cost = "one item of every process, none of them woken but the one shown",
      returns = { "total_queued_messages", "processes_with_queues", "processes_with_large_queues (over 1000)",
        "processes_with_critical_queues (over 10000)", "max_queue_size", "max_queue_process: " .. ROW:gsub("^%S+ ",
          "") },
      query = "queue_stats",
    },

    beam_queue_growth = {
      brief = "mailboxes, two looks",
      doc = "Two looks at the mailboxes: those that grew most and those that are longest, most grown first, "
        .. "`limit` of each kind.",
      args = { { name = "interval_ms", type = "integer", min = 100, max = 10000, default = 1000, waits = true },
        LIMIT },
      class = "SAFE",
      cost = "one item of every process three times, none of them woken but those shown",
      returns = { "seconds", "total", "showing",
        ROW .. ", queue_growth (may be negative), initial_queue, final_queue" },
      query = "queue_growth",
    },
  },
}
