-- Ends one process by an exit signal. DANGEROUS: what it held is lost for good, and whoever is linked to it may end
-- too. It can come back only as another process, where a supervisor starts that.

local objects = require "sandbox.objects.supervisor"

-- What is asked of the supervisor stands before the check, and the signal right behind it.
local CHECK = objects.supervisor .. [=[
  {process, P, Registered, _, _, _, _} = Identity,
  Check = fun() -> case Guard(P) of none -> Same(Identity, Find(Process)); W -> Refuse(W) end end,
]=]

return {
  name = "kill_process",
  title = "kill a process",
  class = "DANGEROUS",
  args = {
    { name = "process", type = "string", doc = "a pid like <0.123.0>, or a registered name" },
    { name = "reason", type = "choice", of = { "kill", "shutdown" }, default = "kill",
      doc = "kill ends it at once; shutdown lets one that traps exits refuse, or clean up" },
  },
  doc = "Ends one process. Right where it is stuck for good or floods its own mailbox, and its supervisor starts it "
    .. "again; prefer restart_child where it has an id there. Wrong as a cure for load, which comes back. Processes of "
    .. "the system and those that lead an application are refused.",
  undo_doc = "cannot be undone: its state and its queue are lost; at best its supervisor starts it again, empty",
  timeout = 20,

  queries = {
    preview = objects.loss .. [=[
  Last = fun(S) -> case Room(S) of
      {N, I, T} when N >= I -> ", but it had " ++ Many(N, "restart") ++ " in " ++ Many(T, "second") ++ " and allows "
        ++ Num(I) ++ ": with this one it ends, and all its children";
      _ -> "" end end,
  Way = fun({S, silent}) -> {Call(S), "not known: its supervisor did not say within a second, or has too many"};
           ({S, K, _, R, N}) -> {Call(S), case {R, Process, binary_to_existing_atom(Reason)} of
                {temporary, _, _} -> "nobody starts it again: it is temporary";
                {transient, _, shutdown} -> "nobody starts it again: it is transient, and shutdown is a normal end";
                _ -> atom_to_list(R) ++ ": its supervisor starts it again" ++ Last(S) end
              ++ if N > 0 -> ", and " ++ Many(N, "other") ++ " with it (" ++ atom_to_list(K) ++ ")"; true -> "" end};
           (none) -> {"", "nobody starts it again: it has no supervisor"} end,
  Look = fun(P, I) -> H = Held(P), {W, A} = Way(H),
    Also = case H of {_, _, _, _, N} when N > 0 -> [Many(N, "other") ++ " of its supervisor, restarted with it"];
      _ -> [] end,
    #{object => Say(Name(I)), identity => I,
      figures => Some([{supervisor, case W of [] -> undefined; _ -> Say(W) end}, {restart, Say(A)},
        {lost, Join(Lost(P) ++ Also)} | Figures(P, I)])} end,
  case Find(Process) of
    none -> Nobody;
    P -> case {Id(P), Guard(P)} of
      {gone, _} -> Nobody;
      {I, none} -> Look(P, I);
      {_, W} -> Refuse(W) end end.]=],

    check = CHECK .. [=[ Reason, Check().]=],

    deed = CHECK .. [=[
  Ended = fun({S, K, I, R, _}) when K =/= dynamic, K =/= simple_one_for_one -> {ended, S, Shown(I), R};
             ({S, _, _, R, _}) -> {ended, S, none, R};
             (_) -> {ended, none, none, unknown} end,
  Was = Ended(Held(P)), Why = binary_to_existing_atom(Reason),
  case Check() of same -> exit(P, Why), {done, Was}; No -> No end.]=],

    -- A name, or an id with its supervisor, tells whether it came back; of others only that they ended.
    after = objects.supervisor .. [=[
  {process, P, Registered, _, _, _, _} = Identity,
  Comes = fun({ended, _, _, permanent}) -> true;
             ({ended, _, _, transient}) -> binary_to_list(Reason) =:= "kill"; (_) -> false end,
  There = fun() when Registered =/= undefined -> whereis(Registered);
             () -> case Before of
                 {ended, S, I, _} when is_pid(S), I =/= none ->
                   case lists:member(silent, [Kind(S)]) of true -> undefined; false ->
                     case Children(S) of silent -> undefined;
                       L -> case [C || {X, C, _, _} <- L, Shown(X) =:= I] of [C] -> C; _ -> undefined end end end;
                 _ -> none end end,
  case Alive(P) of
    true -> case Item(P, trap_exit) of
        true -> {not_yet, Say("it has not ended: it traps exits, so it may refuse shutdown; kill ends it")};
        _ -> {not_yet, Say("it has not ended yet")} end;
    false -> case {There(), Comes(Before)} of
        {Q, _} when is_pid(Q) -> {ok, Say("it has ended, and runs again as " ++ pid_to_list(Q))};
        {none, true} -> {ok, Say("it has ended; its supervisor starts another")};
        {_, true} -> {not_yet, Say(case Alive(element(2, Before)) of
          true -> "it has ended, and its supervisor has not started it again yet";
          false -> "it has ended, and its supervisor too" end)};
        _ -> {ok, Say("it has ended, and nobody starts it again")} end end.]=],
  },

  undo = function()
    return "a process that ended cannot be brought back; where no supervisor starts it again, start it as your "
      .. "application does"
  end,
}
