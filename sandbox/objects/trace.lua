--- Erlang that drop_tracer and its undo share: who is traced, and by whom.

local process = require "sandbox.objects.process"

-- The flags of a process are the machine's, so anybody may take them back, or set them for another tracer. A tracer
-- that has ended needs nothing: the machine drops its flags by itself. `Traced` are processes and ports, and the
-- words for those that will be started. Asked in compiled code, one item of each.
local TRACE = process.guard .. [=[
  By = fun(P) -> case catch erlang:trace_info(P, tracer) of {tracer, X} -> X; _ -> none end end,
  Flags = fun(P) -> case catch erlang:trace_info(P, flags) of {flags, L} -> L; _ -> [] end end,
  Among = fun(L, X) -> [P || {{tracer, Y}, P} <- lists:zip(lists:zipwith(fun erlang:trace_info/2, L,
      lists:duplicate(length(L), tracer)), L), Y =:= X] end,
  Traced = fun(X) -> [P || P <- [new_processes, new_ports], By(P) =:= X]
    ++ Among(erlang:processes(), X) ++ [P || P <- erlang:ports(), By(P) =:= X] end,
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
