-- Suspends a process again that resume_process let go on: only as its undo. DANGEROUS: whoever calls it waits.

local objects = require "sandbox.objects.suspension"

local OPEN = objects.suspension .. [=[
  Open = fun() -> case {Given, Find(Process)} of
      {{resumed, P, _}, P} -> case {Sys(P), How(P)} of
          {none, none} -> Id(P);
          {none, _} -> {refused, Say("it is suspended already")};
          {W, _} -> Refuse(W) end;
      {{resumed, _, _}, none} -> {refused, Say("the process that was resumed has ended")};
      {{resumed, _, _}, _} -> {changed, Say("another process goes by this name now")};
      _ -> {refused, Say("only a process that was resumed by an action is suspended again")} end end,
  Check = fun() -> case Open() of {process, X, _, _, _, _, _} -> Same(Identity, X); W -> W end end,
]=]

return {
  name = "suspend_process",
  title = "suspend a process again",
  class = "DANGEROUS",
  undo_only = true,
  args = { { name = "process", type = "string", doc = "a pid like <0.123.0>, or a registered name" } },
  doc = "Suspends again what resume_process resumed.",
  undo_doc = "resume_process lets it go on",
  timeout = 15,

  queries = {
    preview = OPEN .. [=[
  case Open() of
    {process, P, _, _, _, _, _} = I -> #{object => Say(Name(I)), identity => I,
      figures => #{what => Say(What(I)), pid => Say(pid_to_list(P)),
        lost => Say("nothing; it answers nobody until it is resumed")}};
    {changed, W} -> {refused, W};
    {refused, _} = W -> W;
    gone -> Nobody end.]=],

    check = OPEN .. [=[ Check().]=],

    deed = OPEN .. [=[
  case Check() of
    same -> P = element(2, Identity),
      {done, {suspended, P, case catch sys:suspend(P, 8000) of ok -> ok; _ -> silent end}};
    No -> No end.]=],

    after = objects.suspension .. [=[
  case How(element(2, Identity)) of
    sys -> {ok, Say("it is suspended")};
    gone -> {failed, Say("it has ended since")};
    _ -> {not_yet, Say("it is not suspended yet: it is busy")} end.]=],
  },

  undo = function(args) return { name = "resume_process", args = { process = args.process } } end,
}
