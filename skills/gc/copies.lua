--- Large terms that come from outside of a process's own code: much garbage at once, by processes that hardly work.

local texts = ...

return {
  queries = {
    -- What is thrown away is counted for all schedulers together, and asking wakes each of them, so not oftener than
    -- every 2 ms. Our own looks make some 50 kB in that time: from 128 kB on a step counts. Who works in such a step
    -- or just before speaks for it; who works in steps without, and without one to follow, against it. On a full
    -- node each step would be as long as everybody's turn, and tell nothing: there none is made.
    copies = texts.gc .. [==[
  Count = fun() -> element(2, erlang:statistics(garbage_collection)) end,
  Ran = fun(H) -> [case X of {_, R} -> R; _ -> 0 end || X <- Ask(H, reductions)] end,
  Close = fun L(T, A, R, S) ->
    receive after 2 -> ok end,
    A1 = Count(), Q = Ran(R), S1 = [{A1 - A, Q} | S],
    case Now() >= T of true -> S1; false -> L(T, A1, R, S1) end end,
  N0 = erlang:statistics(total_run_queue_lengths), N1 = 2 * erlang:system_info(schedulers_online),
  if N0 > N1 ->
    #{run_queue => N0, seconds => 0, samples => 0, quiet_samples => 0, collections => 0, words_per_gc => 0,
      reclaimed_mb => 0, total => 0, showing => 0, processes => []};
  true ->
  S = All(), G = Shape(reductions), W = Look(S, [], G, []), receive after 200 -> ok end,
  Busy = [P || {_, _, _, P} <- Top(S, W, G, 24, 0)],
  T = Now(), {D, Q} = lists:unzip(Close(T + WindowMs, Count(), Busy, [{0, Ran(Busy)}])),
  Z = Since(T), K = 131072 div Word, Next = [0 | lists:droplast(D)],
  Large = [X || X <- D, X >= K], N = length(Large),
  Rest = length([x || {X, Y} <- lists:zip(D, Next), X < K, Y < K]),
  Of = fun(I) ->
    C = [lists:nth(I, H) || H <- Q],
    M = [Y - X || {Y, X} <- lists:zip(C, tl(C) ++ [lists:last(C)])],
    Hits = length([x || {X, Y, B} <- lists:zip3(D, M, tl(M) ++ [0]), X >= K, Y + B > 0]),
    Miss = length([x || {X, Y, B} <- lists:zip3(D, Next, M), X < K, Y < K, B > 0]),
    {Hits * 100 div max(1, N) - Miss * 100 div max(1, Rest), lists:sum(M)} end,
  L = lists:sublist(lists:reverse(lists:sort([{U, V, P} || {I, P} <- lists:zip(lists:seq(1, length(Busy)), Busy),
    {U, V} <- [Of(I)], U > 0])), 6),
  R = [Y || {U, V, P} <- L, Y <- Gc(P, #{share_pct => U, reductions_delta => V})],
  #{run_queue => N0, seconds => Z, samples => length(D) - 1, quiet_samples => Rest, collections => N,
    words_per_gc => lists:sum(Large) div max(1, N), reclaimed_mb => Mb(lists:sum(Large) * Word),
    total => length(Busy), showing => length(R), processes => R} end.]==],
  },

  callbacks = {
    gc_at_once = {
      doc = "Collections that threw away over 128 kB within 2 ms, and which of the 24 busiest processes worked then "
        .. "and not between: share_pct 100 is whenever it came, and never else. Where more wait to run than twice the "
        .. "schedulers (run_queue), nothing is looked at.",
      args = { { name = "window_ms", type = "integer", min = 200, max = 10000, default = 700, waits = true } },
      class = "SAFE",
      cost = "one item of every process twice; then one counter, which wakes each scheduler, every 2 ms",
      returns = { "run_queue", "seconds", "samples", "quiet_samples", "collections", "words_per_gc (of these)",
        "reclaimed_mb", "total", "showing",
        "processes[]: pid, name, current_function, status, used_kb, share_pct, reductions_delta (in the window)" },
      query = "copies",
    },
  },
}
