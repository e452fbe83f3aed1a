-- Lets a supervisor end one of its children and start it again; or start one that does not run. DANGEROUS: its state is
-- lost, and where it cannot start again, it is missing.

local objects = require "sandbox.objects.child"

return {
  name = "restart_child",
  title = "restart a supervised child",
  class = "DANGEROUS",
  args = {
    { name = "supervisor", type = "string", doc = "a pid like <0.123.0>, or a registered name" },
    { name = "child", type = "string", doc = "its id as sup_children shows it, or its pid" },
  },
  doc = "Lets a supervisor stop one child in order and start it again, or start one that does not run. Right where a "
    .. "child is stuck or holds a state that is broken. Its siblings go on, whatever the strategy, and it does not "
    .. "count as a restart of the supervisor. Children of a dynamic supervisor are refused: see kill_process.",
  undo_doc = "a state that was lost cannot be brought back; a child that did not run before can be terminated again",
  timeout = 30,

  queries = {
    preview = objects.child .. [=[
  Look = fun(S, {K, _, C, R, _} = X) ->
    F = [{supervisor, Say(Call(S))}, {strategy, list_to_binary(atom_to_list(K))},
      {restart, list_to_binary(atom_to_list(R))}],
    #{object => Say(Title(S, X, false)), identity => Made(S, X),
      figures => Some(F ++ case is_pid(C) of
        true -> [{lost, Join(Lost(C))} | Figures(C, Id(C))];
        false -> [{lost, Say("nothing: it does not run")}] end)} end,
  case Open() of
    {refused, _} = W -> W;
    {_, {_, _, restarting, _, _}} -> {refused, Say("its supervisor is starting it again already")};
    {S, X} -> case Loose(X) of
      true -> {refused, Say("a temporary or dynamic child is forgotten when it ends, so it cannot be restarted by its "
        "supervisor; kill_process ends it, and one that is permanent is then started again")};
      false -> Look(S, X) end end.]=],

    check = objects.check .. [=[ Check.]=],

    -- Both requests are in the supervisor's mailbox before it has done the first, so none of what may befall us in
    -- between leaves the child stopped.
    deed = objects.check .. [=[
  Go = fun({S, {_, I, C, _, _}}) ->
    Q = case is_pid(C) of true -> [{terminate_child, I}]; false -> [] end,
    {done, {case C of undefined -> started; _ -> restarted end, Said(Put(S, Q ++ [{restart_child, I}], 20000)),
      Say(Shown(I))}} end,
  case {Check, Found} of
    {same, {_, X}} -> case Loose(X) of true -> {refused, Say("this child cannot be restarted")}; false -> Go(Found) end;
    _ -> Check end.]=],

    after = objects.child .. [=[
  Old = element(5, Identity),
  case case Before of {_, T, _} when is_binary(T) -> {error, T}; _ -> Runs(Identity) end of
    {error, W} -> {failed, Say(["the supervisor could not start it, so it does not run now; it said: ", W])};
    C when is_pid(C), C =/= Old -> {ok, Say("it runs as " ++ pid_to_list(C))};
    C when is_pid(C) -> {not_yet, Say("it has not ended yet; its supervisor waits for it")};
    silent -> {not_yet, Say("its supervisor does not answer yet: it is starting it")};
    restarting -> {not_yet, Say("its supervisor is starting it")};
    gone -> {failed, Say("its supervisor has ended")};
    _ -> {failed, Say("it does not run: it was started, and chose not to")} end.]=],
  },

  undo = function(args, before)
    if tostring(before[1]) == "started" then
      return { name = "terminate_child", args = { supervisor = args.supervisor, child = before[3] } }
    end
    return "the state that it had is lost; it runs again, with the one that it starts with"
  end,
}
