--- Connections, and links to other nodes.

return {
  {
    name = "socket_leak", truth = { { mechanism = "socket_leak", objects = { "$acceptor" } } },
    draw = { every_ms = { 10, 30 } },
    source = [==[
start() ->
  spawn(fun() ->
    register($acceptor, self()),
    {ok, L} = gen_tcp:listen(0, [binary, {active, false}, {backlog, 1000}, {ip, {127, 0, 0, 1}}]),
    {ok, Port} = inet:port(L),
    $take(L, Port, [])
  end).
$take(L, Port, Held) ->
  {ok, C} = gen_tcp:connect({127, 0, 0, 1}, Port, [binary, {active, false}]),
  {ok, S} = gen_tcp:accept(L),
  timer:sleep($every_ms),
  $take(L, Port, $keep([C, S], Held)).
-ifdef(TWIN).
$keep(New, Held) -> [gen_tcp:close(S) || S <- New], Held.
-else.
$keep(New, Held) -> New ++ Held.
-endif.
]==],
  },
  {
    name = "slow_reader", truth = { { mechanism = "slow_reader", objects = { "$writer" } } },
    draw = { chunk = { 300000, 600000 } },
    source = [==[
start() ->
  spawn(fun() ->
    register($writer, self()),
    {ok, L} = gen_tcp:listen(0, [binary, {active, false}, {ip, {127, 0, 0, 1}}]),
    {ok, Port} = inet:port(L),
    spawn(fun() -> $peer(Port) end),
    {ok, S} = gen_tcp:accept(L),
    $write(S)
  end).
$peer(Port) ->
  {ok, S} = gen_tcp:connect({127, 0, 0, 1}, Port, [binary, {active, false}, {recbuf, 4096}]),
  $read(S).
-ifdef(TWIN).
$read(S) -> {ok, _} = gen_tcp:recv(S, 0), $read(S).
$rest() -> timer:sleep(100).
-else.
$read(S) -> receive {$surf, S} -> ok end.
$rest() -> ok.
-endif.
$write(S) -> gen_tcp:send(S, binary:copy(<<1>>, $chunk)), $rest(), $write(S).
]==],
  },
  {
    name = "busy_dist_port", truth = { { mechanism = "busy_dist_port", objects = { "$peer@127.0.0.1" } } },
    draw = { size = { 200000, 400000 }, senders = { 2, 4 } },
    source = [==[
%% The other node ends when this one does: its shell reads what is never written.
start() ->
  Me = self(),
  spawn(fun() ->
    register($sender, self()),
    Up = "erl -noinput -name $peer@127.0.0.1 -start_epmd false -kernel inet_dist_use_interface '{127,0,0,1}' "
         "</dev/null >/dev/null 2>&1 & P=$!; read X; kill -9 $P",
    open_port({spawn_executable, "/bin/sh"}, [{args, ["-c", Up]}]),
    Peer = '$peer@127.0.0.1',
    $reach(Peer),
    $freeze(rpc:call(Peer, os, getpid, [])),
    [spawn(fun() -> $send(Peer) end) || _ <- lists:seq(1, $senders)],
    Me ! up,
    receive $never -> ok end
  end),
  receive up -> ok end.
-ifdef(TWIN).
$freeze(_) -> ok.
-else.
$freeze(Pid) -> os:cmd("kill -STOP " ++ Pid).
-endif.
$reach(Node) -> net_kernel:connect_node(Node) =:= true orelse begin timer:sleep(100), $reach(Node) end.
$send(Node) ->
  {$gull, Node} ! binary:copy(<<1>>, $size),
  timer:sleep(20),
  $send(Node).
]==],
  },
}
