--- Erlang that the two actions on a supervisor's child share: how a child is found by its id, and told from another
--- that has the id since; and, after the deed, what the supervisor has under that id.

local objects = require "sandbox.objects.supervisor"

-- `Pick` is {Kind, Id, Pid, Restart, a hash of the specification}, or why not. The children of a dynamic supervisor
-- have no ids: they are named by their pid, and so may the others be. An identity holds the id as bytes, since it
-- may be any term, and tells the supervisor, the child that runs and what it would be started with.
local CHILD = objects.loss .. [=[
  Names = fun(I, C) -> [Shown(I) | case is_atom(I) of true -> [atom_to_list(I)]; false -> [] end]
    ++ case is_pid(C) of true -> [pid_to_list(C)]; false -> [] end end,
  Listed = fun(S, K) -> case Children(S) of
      silent -> silent;
      L -> T = unicode:characters_to_list(Child),
        case [{I, C} || {I, C, _, _} <- L, lists:member(T, Names(I, C))] of
          [{I, C}] -> case Spec(S, I) of none -> none; X -> {K, I, C, maps:get(restart, X), erlang:phash2(X)} end;
          [] -> none;
          _ -> several end end end,
  Pick = fun(S) -> P = Find(Child), case Kind(S) of
      {dynamic, M} -> case maps:get(P, M, none) of
          {_, R, _, _, _} = X -> {dynamic, P, P, R, erlang:phash2(X)}; _ -> none end;
      {simple_one_for_one, _} -> case is_pid(P) andalso Spec(S, P) of
          X when is_map(X) -> {simple_one_for_one, P, P, maps:get(restart, X), erlang:phash2(X)}; _ -> none end;
      {K, _} -> Listed(S, K);
      X -> X end end,
  Own = fun(C) when is_pid(C) -> Id(C); (_) -> none end,
  Made = fun(S, {K, I, C, R, H}) -> {child, Id(S), K, term_to_binary(I), C, Own(C), R, H} end,
  Why = fun(none) -> Say("that supervisor has no such child now; sup_children shows their ids");
           (several) -> Say("several children are shown by this id; give the pid of the one");
           (many) -> Say("the supervisor has over 20,000 children and is not asked for them");
           (_) -> Say("the supervisor does not answer within a second; ask again when it does") end,
  Open = fun() -> case Find(Supervisor) of
      none -> {refused, Say("no such supervisor now; give a pid or a registered name, as sup_list has them")};
      S -> case {IsSup(S), Sys(S)} of
        {false, _} -> {refused, Say("that process is no supervisor")};
        {unread, _} -> {refused, Why(many)};
        {_, none} -> case Pick(S) of
            {_, _, C, _, _} = X -> case is_pid(C) andalso Sys(C) of
                W when is_list(W) -> Refuse(W); _ -> {S, X} end;
            W -> {refused, Why(W)} end;
        {_, W} -> Refuse(W) end end end,
  Title = fun(S, {_, _, C, _, _}, true) -> Call(S) ++ "/" ++ pid_to_list(C);
             (S, {_, I, _, _, _}, _) -> Call(S) ++ "/" ++ Shown(I) end,
  Loose = fun({K, _, _, R, _}) -> K =:= dynamic orelse K =:= simple_one_for_one orelse R =:= temporary end,
  Put = fun(S, L, Ms) -> T = erlang:monotonic_time(millisecond) + Ms,
    Sent = [begin R = erlang:monitor(process, S), S ! {'$gen_call', {self(), R}, Q}, R end || Q <- L],
    lists:last([receive {R, X} -> X; {'DOWN', R, _, _, _} -> {error, gone}
                after max(0, T - erlang:monotonic_time(millisecond)) -> silent end || R <- Sent]) end,
  Said = fun(X) when is_tuple(X), element(1, X) =:= ok -> ok; (ok) -> ok; (silent) -> silent;
            ({error, X}) -> Say(lists:sublist(lists:flatten(io_lib:format("~0tP", [X, 6])), 200));
            (_) -> silent end,
  SameChild = fun({child, A, K, B, C, D, R, H}, {S, {K, I, C, R, H}}) ->
        case {Same(A, S), term_to_binary(I) =:= B, C} of
          {same, true, _} when not is_pid(C) -> same;
          {same, true, _} -> Same(D, C);
          {same, _, _} -> {changed, Say("another child has this id now")};
          {X, _, _} -> X end;
      (_, {refused, _} = X) -> X;
      ({child, _, _, _, C, _, _, _}, {_, {_, _, C, _, _}}) ->
        {changed, Say("the child has another specification now")};
      (_, _) -> {changed, Say("the child was started again or ended since")} end,
  Runs = fun({child, {process, S, _, _, _, _, _}, K, B, _, _, _, _}) -> case Alive(S) of
      false -> gone;
      _ when K =:= dynamic; K =:= simple_one_for_one -> none;
      _ -> case Children(S) of
          silent -> silent;
          L -> case lists:keyfind(binary_to_term(B), 1, L) of {_, C, _, _} -> C; _ -> none end end end end,
]=]

-- The check that stands in front of both deeds.
local CHECK = CHILD .. [=[
  Found = Open(), Check = SameChild(Identity, Found),
]=]

return { child = CHILD, check = CHECK }
