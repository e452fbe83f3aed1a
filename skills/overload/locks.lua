--- Locks of `global`: who holds one, and how many wait for it. Who waits asks again and again, asleep in between, and
--- sends nothing that would lie in a mailbox; so it is told by where it stands.

local texts = ...

return {
  queries = {
    -- Of very many processes only those that did something in the window are asked where they stand: who waits asks
    -- again after some seconds.
    locks = texts.walk .. [=[
  S = All(), {I, P, X, _} = Shape(reductions), T = Now(), Few = Total(S) =< 5000,
  A = if Few -> []; true -> Look(S, [], {I, P, X, 0}, []) end,
  receive after WindowMs -> ok end,
  W = Since(T),
  L = if Few -> lists:append(S); true -> [H || {_, _, _, H} <- Top(S, A, {I, P, X, 0}, 5000, 0)] end,
  Waits = [H || H <- L, Item(H, current_function) =:= {global, random_sleep, 1}],
  Where = fun(H) -> case Item(H, current_stacktrace) of
    K when is_list(K) -> [Func({M, F, N}) || {M, F, N, _} <- K, M =/= global]; _ -> [] end end,
  Lo = case ets:info(global_locks, size) of N when is_integer(N), N > 0 ->
    case ets:match_object(global_locks, '_', 20) of {K, _} -> K; _ -> [] end; _ -> [] end,
  Row2 = fun(Id, H) when is_pid(H), node(H) =:= node() -> [Some([{lock, Label(Id)}, {holder, Show(H)},
      {holder_name, maps:get(name, Y, undefined)}, {holder_function, maps:get(current_function, Y, undefined)}])
      || Y <- Row(H, #{})];
    (Id, H) when is_pid(H) -> [#{lock => Label(Id), holder => Show(H)}]; (_, _) -> [] end,
  R = [Y || {Id, _, [{H, _} | _]} <- Lo, Y <- Row2(Id, H)],
  Some([{seconds, W}, {looked_at, length(L)}, {waiting, length(Waits)}, {total, length(R)}, {showing, length(R)},
    {locks, R}, {waiter_function, case [F || H <- lists:sublist(Waits, 20), [F | _] <- [Where(H)]] of
      [F | _] -> F; [] -> undefined end}]).]=],
  },

  callbacks = {
    overload_locks = {
      brief = "locks of global: holder, how many wait",
      doc = "The locks of global that are held now, by whom, and how many processes wait for one. Many that wait at "
        .. "two looks for a lock with one holder wait for what that one does.",
      args = { { name = "window_ms", type = "integer", min = 100, max = 10000, default = 1000, waits = true } },
      class = "SAFE",
      cost = "wakes up to 5,000 processes once; over that, one item of every process twice, and only those that did "
        .. "something",
      returns = { "seconds", "looked_at", "waiting (of those, in global's sleep between two tries)",
        "waiter_function (where one of them came from)", "total, showing (20 at most)",
        "locks[]: lock, holder, holder_name, holder_function" },
      query = "locks",
    },
  },
}
