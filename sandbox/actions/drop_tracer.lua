-- Takes trace flags back: all that one tracer has set, or those of one traced process. CAUTION: the traced go on,
-- faster; what is lost is somebody's measurement, which can be set again as it was. Each process that is named to the
-- machine makes the whole node stand still for a moment, so over 1,000 are only dropped where nobody else traces, all
-- at once.

local objects = require "sandbox.objects.trace"

-- A process that another traces is meant itself; else it is meant as a tracer. From OTP 27 on there are trace sessions
-- beside these flags: what they trace belongs to them, and is not seen here.
local OPEN = objects.trace .. [=[
  Open = fun() -> X = Target(), T = if X =:= none -> none; true -> By(X) end, if
      X =:= none -> {refused, Say("no such process or port now; give a pid, a name or a port (#Port<0.5>)")};
      is_pid(T), node(T) =/= node() -> {refused, Say("its tracer is on another node")};
      T =/= X andalso (is_pid(T) orelse is_port(T)) -> {tracing, T, IdOf(X), one, {[X], [], false}};
      T =/= X, T =/= [], T =/= none -> {refused, Say("it is traced by a module, which sets its flags anew by itself")};
      true -> case Traced(X) of
        {[], [], _} -> {refused, Say("it is neither traced nor does it trace anybody")};
        L -> case Count(L) > 1000 andalso element(3, L) of
          true -> {refused, Say("it traces over 1,000, and others trace too: taking flags back one by one would hold "
            "up the node; with the end of the tracer (kill_process) the machine drops them")};
          false -> {tracing, X, IdOf(X), all, L} end end end end,
  Closed = fun(T) -> is_pid(T) andalso Ours(T) end,
  Check = fun(Now) -> {_, T, I, W} = Identity, case Now of
      {refused, Why} -> {changed, Why};
      {tracing, Y, _, V, _} when Y =/= T; V =/= W -> {changed, Say("somebody else traces now")};
      {tracing, _, _, _, _} -> case Same3(I, Target()) of
        same -> case Closed(T) of true -> Refuse("the trace is our own; trace_stop ends it"); false -> same end;
        X -> X end end end,
]=]

return {
  name = "drop_tracer",
  title = "drop a tracer",
  class = "CAUTION",
  args = { { name = "process", type = "string",
    doc = "the tracer, as a pid, name or port; or one traced process, to take back its flags only" } },
  doc = "Takes back the trace flags that a tracer has set, so that nobody is slowed by it any more. Right where a "
    .. "trace was left on, or floods its tracer. Patterns of functions stay set, which cost little when nobody is "
    .. "traced; what a trace session of OTP 27 traces is not seen.",
  undo_doc = "trace_again sets the same flags for the same tracer, while it lives; 1,000 processes at most",
  timeout = 30,

  queries = {
    preview = OPEN .. [=[
  case Open() of
    {refused, _} = W -> W;
    {tracing, T, I, W, L} -> case Closed(T) of
      true -> Refuse("the trace is our own; trace_stop ends it");
      false -> {Few, Packed, _} = L, Po = length(lists:filter(fun erlang:is_port/1, Few)),
        #{object => Say(case I of {process, _, _, _, _, _, _} -> Name(I); _ -> Show(I) end),
          identity => {tracer, T, I, W},
          figures => #{tracer => Say(Show(T)),
            processes => Count(L) - length([P || P <- Few, not is_pid(P)]), ports => Po,
            new_ones => lists:member(new_processes, Few),
            flags => [list_to_binary(atom_to_list(F)) || F <- Flags(hd(Plain({Few, lists:sublist(Packed, 1), false}))),
              is_atom(F)],
            lost => Say("what " ++ Show(T) ++ " would be told from then on")}} end end.]=],

    check = OPEN .. [=[ Check(Open()).]=],

    deed = OPEN .. [=[
  Drop = fun({tracing, T, _, _, L}) ->
    case Count(L) of
      N when N =< 1000 -> Kept = [{P, Flags(P)} || P <- Plain(L)],
        lists:foreach(fun({P, _}) -> catch erlang:trace(P, false, [all]) end, Kept), {done, {traced, T, Kept, N}};
      N -> erlang:trace(all, false, [all]), {done, {traced, T, many, N}} end end,
  Now = Open(),
  case Check(Now) of same -> Drop(Now); No -> No end.]=],

    after = objects.trace .. [=[
  Left = case Identity of
    {_, T, _, all} -> Count(Traced(T));
    {_, T, I, one} -> X = case I of {process, P, _, _, _, _, _} -> P; _ -> I end,
      case By(X) of T -> 1; _ -> 0 end end,
  case {Left, Before} of
    {0, {_, _, _, N}} -> {ok, Say("nobody of " ++ Num(N) ++ " is traced any more")};
    {0, _} -> {ok, Say("nobody is traced any more")};
    {N, _} -> {failed, Say(Num(N) ++ " are traced: the tracer set flags again")} end.]=],
  },

  undo = function(args, before)
    if tostring(before[3]) == "many" then
      return "over 1,000 were traced, whose flags were not kept; start the trace again where it was started"
    end
    return { name = "trace_again", args = { process = args.process }, given = true }
  end,
}
