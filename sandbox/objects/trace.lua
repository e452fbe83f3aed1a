--- Erlang that drop_tracer and its undo share: who is traced, and by whom.

local process = require "sandbox.objects.process"

-- The flags of a process are the machine's, so anybody may take them back, or set them for another tracer. A tracer
-- that has ended needs nothing: the machine drops its flags by itself. `Traced` are processes and ports, and the
-- words for those that will be started, and whether somebody else traces too: asked in compiled code and in slices, one
-- item of each. The processes are kept as bytes beside our heap, for all of a node may be traced.
local TRACE = process.guard .. [=[
  By = fun(P) -> case catch erlang:trace_info(P, tracer) of {tracer, X} -> X; _ -> none end end,
  Flags = fun(P) -> case catch erlang:trace_info(P, flags) of {flags, L} -> L; _ -> [] end end,
  Slices = fun Slices(L, K, A) when K > 5000 -> {H, T} = lists:split(5000, L), Slices(T, K - 5000, [H | A]);
               Slices(L, _, A) -> [L | A] end,
  Match = fun(Guards) -> ets:match_spec_compile([{{{tracer, '$1'}, '$2'}, Guards, ['$2']}]) end,
  Walk = fun Walk([], _, _, A) -> A;
             Walk([H | T], M, N, {Packed, Others}) ->
               L = lists:zip(lists:zipwith(fun erlang:trace_info/2, H, lists:duplicate(length(H), tracer)), H),
               More = case ets:match_spec_run(L, M) of [] -> Packed; Y -> [term_to_binary(Y) | Packed] end,
               Walk(T, M, N, {More, Others orelse ets:match_spec_run(L, N) =/= [] }) end,
  Traced = fun(X) -> L = erlang:processes(), Q = [new_processes, new_ports | erlang:ports()],
    {Packed, Others} = Walk(Slices(L, length(L), []), Match([{'=:=', '$1', X}]),
      Match([{'=/=', '$1', X}, {'=/=', '$1', [] }]), {[], false}),
    {[P || P <- Q, By(P) =:= X], Packed,
     Others orelse lists:any(fun(P) -> not lists:member(By(P), [X, [] ]) end, Q)} end,
  Count = fun({Few, Packed, _}) -> length(Few) + lists:sum([length(binary_to_term(B)) || B <- Packed]) end,
  Plain = fun({Few, Packed, _}) -> lists:append([Few | lists:map(fun erlang:binary_to_term/1, Packed)]) end,
  Port = fun(B) -> case catch list_to_port(binary_to_list(B)) of
      P when is_port(P) -> case erlang:port_info(P, name) of undefined -> none; _ -> P end; _ -> none end end,
  Target = fun() -> case Find(Process) of none -> Port(Process); P -> P end end,
  Same3 = fun(X, X) when is_port(X) -> same;
             ({process, _, _, _, _, _, _} = I, P) -> Same(I, P);
             (_, _) -> {changed, Say("it has ended since")} end,
  IdOf = fun(X) when is_pid(X) -> Id(X); (X) -> X end,
  Show = fun(X) when is_pid(X) -> case Id(X) of gone -> pid_to_list(X); I -> Name(I) end;
            (X) when is_port(X) -> port_to_list(X);
            (_) -> "a tracer module" end,
]=]

return { trace = TRACE }
