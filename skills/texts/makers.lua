--- Erlang that skills share: who makes more of what the node only counts as a whole. Stands behind `texts.walk` and a
--- fun Count, which gives that count.

return {
  -- The count is read again and again, and beside it who of the 20 busiest has worked: what came while a process
  -- worked speaks for it, steps in which it worked and nothing came speak against it. Answers with {Share, P}, the
  -- likeliest first; 100 is who worked whenever something came, and never else. At low priority a step would take as
  -- long as all others' turns together on a node that is full, and everybody works in that time: so these few hundred
  -- short steps, and they alone, stand in the queue as the node's own work does. Who runs answers at the end of its
  -- turn: where more than the schedulers can take never wait, these are left out, or no step would be short.
  makers = [==[
  Ran = fun(Ps) -> [case X of {_, R} -> R; _ -> 0 end || X <- Ask(Ps, reductions)] end,
  Makers = fun(Nap, Ms) ->
    S = All(), G = Shape(reductions), W = Look(S, [], G, []), receive after 200 -> ok end,
    Few = [P || {_, _, _, P} <- Top(S, W, G, 50, 0)],
    Runs = fun(L) -> [P || {{_, X}, P} <- lists:zip(Ask(L, status), L), X =/= waiting] end,
    Again = fun Again(0, L) -> L; Again(K, L) -> receive after 5 -> ok end, Again(K - 1, Runs(L)) end,
    H = erlang:process_flag(priority, normal),
    Hogs = Again(5, Few),
    Busy = lists:sublist(case length(Hogs) > erlang:system_info(schedulers_online) of true -> Few -- Hogs;
      false -> Few end, 20),
    Close = fun L(T, A, R, S) ->
             receive after Nap -> ok end,
             A1 = Count(), Q = Ran(Busy),
             S1 = [{A1 - A, lists:zipwith(fun erlang:'=/='/2, R, Q)} | S],
             case Now() >= T of true -> S1; false -> L(T, A1, Q, S1) end end,
    Steps = Close(Now() + Ms, Count(), Ran(Busy), []),
    case H of low -> erlang:process_flag(priority, low); _ -> ok end,
    Of = fun(I, G) -> ets:match_spec_run(Steps, ets:match_spec_compile(
      [{{'$1', lists:duplicate(I - 1, '_') ++ [true | '_']}, G, ['$1']}])) end,
    Y = [{'=<', '$1', 0}],
    Made = max(1, lists:sum(ets:match_spec_run(Steps, ets:match_spec_compile([{{'$1', '_'}, [], ['$1']}])))),
    Without = max(1, length(ets:match_spec_run(Steps, ets:match_spec_compile([{{'$1', '_'}, Y, ['$1']}])))),
    lists:reverse(lists:sort([{lists:sum(Of(I, [])) * 100 div Made - length(Of(I, Y)) * 100 div Without, P}
      || {I, P} <- lists:zip(lists:seq(1, length(Busy)), Busy)])) end,
]==],
}
