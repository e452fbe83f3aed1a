--- Ports: sockets, files and programs outside of the node. What the emulator counts of a port is read from
--- outside at a microsecond a figure, without a signal to anybody. It does not count what a socket has
--- read: `input` of tcp_inet, udp_inet and sctp_inet stays 0 for ever, so that is asked of the socket's driver. Nor
--- does it count what it sends itself over a link to another node.

local texts = ...

-- Put together here from constants, and nowhere else. A number that the driver of a socket is asked with means
-- something else to any other driver, so only ports of these three names are asked. `Tops` has the N
-- largest of all as {Figure, Port}, in slices; F makes such pairs of a slice. The arguments of a
-- program may be secrets, so only its first word is shown. What a driver keeps for itself nobody knows: the
-- memory is the emulator's own bytes and what waits to be written.
local PORTS = texts.rows .. [=[
  Pid = fun(P) -> list_to_binary(erlang:port_to_list(P)) end,
  Ports = erlang:ports(),
  Part = fun Part(L, N, A) when N > 2000 -> {H, T} = lists:split(2000, L), Part(T, N - 2000, [H | A]);
             Part(L, _, A) -> [L | A] end,
  Cut = Part(Ports, length(Ports), []),
  Same = fun(I, L) -> lists:duplicate(length(L), I) end,
  Info = fun(P, I) -> case catch erlang:port_info(P, I) of {I, X} -> X; _ -> undefined end end,
  Read = fun(H, I) -> lists:zipwith(fun erlang:port_info/2, H, Same(I, H)) end,
  Run = fun(L, M) -> ets:match_spec_run(L, ets:match_spec_compile(M)) end,
  Inet = fun(H) -> Run(lists:zip(Read(H, name), H), [{{{name, X}, '$1'}, [], ['$1']} || X <- ["tcp_inet", "udp_inet",
    "sctp_inet"]]) end,
  Stats = fun(H, K) -> lists:zip(lists:zipwith(fun inet:getstat/2, H, Same(K, H)), H) end,
  Plain = fun(I) -> fun(H) -> Run(lists:zip(Read(H, I), H), [{{{I, '$1'}, '$2'}, [{'>', '$1', 0}],
    [{{'$1', '$2'}}]}]) end end,
  Links = [P || {_, P} <- erlang:system_info(dist_ctrl), is_port(P)],
  Flow = fun(H, L, I, K) -> (Plain(I))(H -- L) ++ Run(Stats(L, [K]),
    [{{{ok, [{K, '$1'}]}, '$2'}, [{'>', '$1', 0}], [{{'$1', '$2'}}]}]) end,
  In = fun(H) -> Flow(H, Inet(H), input, recv_oct) end,
  Sent = fun(H) -> Flow(H, Inet([P || P <- Links, lists:member(P, H)]), output, send_oct) end,
  Weight = fun(H) -> Run(lists:zip3(Read(H, memory), Read(H, queue_size), H),
    [{{{memory, '$1'}, {queue_size, '$2'}, '$3'}, [], [{{{'+', '$1', '$2'}, '$3'}}]}]) end,
  Tops = fun Tops([], _, _, A) -> A;
             Tops([H | T], F, N, A) when length(A) < N ->
               Tops(T, F, N, lists:sublist(lists:reverse(lists:sort(F(H) ++ A)), N));
             Tops([H | T], F, N, A) -> X = element(1, lists:last(A)),
               L = Run(F(H), [{'$1', [{'>', {element, 1, '$1'}, X}], ['$1']}]),
               Tops(T, F, N, lists:sublist(lists:reverse(lists:sort(L ++ A)), N)) end,
  Word = fun(L, X) when is_integer(X) -> lists:takewhile(fun(C) -> C =/= $\s end, L); (L, _) -> L end,
  Is = fun(X) -> lists:member(X, ["tcp_inet", "udp_inet", "sctp_inet"]) end,
  Stat = fun(P, K) -> case catch inet:getstat(P, [K]) of {ok, [{_, X}]} -> X; _ -> 0 end end,
  Written = fun(P, N, X) -> case Is(N) andalso lists:member(P, Links) of true -> Stat(P, send_oct); _ -> X end end,
  Who = fun(P) when is_pid(P), node(P) =:= node() ->
              case erlang:process_info(P, [registered_name, initial_call, total_heap_size]) of
                [{_, []}, {_, {proc_lib, _, _}}, {_, H}] when H =< 4000000 -> Func(proc_lib:translate_initial_call(P));
                [{_, R}, {_, I}, {_, H}] -> Name(P, R, I, H); _ -> undefined end;
           (_) -> undefined end,
  Port = fun(P, M) ->
    case {erlang:port_info(P), Info(P, memory), Info(P, queue_size)} of
      {L, B, Q} when is_list(L), is_integer(B), is_integer(Q) ->
        V = fun(K) -> Get(K, L) end, N = V(name), C = V(connected),
        [maps:merge(Some([{id, Pid(P)}, {name, unicode:characters_to_binary(Word(N, V(os_pid)))},
          {connected_pid, Show(C)}, {connected_name, Who(C)}, {os_pid, V(os_pid)}, {queue_size, Q},
          {input_bytes, case Is(N) of true -> Stat(P, recv_oct); false -> V(input) end},
          {output_bytes, Written(P, N, V(output))}, {memory_kb, round((B + Q) / 10.24) / 100}]), M)];
      _ -> [] end end,
  Some2 = fun(L, K) -> [maps:with(K, X) || P <- L, X <- Port(P, #{})] end,
  Order = fun(L, K, N) -> lists:sublist([X || {_, X} <- lists:reverse(lists:keysort(1,
    [{maps:get(K, X), X} || P <- L, X <- Port(P, #{})]))], N) end,
  Second = fun(L) -> {_, X} = lists:unzip(L), X end,
  Thing = fun(B) -> case catch erlang:list_to_port(binary_to_list(B)) of X when is_port(X) -> X; _ -> none end end,
  Out = fun(L) -> #{total => length(Ports), showing => length(L), ports => L} end,
  Count = case erlang:function_exported(maps, groups_from_list, 2) of
    true -> fun(L) -> {Ks, Vs} = lists:unzip(maps:to_list(maps:groups_from_list(fun erlang:hd/1, [[X] || X <- L]))),
              lists:reverse(lists:keysort(2, lists:zip(Ks, lists:map(fun erlang:length/1, Vs)))) end;
    false -> fun(L) -> lists:reverse(lists:keysort(2, maps:to_list(lists:foldl(
               fun(K, A) -> maps:put(K, maps:get(K, A, 0) + 1, A) end, #{}, L)))) end end,
]=]

-- A socket's watermark is an option of its own. Programs and file descriptors have the 8192 bytes that
-- erts/emulator/sys/unix/sys_drivers.c is written with; what other drivers do nobody can know.
local MARKS = PORTS .. [=[
  Fd = fun(N) -> case lists:splitwith(fun(C) -> C =/= $/ end, N) of
      {[_ | _] = A, [_, X | B]} -> lists:all(fun(C) -> C >= $0 andalso C =< $9 end, A ++ [X | B]); _ -> false end end,
  Mark = fun(P, N, X) -> case Is(N) of
      true -> case catch inet:getopts(P, [high_watermark]) of {ok, [{_, W}]} -> W; _ -> undefined end;
      false -> case is_integer(X) orelse Fd(N) of true -> 8192; false -> undefined end end end,
  Limits = fun(P) -> case erlang:port_info(P) of L when is_list(L) -> Mark(P, Get(name, L), Get(os_pid, L));
                                                 _ -> undefined end end,
  Full = fun(L) -> [maps:merge(maps:with([id, name, connected_pid, connected_name, queue_size, output_bytes], X),
      Some([{high_watermark, W}, {saturation_pct, if is_integer(W) -> Pct(Q, W); true -> undefined end}]))
     || {Q, P} <- L, W <- [Limits(P)], X <- Port(P, #{})] end,
]=]

-- Files that are opened without `raw` have a server each, listed in a table of the file server's. The limit of
-- descriptors is what the emulator found when it began.
local LIMITS = [=[
  Opened = fun() -> case ets:info(file_io_servers, size) of N when is_integer(N) -> N; _ -> 0 end end,
  Fds = fun() -> lists:max([0 | [X || L <- erlang:system_info(check_io), {max_fds, X} <- L]]) end,
]=]

local FIELDS = "id, name, connected_pid, connected_name, os_pid (of a program), queue_size (bytes that wait to be "
  .. "written), input_bytes, output_bytes, memory_kb (with what waits)"
local LIMIT = { name = "limit", type = "integer", min = 1, max = 50, default = 10 }
local GONE = "no such port now; a port_id is text like #Port<0.5>, as ports_list and ports_list_inet give it"

---@type Skill
return {
  name = "ports",
  title = "Ports and sockets",
  about = "Sockets, files and external programs: how many, whose, what waits to be written, who is held up by it.",

  prompt = [[
You look after the ports of one BEAM node: sockets, files, programs outside.
Whoever writes to a port whose queue is above its high watermark is suspended until the other side takes
something, so one slow reader can stop a process that serves many.
Worth a notification: ports that become more at every look, and one owner of most of them; a queue that stands
above its watermark while nothing drains; processes suspended in a write; a node that does not take what it is sent.
Not worth one: many ports whose number is steady, a queue that drains between two looks.
Name the port, its owner, what waits, what drained, and the time between the looks.]],

  uses = { "history", "events" },
  relays = { "monitor" },
  keep = { "queues" },
  snapshot = "totals",
  texts = { ports = PORTS, marks = MARKS },

  queries = {
    -- Two items of every port, which tell whether there is anything to look for among them; with over 100,000 ports
    -- they are left out, for two lists of that length are no small figure any more.
    totals = texts.words .. LIMITS .. [=[
  N = erlang:system_info(port_count), X = erlang:system_info(port_limit),
  L = case N > 100000 of true -> []; false -> erlang:ports() end,
  Of = fun(I) -> ets:match_spec_run(lists:zipwith(fun erlang:port_info/2, L, lists:duplicate(length(L), I)),
    ets:match_spec_compile([{{I, '$1'}, [{is_integer, '$1'}], ['$1']}])) end,
  maps:from_list([{port_count, N}, {port_limit, X}, {port_utilization_pct, Pct(N, X)}, {open_files, Opened()},
    {descriptor_limit, Fds()} | case L of [] -> [];
      _ -> [{max_queue_size, lists:max([0 | Of(queue_size)])}, {program_count, length(Of(os_pid))}] end]).]=],

    -- Slim, because history keeps many of them.
    queues = MARKS .. [=[
  #{port_count => length(Ports), port_limit => erlang:system_info(port_limit),
    ports => Full(Tops(Cut, Plain(queue_size), 100, []))}.]=],

    -- The number in a port's name counts up, so the last ones are the newest. The server of an opened file monitors
    -- who opened it.
    list = PORTS .. LIMITS .. [=[
  Kind = fun({_, "tcp_inet"}) -> tcp_inet; ({_, "udp_inet"}) -> udp_inet; ({_, "sctp_inet"}) -> sctp_inet;
            ({_, _}) -> other; (_) -> gone end,
  Run1 = fun(H) -> length(Run(Read(H, os_pid), [{{os_pid, '$1'}, [{is_integer, '$1'}], ['$1']}])) end,
  Kinds = fun() -> N1 = lists:sum(lists:map(Run1, Cut)),
    L = [{program, N1}, {other, -N1} | [{Kind(X), N} || {X, N} <- Count(lists:append([Read(H, name) || H <- Cut]))]],
    lists:reverse(lists:keysort(2, [{K, lists:sum([N || {Y, N} <- L, Y =:= K])}
      || K <- lists:usort([X || {X, _} <- L]), K =/= gone])) end,
  Owners = fun() -> L = Count(lists:append([Run(Read(H, connected), [{{connected, '$1'}, [], ['$1']}]) || H <- Cut])),
    [Some([{pid, Show(P)}, {name, Who(P)}, {count, N}]) || {P, N} <- lists:sublist(L, 10)] end,
  Files = fun(0) -> []; (_) -> case catch ets:match(file_io_servers, {'$1', '_'}, 100) of
      {L, _} -> H = [X || [P] <- L, {_, [{_, X} | _]} <- [catch process_info(P, monitors)]],
        [Some([{pid, Show(P)}, {name, Who(P)}, {share_pct, N * 100 div length(H)}])
         || {P, N} <- lists:sublist(Count(H), 5)];
      _ -> [] end end,
  maps:merge(Out(Some2(lists:sublist(lists:reverse(Ports), 50), [id, name, connected_pid, connected_name, os_pid,
    queue_size])), #{kinds => [#{kind => atom_to_binary(K), count => N} || {K, N} <- Kinds(), N > 0],
    owners => Owners(), open_files => Opened(), openers => Files(Opened())}).]=],

    -- A descriptor is a number, the lowest that is free; so of numbers spread over all that there may be, as many
    -- are taken as of all. To read where one leads takes none itself, as to list them would. Whatever hinders that
    -- is no sign that it is taken.
    descriptors = PORTS .. LIMITS .. [=[
  N = Fds(), K = max(1, min(500, N)),
  L = [prim_file:read_link([$/, $p, $r, $o, $c, $/, $s, $e, $l, $f, $/, $f, $d, $/ | integer_to_list(I * N div K)])
       || I <- lists:seq(0, K - 1)],
  Did = length([x || {ok, _} <- L]),
  #{limit => N, looked_at => K, taken => Did, taken_pct => Pct(Did, K), port_count => length(Ports),
    open_files => Opened()}.]=],

    info = PORTS .. [=[
  case Thing(PortId) of
    none -> [];
    P -> case Port(P, #{}) of
      [M] -> N = fun(L) when is_list(L) -> length(L); (X) -> X end,
        [maps:merge(M, Some([{link_count, N(Info(P, links))}, {monitor_count, N(Info(P, monitored_by))}]))];
      X -> X end end.]=],

    -- Those of the same figure come in any order; a figure of 0 is no place in a list.
    top = PORTS .. [=[
  {F, K} = case binary_to_existing_atom(SortBy) of input -> {In, input_bytes}; output -> {Sent, output_bytes};
             memory -> {Weight, memory_kb} end,
  Out(Order(Second(Tops(Cut, F, Limit, [])), K, Limit)).]=],
  },

  callbacks = {
    ports_list = {
      doc = "How many ports of each kind there are, who owns most of them, and the 50 newest; how many files are open "
        .. "(but raw ones) and who opened them.",
      class = "SAFE",
      cost = "four items of every port, without a signal; wakes the owners of the ports shown and the servers of 100 "
        .. "files",
      returns = { "total", "showing", "kinds[]: kind (tcp_inet, udp_inet, sctp_inet, program, other), count",
        "owners[] (10): pid, name, count", "open_files", "openers[] (5): pid, name, share_pct (of up to 100 files)",
        "ports[]: id, name, connected_pid, connected_name, os_pid, queue_size" },
      query = "list",
    },

    ports_descriptors = {
      brief = "file descriptors taken, of their limit",
      doc = "How many of the file descriptors that the node may have are taken, by 500 of them at most (Linux).",
      class = "SAFE",
      cost = "500 links read on the dirty IO schedulers, some 10 ms",
      returns = { "limit", "looked_at", "taken (of those)", "taken_pct", "port_count", "open_files" },
      query = "descriptors",
    },

    ports_info = {
      doc = "One port, by its id.",
      args = { { name = "port_id", type = "string" } },
      class = "SAFE",
      cost = "one port, one call to its driver where it is a socket; wakes its owner",
      returns = { FIELDS, "link_count", "monitor_count (processes that watch it)" },
      run = function(node, args)
        local found, err = node.ask("info", args)
        if not found then return nil, err end
        if #found == 0 then return nil, GONE end
        return found[1]
      end,
    },

    ports_top = {
      doc = "The ports that read most bytes, wrote most, or hold most memory.",
      args = { LIMIT, { name = "sort_by", type = "choice", of = { "input", "output", "memory" }, default = "input" } },
      class = "SAFE",
      cost = "one or two items of every port; by input one call to the driver of every socket, by output to that of "
        .. "every link to another node",
      returns = { "total", "showing", "ports[]: " .. FIELDS },
      query = "top",
    },
  },
}
