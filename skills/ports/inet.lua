--- Sockets: those of the inet driver, which are ports, and those of the `socket` module, which are not.

local texts = ...

local LIMIT = { name = "limit", type = "integer", min = 1, max = 50, default = 10 }

-- The registry of the `socket` module is a process, and is asked only where somebody loaded that
-- module: nobody else can have opened such a socket. A socket's text is its reference's with another word.
local SOCKETS = texts.ports .. [=[
  Sid = fun({_, R}) -> "#Ref" ++ L = ref_to_list(R), list_to_binary("#Socket" ++ L) end,
  Socks = (fun(X) when is_list(X) -> X; (_) -> [] end)(
    erlang:module_loaded(socket) andalso (catch socket:which_sockets())),
  Of = fun(S) -> case catch socket:info(S) of
      I when is_map_key(counters, I) -> C = maps:get(counters, I),
        {maps:get(read_byte, C, 0), maps:get(write_byte, C, 0), I};
      _ -> gone end end,
  Addr = fun({ok, X}) when is_map(X) ->
              case {maps:get(addr, X, none), maps:get(port, X, 0)} of
                {A, N} when is_tuple(A) -> {A, N}; _ -> {local, maps:get(path, X, "")} end;
            ({ok, X}) -> X; (_) -> none end,
  Where = fun(X) -> case Addr(X) of
      {A, N} when tuple_size(A) =:= 8 -> iolist_to_binary(["[", inet:ntoa(A), "]:", integer_to_list(N)]);
      {A, N} when is_tuple(A), is_integer(N) -> iolist_to_binary([inet:ntoa(A), ":", integer_to_list(N)]);
      {local, N} -> iolist_to_binary(["local:", N]);
      _ -> undefined end end,
  Kb2 = fun(X) -> round(X / 10.24) / 100 end,
]=]

return {
  queries = {
    -- Both kinds are ranked by what they moved; addresses are asked of those that are shown.
    inet = SOCKETS .. [=[
  Moved = fun(H) -> Run(Stats(Inet(H), [recv_oct, send_oct]), [{{{ok, [{recv_oct, '$1'}, {send_oct, '$2'}]}, '$3'}, [],
    [{{{'+', '$1', '$2'}, '$1', '$2', '$3'}}]}]) end,
  N = lists:sum([length(Inet(H)) || H <- Cut]),
  Mine = [{A + B, A, B, S} || S <- Socks, {A, B, _} <- [Of(S)]],
  Best = lists:sublist(lists:reverse(lists:sort(Tops(Cut, Moved, 50, []) ++ Mine)), 50),
  Each = fun(L) -> [case X of
      P when is_port(P) -> case {Info(P, name), Info(P, connected)} of
          {T, C} when is_list(T), is_pid(C) -> Some([{id, Pid(P)}, {type, list_to_binary(T)}, {connected_pid, Show(C)},
            {connected_name, Who(C)}, {local_addr, Where(catch inet:sockname(P))},
            {remote_addr, Where(catch inet:peername(P))}, {input_kb, Kb2(A)}, {output_kb, Kb2(B)}]);
          _ -> #{} end;
      S -> case Of(S) of
          {_, _, I} -> Some([{id, Sid(S)},
            {type, list_to_binary(["socket_", atom_to_list(case maps:get(protocol, I, 0) of
              T when is_atom(T) -> T; _ -> maps:get(type, I, other) end)])},
            {connected_pid, Show(maps:get(owner, I))}, {connected_name, Who(maps:get(owner, I))},
            {local_addr, Where(catch socket:sockname(S))}, {remote_addr, Where(catch socket:peername(S))},
            {input_kb, Kb2(A)}, {output_kb, Kb2(B)}]);
          _ -> #{} end end || {_, A, B, X} <- L] end,
  Here = lists:filter(fun(X) -> is_map_key(type, X) end, Each(Best)),
  #{total => N + length(Mine), showing => length(Here), sockets => Here}.]=],

    stats = SOCKETS .. [=[
  case binary_to_list(PortId) of
    "#Socket" ++ L -> case catch list_to_ref("#Ref" ++ L) of
      R when is_reference(R) -> case Of({'$socket', R}) of
        {A, B, I} -> C = maps:get(counters, I), [#{id => PortId, recv_cnt => maps:get(read_pkg, C, 0), recv_oct => A,
          send_cnt => maps:get(write_pkg, C, 0), send_oct => B, readers => maps:get(num_readers, I, 0),
          writers => maps:get(num_writers, I, 0)}];
        _ -> [] end;
      _ -> [] end;
    _ -> case Thing(PortId) of
      none -> [];
      P -> case Is(Info(P, name)) andalso inet:getstat(P, [recv_cnt, recv_oct, send_cnt, send_oct, send_pend]) of
        {ok, L} -> [maps:put(id, PortId, maps:from_list(L))];
        false -> [other || Info(P, name) =/= undefined];
        _ -> [] end end end.]=],

    -- Of what came in and was not taken the node knows the owner's mailbox, where an active socket puts it; what
    -- waits for a passive one lies with the operating system.
    buffers = SOCKETS .. [=[
  S = binary_to_existing_atom(Direction) =:= send,
  Mail = fun(H) -> L = [{C, P} || {{_, C}, P} <- lists:zip(Read(H, connected), H)], {Cs, Ps} = lists:unzip(L),
    Run(lists:zip(lists:zipwith(fun erlang:process_info/2, Cs, Same(message_queue_len, Cs)), Ps),
      [{{{message_queue_len, '$1'}, '$2'}, [], [{{'$1', '$2'}}]}]) end,
  F = if S -> Plain(queue_size); true -> Mail end,
  Opts = fun(P) -> case catch inet:getopts(P, [sndbuf, recbuf, buffer, active]) of {ok, X} -> X; _ -> [] end end,
  Size = fun(undefined) -> undefined; (X) -> Kb2(X) end,
  Each = fun(L) -> [maps:merge(maps:with([id, name, connected_pid, connected_name, input_bytes, output_bytes], X), Some(
      [{sndbuf_kb, Size(Get(sndbuf, O))}, {recbuf_kb, Size(Get(recbuf, O))}, {buffer_kb, Size(Get(buffer, O))},
       {active, case Get(active, O) of Y when is_atom(Y), Y =/= undefined -> atom_to_binary(Y);
                  Y when is_integer(Y) -> integer_to_binary(Y); _ -> undefined end},
       {if S -> queue_size; true -> owner_message_queue end, N}]))
     || {N, P} <- L, X <- Port(P, #{}), O <- [Opts(P)]] end,
  Rows = Each(Tops(Cut, fun(H) -> F(Inet(H)) end, Limit, [])),
  #{total => lists:sum([length(Inet(H)) || H <- Cut]), showing => length(Rows), ports => Rows}.]=],
  },

  callbacks = {
    ports_list_inet = {
      doc = "The 50 sockets that moved most bytes, those of the socket module among them (type socket_…).",
      class = "SAFE",
      cost = "one call to the driver of every socket; one message to the registry of the socket module where that is "
        .. "in use; wakes the owners of the sockets shown",
      returns = { "total", "showing", "sockets[]: id, type, connected_pid, connected_name, local_addr, "
        .. "remote_addr (once connected), input_kb, output_kb" },
      query = "inet",
    },

    ports_inet_stats = {
      doc = "One socket's counters, by its id. send_pend stands above 0 while the other side does not take what was "
        .. "sent.",
      args = { { name = "port_id", type = "string" } },
      class = "SAFE",
      cost = "one call to one driver",
      returns = { "id", "recv_cnt, send_cnt (packets)", "recv_oct, send_oct (bytes)",
        "send_pend (bytes that wait; of a port)",
        "readers, writers (processes that wait in it; of the socket module)" },
      run = function(node, args)
        local found, err = node.ask("stats", args)
        if not found then return nil, err end
        if #found == 0 then return nil, "no such socket now; ports_list_inet gives the ids" end
        if type(found[1]) ~= "table" or not found[1].id then
          return nil, "this port is no socket; ports_info tells of any port"
        end
        return found[1]
      end,
    },

    ports_top_by_buffer = {
      doc = "Sockets by what waits in them: send by the bytes not yet taken by the other side, recv by the mailbox of "
        .. "the owner, where an active socket puts what came. What waits for a passive one only the operating system "
        .. "knows.",
      args = { LIMIT, { name = "direction", type = "choice", of = { "send", "recv" }, default = "send" } },
      class = "SAFE",
      cost = "two items of every port, for recv one of its owner; options of the sockets shown, whose owners are "
        .. "woken",
      returns = { "total (sockets)", "showing", "ports[]: id, name, connected_pid, connected_name, queue_size (send) "
        .. "or owner_message_queue (recv), sndbuf_kb, recbuf_kb, buffer_kb (room, not filling), active, input_bytes, "
        .. "output_bytes" },
      query = "buffers",
    },
  },
}
