-- The VM's own warnings (erlang:system_monitor/2): a long garbage collection, a scheduler that was
-- held up, a large heap, a port or a node that takes no more, a long queue. There is one such monitor on a
-- node; one that the node's own software has set is never replaced.
--
-- An event, as `node.events.of("monitor", …)` returns it:
--   type          long_gc, long_schedule, large_heap, busy_port, busy_dist_port, long_message_queue
--   pid           "<0.123.0>": whom it befell; of busy_port who waits for the port. Absent for a port's long_schedule
--   name          its registered name, else its initial call (mod:fun/arity); absent for what had died, for a fun,
--                 and for what proc_lib started, whose initial call is nowhere cheap to read
--   duration_ms   of long_gc and long_schedule
--   heap_size     words in all after a long_gc or at a large_heap: of its heaps with what lies beside them
--   port          "#Port<0.5>", of busy_port, busy_dist_port and a port's long_schedule
--   port_name     what the port is called: "tcp_inet", a program; its first word, for the others may be secrets
--   above         of long_message_queue: true when it grew long, false when it was short again (OTP 27)
--   age, datetime from the runtime
--
-- LongGc, LongSchedule, Look in ms; LargeHeap in words, of which 64 MB hold as many; MessageQueue in messages.

local WORDS = { "heap_block_size", "old_heap_block_size", "mbuf_size" }

local function name_of(v) return v and tostring(v) or nil end

local function words_of(info)
  local sum
  for _, key in ipairs(WORDS) do
    if type(info[key]) == "number" then sum = (sum or 0) + info[key] end
  end
  return sum
end

return {
  name = "monitor",
  about = "what the VM itself warns of: long collections, held-up schedulers, large heaps, busy ports",
  class = "SAFE",
  keep = 1000,
  per_second = 50,
  variables = { LongGc = 500, LongSchedule = 500, LargeHeap = 8388608, MessageQueue = 10000, Look = 5000 },
  -- A monitor that somebody set between our look and our setting is put back at once. Who sets one after
  -- us takes ours away without a word, so the worker looks from time to time: it would hear nothing, and
  -- nothing is what a healthy node says too.
  text = [=[
    State = [], Every = Look,
    Beat = fun(S) -> case erlang:system_monitor() of
        {P, _} when P =:= self() -> S;
        _ -> self() ! replaced, S end end,
    Text = fun(X) -> case atom_to_list(X) of "Elixir." ++ L -> L; L -> L end end,
    Whose = fun(P) -> "the node's own software has set a system monitor (" ++ erlang:pid_to_list(P) ++
        case erlang:process_info(P, registered_name) of {_, N} -> ", " ++ Text(N); _ -> "" end ++
        ") and there is one for all, which is not replaced" end,
    Asked = [{long_gc, LongGc}, {long_schedule, LongSchedule}, {large_heap, LargeHeap}, busy_port, busy_dist_port],
    Set = fun(R, L) -> case erlang:system_monitor(R, L) of
        undefined -> ok;
        {P, B} -> erlang:system_monitor(P, B), {taken, Whose(P)} end end,
    On = fun(R) -> case erlang:system_monitor() of
        undefined ->
          try Set(R, [{long_message_queue, {MessageQueue div 10, MessageQueue}} | Asked])
          catch error:badarg -> Set(R, Asked) end;
        {P, _} -> {taken, Whose(P)} end end,
    Off = fun(R) -> case erlang:system_monitor() of {R, _} -> erlang:system_monitor(undefined); _ -> ok end end,
    Show = fun(P) when is_pid(P) -> erlang:list_to_binary(erlang:pid_to_list(P));
              (P) when is_port(P) -> erlang:list_to_binary(erlang:port_to_list(P));
              (_) -> false end,
    Name = fun(P) when is_pid(P) -> case catch erlang:process_info(P, [registered_name, initial_call]) of
                [{_, N}, _] when is_atom(N) -> unicode:characters_to_binary(Text(N));
                [_, {_, {M, F, A}}] when M =/= proc_lib, F =/= apply ->
                  unicode:characters_to_binary([Text(M), ":", atom_to_list(F), "/", integer_to_list(A)]);
                _ -> false end;
              (P) when is_port(P) -> case erlang:port_info(P, name) of
                {_, N} -> unicode:characters_to_binary(lists:takewhile(fun(X) -> X =/= $\s end, lists:sublist(N, 200)));
                _ -> false end;
              (_) -> false end,
    Take = fun({monitor, P, T, I}, S) when is_port(P) ->
                {event, {T, false, false, maps:from_list(I), Show(P), Name(P)}, S};
              ({monitor, P, T, I}, S) when is_list(I) ->
                {event, {T, Show(P), Name(P), maps:from_list(I), false, false}, S};
              ({monitor, P, T, I}, S) ->
                {event, {T, Show(P), Name(P), I, Show(I), if is_port(I) -> Name(I); true -> false end}, S};
              (replaced, S) -> {stop, "the node's own software has set another system monitor since", S};
              (_, S) -> {none, S} end,
  ]=],
  read = function(payload)
    local info = type(payload[4]) == "table" and payload[4] or {}
    return {
      type = tostring(payload[1]),
      pid = payload[2] or nil,
      name = payload[3] or nil,
      duration_ms = type(info.timeout) == "number" and info.timeout or nil,
      heap_size = words_of(info),
      port = payload[5] or nil,
      port_name = name_of(payload[6]),
      above = type(payload[4]) == "boolean" and payload[4] or nil,
    }
  end,
}
