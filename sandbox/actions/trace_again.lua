-- Sets again the trace flags that drop_tracer took back, for the same tracer: only as its undo. CAUTION: the traced are
-- slowed as before. Who has another tracer by now keeps that.

local objects = require "sandbox.objects.trace"

local OPEN = objects.trace .. [=[
  Lives = fun(T) when is_pid(T) -> Alive(T); (T) -> is_port(T) andalso erlang:port_info(T, name) =/= undefined end,
  Open = fun() -> case Given of
      {traced, T, L, _} when is_list(L) -> case Lives(T) of
          true -> {tracer, T, L}; false -> {refused, Say("the tracer has ended")} end;
      _ -> {refused, Say("no flags were kept that could be set again")} end end,
  Check = fun() -> case {Open(), Identity} of
      {{tracer, T, L}, {again, T, I, N}} when length(L) =:= N -> Same3(I, T);
      {{refused, W}, _} -> {changed, W};
      _ -> {changed, Say("the tracer is another now")} end end,
]=]

return {
  name = "trace_again",
  title = "trace again what was traced",
  class = "CAUTION",
  undo_only = true,
  args = { { name = "process", type = "string", doc = "the tracer or traced process that drop_tracer was given" } },
  doc = "Sets the trace flags again that drop_tracer took back.",
  undo_doc = "drop_tracer takes them back",
  timeout = 30,

  queries = {
    preview = OPEN .. [=[
  case Open() of
    {refused, _} = W -> W;
    {tracer, T, L} -> #{object => Say(Show(T)), identity => {again, T, IdOf(T), length(L)},
      figures => #{asked => Process, processes => length(L),
        lost => Say("nothing; the traced are slowed, and their tracer is told of them again")}} end.]=],

    check = OPEN .. [=[ Check().]=],

    deed = OPEN .. [=[
  Set = fun({tracer, T, L}) -> {done, {traced_again, length([P || {P, F} <- L,
    (catch erlang:trace(P, true, [{tracer, T} | F])) =:= 1 orelse is_atom(P)])}} end,
  case Check() of same -> Set(Open()); No -> No end.]=],

    after = objects.trace .. [=[
  {_, T, _, _} = Identity,
  case Count(Traced(T)) of
    0 -> {failed, Say("nobody is traced: those that were have ended, or others trace them")};
    N -> {ok, Say(Num(N) ++ " are traced by it")} end.]=],
  },

  undo = function(args) return { name = "drop_tracer", args = { process = args.process } } end,
}
