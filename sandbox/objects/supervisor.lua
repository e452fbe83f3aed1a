--- Erlang that actions share: what a supervisor says of its children. A supervisor of OTP and one of Elixir's dynamic
--- ones are asked in different words, and the second dies of the words of the first; so its state, which both
--- show, is looked at before.

local process = require "sandbox.objects.process"

-- Every question has a deadline, for a supervisor that starts a child answers nobody meanwhile, and is not put at all
-- to one of more than 20,000 links, for it would copy them. `Held` is who holds a process and how: none, {Sup, silent},
-- or {Sup, Kind, Id, Restart, how many others go with it}. The newest child is first in a supervisor's state. `Room` is
-- how many restarts it counts in its period, and how many it allows in how many seconds: with one more it ends.
local SUPERVISOR = process.guard .. [=[
  Ask = fun(S, How, Q, Ms) -> R = erlang:monitor(process, S), S ! {How, {self(), R}, Q},
    receive {R, X} -> {reply, X}; {'DOWN', R, _, _, _} -> gone after Ms -> silent end end,
  IsSup = fun(P) -> case Key('$initial_call', Dict(P)) of
      {supervisor, _, _} -> true; unread -> unread; _ -> false end end,
  Kind = fun(S) -> case Item(S, links) of
      L when is_list(L), length(L) =< 20000 -> case Ask(S, system, get_state, 1000) of
          {reply, X} when is_tuple(X), element(1, X) =:= state ->
            {element(3, X), case element(4, X) of {I, _} when is_list(I) -> I; _ -> [] end};
          {reply, X} when is_map(X) ->
            case catch {maps:get('__struct__', X), maps:get(children, X)} of
              {'Elixir.DynamicSupervisor', C} when is_map(C) -> {dynamic, C}; _ -> other end;
          _ -> silent end;
      L when is_list(L) -> many;
      _ -> gone end end,
  Spec = fun(S, I) -> case Ask(S, '$gen_call', {get_childspec, I}, 1000) of {reply, {ok, X}} -> X; _ -> none end end,
  Children = fun(S) -> case Ask(S, '$gen_call', which_children, 2000) of {reply, L} -> L; _ -> silent end end,
  SpecOf = fun(S, simple_one_for_one, P) -> Spec(S, P);
             (S, _, P) -> case Children(S) of
               silent -> none;
               L -> case lists:keyfind(P, 2, L) of {I, _, _, _} -> Spec(S, I); _ -> none end end end,
  With = fun(one_for_all, _, L) -> max(0, length(L) - 1);
            (rest_for_one, I, L) -> length(lists:takewhile(fun(X) -> X =/= I end, L));
            (_, _, _) -> 0 end,
  Held = fun(P) -> S = Up(P), case is_pid(S) andalso Alive(S) andalso IsSup(S) of
      true -> case Kind(S) of
          {dynamic, C} -> case maps:get(P, C, none) of
              {_, R, _, _, _} -> {S, dynamic, undefined, R, 0}; _ -> none end;
          {K, L} when is_list(L) -> case SpecOf(S, K, P) of
              none -> none;
              X -> I = maps:get(id, X), {S, K, I, maps:get(restart, X), With(K, I, L)} end;
          _ -> {S, silent} end;
      unread -> {S, silent};
      false -> none end end,
  Shown = fun(I) when is_atom(I) -> Text(I);
             (I) -> lists:sublist(lists:flatten(io_lib:format("~0tP", [I, 8])), 80) end,
  Room = fun(S) -> {I, T, L} = case Ask(S, system, get_state, 1000) of
        {reply, X} when is_tuple(X), tuple_size(X) >= 10, element(1, X) =:= state ->
          {element(6, X), element(7, X), element(8, X)};
        {reply, X} when is_map(X) ->
          {maps:get(max_restarts, X, none), maps:get(max_seconds, X, none), maps:get(restarts, X, none)};
        _ -> {none, none, none} end,
    case is_integer(I) andalso is_integer(T) andalso is_list(L) of
      true -> From = erlang:monotonic_time(second) - T, {length([Y || Y <- L, is_integer(Y), Y >= From]), I, T};
      false -> none end end,
  Call = fun(P) -> case Id(P) of gone -> "no process"; I -> Name(I) end end,
]=]

-- What ends with a process, as a person reads it. Its tables are found by one item of every table.
local LOSS = SUPERVISOR .. [=[
  Tables = fun(P) -> case ets:all() of
      L when length(L) =< 100000 ->
        lists:sum([1 || {X, T} <- lists:zip(lists:zipwith(fun ets:info/2, L, lists:duplicate(length(L), owner)), L),
                        X =:= P, ets:info(T, heir) =:= none]);
      _ -> 0 end end,
  Bound = fun(P) -> case Item(P, links) of
      L when is_list(L) -> length([X || X <- lists:sublist(L, 1000), is_pid(X), Item(X, trap_exit) =:= false]);
      _ -> 0 end end,
  Below = fun(P) -> case IsSup(P) of
      true -> case Item(P, links) of L when is_list(L) -> max(0, length(L) - 1); _ -> 0 end; _ -> 0 end end,
  Lost = fun(P) -> [Y || {N, Y} <- [
      {1, "what it was doing"},
      case Item(P, message_queue_len) of Q when is_integer(Q) -> {Q, Many(Q, "message") ++ " in its queue"};
        _ -> {0, ""} end,
      (fun(N) -> {N, Many(N, "ETS table") ++ " that it owns"} end)(Tables(P)),
      (fun(N) -> {N, if N =:= 1 -> "1 process"; true -> Num(N) ++ " processes" end ++ " below it"} end)(Below(P)),
      (fun(N) -> {N, Num(N) ++ " linked to it that do not trap exits, and who is linked to those"} end)(Bound(P))],
    N > 0] end,
  Figures = fun(P, I) -> [{what, Say(What(I))}, {pid, Say(pid_to_list(P))},
    {memory_kb, case Item(P, memory) of undefined -> undefined; B -> B div 1024 end},
    {message_queue, Item(P, message_queue_len)},
    {links, case Item(P, links) of L when is_list(L) -> length(L); _ -> undefined end},
    {reductions, element(7, I)}] end,
  Join = fun(L) -> Say(lists:join("; ", L)) end,
]=]

return { supervisor = SUPERVISOR, loss = LOSS }
