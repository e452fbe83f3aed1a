-- Lets a supervisor end one of its children, which then is not started again. DANGEROUS: what the child did is done by
-- nobody from then on. A supervisor is told the id, so a child that it starts again in the moment between our check
-- and its turn is ended in the other's place. Where the supervisor keeps its specification, restart_child undoes it,
-- with an empty state.

local objects = require "sandbox.objects.child"

return {
  name = "terminate_child",
  title = "terminate a supervised child",
  class = "DANGEROUS",
  args = {
    { name = "supervisor", type = "string", doc = "a pid like <0.123.0>, or a registered name" },
    { name = "child", type = "string", doc = "its id as sup_children shows it, or its pid" },
  },
  doc = "Lets a supervisor stop one child in order, and leave it stopped. Right where a part does harm and the rest "
    .. "can do without it for a while. Its siblings go on, whatever the strategy.",
  undo_doc = "restart_child starts it again, empty, unless it is temporary or a dynamic child: those are gone for good",
  timeout = 30,

  queries = {
    preview = objects.child .. [=[
  Look = fun(S, {K, _, C, R, _} = X) -> I = Id(C),
    #{object => Say(Title(S, X, Loose(X) andalso R =/= temporary)), identity => Made(S, X),
      figures => Some([{supervisor, Say(Call(S))}, {strategy, list_to_binary(atom_to_list(K))},
        {restart, list_to_binary(atom_to_list(R))},
        {then, Say(case Loose(X) of true -> "its specification goes with it: it cannot be started again from here";
                     false -> "nobody starts it again until somebody asks the supervisor to" end)},
        {lost, Join(Lost(C))} | Figures(C, I)])} end,
  case Open() of
    {refused, _} = W -> W;
    {S, {_, _, C, _, _} = X} when is_pid(C) -> Look(S, X);
    _ -> {refused, Say("this child does not run now")} end.]=],

    check = objects.check .. [=[ Check.]=],

    -- The supervisor waits for the child as long as its specification says, which may be longer than we do.
    deed = objects.check .. [=[
  Ask20 = fun({S, {K, I, C, _, _} = X}) ->
    Q = {terminate_child, case K of dynamic -> C; simple_one_for_one -> C; _ -> I end},
    {done, {terminated, Said(Put(S, [Q], 20000)), Say(Shown(I)), not Loose(X)}} end,
  case Check of same -> Ask20(Found); _ -> Check end.]=],

    after = objects.child .. [=[
  Now = case Before of {terminated, T, _, _} when is_binary(T) -> {error, T}; _ -> Runs(Identity) end,
  case {Alive(element(5, Identity)), Now} of
    {_, {error, W}} -> {failed, Say(["the supervisor said: ", W])};
    {true, _} -> {not_yet, Say("it has not ended yet; its supervisor waits for it")};
    {_, C} when is_pid(C) -> {failed, Say("it has ended, but runs again as " ++ pid_to_list(C))};
    {_, restarting} -> {failed, Say("it has ended, but its supervisor is starting it again")};
    {_, silent} -> {not_yet, Say("it has ended; its supervisor does not answer yet")};
    _ -> {ok, Say("it has ended, and stays so until somebody starts it")} end.]=],
  },

  undo = function(args, before)
    if before[4] == true then
      return { name = "restart_child", args = { supervisor = args.supervisor, child = before[3] } }
    end
    return "its supervisor has forgotten it: a temporary or dynamic child is started again only by what started it"
  end,
}
