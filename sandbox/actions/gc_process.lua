-- Collects the garbage of one process. CAUTION: the process stands still while it is collected (about a millisecond
-- for each MB that it keeps), and nothing but its unused memory goes. So any process may be collected, the system's
-- own too.

local objects = require "sandbox.objects.process"

local CHECK = objects.process .. [=[
  {process, P, _, _, _, _, _} = Identity, Check = Same(Identity, Find(Process)),
]=]

return {
  name = "gc_process",
  title = "collect the garbage of a process",
  class = "CAUTION",
  args = { { name = "process", type = "string", doc = "a pid like <0.123.0>, or a registered name" } },
  doc = "Collects one process in full. Right where a process holds much memory or many binaries that it has passed on, "
    .. "and is idle, so that it does not collect by itself. It gives nothing back that the process still refers to.",
  undo_doc = "nothing to undo: only what nobody refers to goes",
  timeout = 15,

  queries = {
    preview = objects.process .. [=[
  case Find(Process) of
    none -> Nobody;
    P -> case Id(P) of
      gone -> Nobody;
      I -> #{object => Say(Name(I)), identity => I,
             figures => Some([{what, Say(What(I))}, {pid, Say(pid_to_list(P))},
               {memory_kb, case Item(P, memory) of undefined -> undefined; B -> B div 1024 end},
               {message_queue, Item(P, message_queue_len)},
               {lost, Say("nothing but what it no longer refers to; it stands still meanwhile")}])} end end.]=],

    check = CHECK .. [=[ Check.]=],

    -- The request stays with the process, so one that is long in native code is collected when it is back.
    deed = CHECK .. [=[
  Collect = fun() -> R = make_ref(), B = Item(P, memory),
    erlang:garbage_collect(P, [{async, R}]),
    X = receive {garbage_collect, R, Y} -> Y after 5000 -> waits end,
    {done, {collected, X, B, Item(P, memory)}} end,
  case Check of same -> Collect(); _ -> Check end.]=],

    after = objects.process .. [=[
  Gone = {failed, Say("the process has ended since")},
  case Before of
    {collected, true, X, Y} when is_integer(X), is_integer(Y) ->
      {ok, Say(["its memory was ", Num(X div 1024), " kB and was ", Num(Y div 1024), " kB after it"])};
    {collected, waits, X, _} -> case Item(element(2, Identity), memory) of
        undefined -> Gone;
        Y when Y < X -> {ok, Say(["its memory was ", Num(X div 1024), " kB and is ", Num(Y div 1024), " kB"])};
        _ -> {not_yet, Say("it runs native code or is suspended; it is collected when it is back")} end;
    unknown -> {failed, Say("a collection leaves no trace to see; it may be proposed again without harm")};
    _ -> Gone end.]=],
  },

  undo = function()
    return "a collection cannot be undone and need not be: the process grows its heap again when it wants to"
  end,
}
