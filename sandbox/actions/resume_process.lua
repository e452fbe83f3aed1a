-- Lets a process that was suspended by sys:suspend/1 go on. DANGEROUS: whoever suspended it meant something by it, a
-- change of its code for example, and it works off its queue at once.

local objects = require "sandbox.objects.suspension"

local CHECK = objects.suspension .. [=[
  {process, P, _, _, _, _, _} = Identity,
  Check = fun() -> case {Sys(P), Same(Identity, Find(Process)), How(P)} of
      {none, same, sys} -> same;
      {none, same, _} -> {changed, Say("it is not suspended any more")};
      {none, X, _} -> X;
      {W, _, _} -> Refuse(W) end end,
]=]

return {
  name = "resume_process",
  title = "resume a suspended process",
  class = "DANGEROUS",
  args = { { name = "process", type = "string", doc = "a pid like <0.123.0>, or a registered name" } },
  doc = "Resumes a process that somebody suspended with sys:suspend and forgot. One that was suspended by "
    .. "erlang:suspend_process can be resumed by its suspender only, or by that one's end: the refusal names it.",
  undo_doc = "suspend_process suspends it again; what it did meanwhile stays done",
  timeout = 15,

  queries = {
    preview = objects.suspension .. [=[
  Look = fun(P, I) -> #{object => Say(Name(I)), identity => I, figures => Some([{what, Say(What(I))},
    {pid, Say(pid_to_list(P))}, {message_queue, Item(P, message_queue_len)},
    {lost, Say("nothing; it works off " ++ Many(Item(P, message_queue_len), "message") ++ " in its queue")}])} end,
  case Find(Process) of
    none -> Nobody;
    P -> case {Id(P), Sys(P), How(P)} of
      {gone, _, _} -> Nobody;
      {I, none, sys} -> Look(P, I);
      {_, none, machine} -> {refused, Say("it was suspended by erlang:suspend_process, which only who did it can take "
        "back, or that one's end: " ++ By(P))};
      {_, none, _} -> {refused, Say("it is not suspended, or hibernates while it is, which cannot be told")};
      {_, W, _} -> Refuse(W) end end.]=],

    check = CHECK .. [=[ Check().]=],

    deed = CHECK .. [=[
  case Check() of
    same -> {done, {resumed, P, case catch sys:resume(P, 8000) of ok -> ok; _ -> silent end}};
    No -> No end.]=],

    after = objects.suspension .. [=[
  P = element(2, Identity),
  case How(P) of
    none -> {ok, Say("it goes on; " ++ Many(Item(P, message_queue_len), "message") ++ " in its queue")};
    gone -> {failed, Say("it has ended since")};
    _ -> {not_yet, Say("it is still suspended")} end.]=],
  },

  undo = function(args) return { name = "suspend_process", args = { process = args.process }, given = true } end,
}
