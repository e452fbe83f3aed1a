--- Erlang that skills share: who makes more of what the node only counts as a whole. Stands behind `texts.walk` and a
--- fun Count, which gives that count.

return {
  -- The count is read again and again, and beside it who of the 20 busiest has worked: what came while a process
  -- worked speaks for it, steps in which it worked and nothing came speak against it. Answers with {Share, P}, the
  -- likeliest first; 100 is who worked whenever something came, and never else.
  makers = [==[
  Ran = fun(Ps) -> [case X of {_, R} -> R; _ -> 0 end || X <- Ask(Ps, reductions)] end,
  Makers = fun(Nap, Ms) ->
    S = All(), G = Shape(reductions), W = Look(S, [], G, []), receive after 200 -> ok end,
    Busy = [P || {_, _, _, P} <- Top(S, W, G, 20, 0)],
    Close = fun L(T, A, R, S) ->
             receive after Nap -> ok end,
             A1 = Count(), Q = Ran(Busy),
             Did = [case Y > X of true -> 1; false -> 0 end || {X, Y} <- lists:zip(R, Q)],
             S1 = [{A1 - A, Did} | S],
             case Now() >= T of true -> S1; false -> L(T, A1, Q, S1) end end,
    Steps = Close(Now() + Ms, Count(), Ran(Busy), []),
    Made = max(1, lists:sum([D || {D, _} <- Steps])),
    Without = max(1, length([x || {D, _} <- Steps, D =< 0])),
    lists:reverse(lists:sort([{lists:sum([D || {D, R} <- Steps, lists:nth(I, R) =:= 1]) * 100 div Made
                - length([x || {D, R} <- Steps, D =< 0, lists:nth(I, R) =:= 1]) * 100 div Without, P}
                || {I, P} <- lists:zip(lists:seq(1, length(Busy)), Busy)])) end,
]==],
}
