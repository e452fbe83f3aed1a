-- Calls of one function, a few of them: who called it and when. Never with what arguments.
--
-- The bound is in the VM, not in a process that would have to keep up: the match specification opens with the
-- trace control word, and the first call that matches shuts it for all schedulers. The worker then takes the
-- breakpoint out, so a function that is called a million times a second is slowed for a moment only, and sets it
-- again at the next beat: five calls a second at most. Nobody else's trace is touched: neither the pattern of a
-- function that is traced already nor the flags of a process that has another tracer, nor a control word in use.
-- The flags are the worker's: the VM takes them back from all processes when it ends, and it is ended at every end.
-- Were worker and janitor both killed at once, a breakpoint would stay that nobody's flag makes use of.
--
-- Patterns hold for all tracers: where somebody else's sends us calls that we did not ask for, the trace ends.
--
-- From OTP 27 a trace session of our own does the same, apart from everybody else's, where the module is loaded.
--
-- An event has `type`: "armed" (call, processes: how many it watches) or "call" (call, pid, arity; unix_us).
--
-- Module, Func: names, an Elixir module without "Elixir."; Most calls in all, in that many Seconds.

return {
  name = "trace",
  about = "who calls one function and when, five calls a second at most, 50 in all",
  class = "CAUTION",
  keep = 60,
  per_second = 6, -- of which the first may be "armed"
  variables = { Module = "", Func = "", Arity = 0, Most = 50, Seconds = 60 },
  text = [=[
    Every = 200,
    Now = fun() -> erlang:monotonic_time(millisecond) end,
    State = {Most, Now() + Seconds * 1000},
    Key = erlang:phash2(erlang:make_ref()) + 1,
    Spec = [{'_', [{'=:=', {get_tcw}, Key}], [{set_tcw, 0}]}],
    M = case [X || L <- ["Elixir." ++ binary_to_list(Module), binary_to_list(Module)],
                   X <- [catch list_to_existing_atom(L)], is_atom(X), erlang:module_loaded(X)] of
          [K | _] -> K; [] -> '_' end,
    F = case catch binary_to_existing_atom(Func) of N when is_atom(N) -> N; _ -> '_' end,
    Of = {M, F, Arity},
    Call = iolist_to_binary([Module, ":", Func, "/", integer_to_list(Arity)]),
    Flags = fun(R) -> [call, arity, timestamp, {tracer, R}] end,
    Gate = fun(X) -> erlang:system_flag(trace_control_word, X) end,
    Open = fun() -> erlang:system_info(trace_control_word) end,
    Set = fun(X) -> case erlang:get(trace) of
        undefined -> erlang:trace_pattern(Of, X, [local]);
        S -> trace:function(S, Of, X, [local]) end end,
    Free = fun() -> case erlang:get(trace) of undefined -> erlang:trace_info(Of, all); _ -> {all, false} end end,
    Pattern = fun() -> case erlang:get(trace) of undefined -> erlang:trace_info(Of, match_spec);
      S -> trace:info(S, Of, match_spec) end end,
    Other = "somebody else began to trace, so it was ended",
    Watch = fun(R) -> case erlang:get(trace) of
        undefined ->
          W = case erlang:trace_info(new_processes, flags) of {_, []} -> processes; _ -> existing_processes end,
          erlang:trace(W, true, Flags(R));
        S -> R ! {Key, session, S}, trace:process(S, processes, true, [call, arity, timestamp]) end end,
    On = fun(R) ->
      case erlang:function_exported(trace, session_create, 3) of
        true -> erlang:put(trace, trace:session_create(trace, R, [])); false -> ok end,
      case {lists:member('_', [M, F]), Free(), Open()} of
        {true, _, _} -> {missing, ["no such function is loaded on the node: ", Call]};
        {_, {_, undefined}, _} -> {missing, ["no such function is loaded on the node: ", Call]};
        {_, {_, false}, 0} ->
          case Set(Spec) of
            0 -> {missing, ["no such function is loaded on the node: ", Call]};
            _ -> R ! {Key, armed, Watch(R)}, Gate(Key), ok end;
        {_, {_, false}, _} -> {taken, "somebody uses the node's trace control word, which is not changed under him"};
        _ -> {taken, ["somebody traces ", Call, " already, and a function has one pattern"]} end end,
    Off = fun(_) ->
      case Open() of Key -> Gate(0); _ -> ok end,
      case erlang:get(trace) of
        undefined ->
          case Pattern() of {_, Spec} -> Set(false); _ -> ok end;
        S -> trace:session_destroy(S) end end,
    Take = fun({trace_ts, P, call, X, {A, B, C}}, {N, T} = S) when X =:= Of ->
                 case Pattern() of
                   {_, Y} when Y =:= Spec; Y =:= false ->
                     if Y =:= Spec -> Set(false); true -> ok end,
                     {event, {call, Call, erlang:list_to_binary(erlang:pid_to_list(P)),
                              (A * 1000000 + B) * 1000000 + C}, {N - 1, T}};
                   _ -> {stop, Other, S} end;
              ({trace_ts, _, _, _, _}, S) -> {stop, Other, S};
              ({X, armed, N}, S) when X =:= Key -> {event, {armed, Call, N, 0}, S};
              ({X, session, Y}, S) when X =:= Key -> erlang:put(trace, Y), {none, S};
              ({X, over, W}, S) when X =:= Key -> {stop, W, S};
              (_, S) -> {none, S} end,
    Beat = fun({N, T} = S) ->
      Over = fun(W) -> self() ! {Key, over, W} end,
      case Now() < T of
        false -> Over("its time was over");
        true when N < 1 -> Over("it had seen all the calls that it may");
        true -> case {Open(), Pattern()} of
          {Key, {_, Spec}} -> ok;
          {X, {_, false}} when X =:= 0; X =:= Key -> Set(Spec), Gate(Key);
          _ -> Over(Other) end end,
      S end,
  ]=],
  read = function(payload)
    local what = tostring(payload[1])
    if what == "armed" then return { type = what, call = payload[2], processes = payload[3] } end
    if what ~= "call" then return end
    return { type = what, call = payload[2], pid = payload[3], arity = tonumber(payload[2]:match "/(%d+)$"),
      unix_us = payload[4] }
  end,
}
