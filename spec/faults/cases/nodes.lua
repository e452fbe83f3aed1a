--- Other nodes: those that are not seen any more, and those that come under a new name each time.

return {
  -- The other node hangs for longer than the ticks allow, comes to, and hangs again. It ends when this one does: its
  -- shell reads what is never written.
  {
    name = "netsplit", settles = 10, args = { "-kernel", "net_ticktime", "4" },
    truth = { { mechanism = "netsplit", objects = { "$far@127.0.0.1" } } }, draw = { every_ms = { 200, 500 } },
    source = [==[
start() ->
  Me = self(),
  spawn(fun() ->
    register($watch, self()),
    Up = "erl -noinput -name $far@127.0.0.1 -start_epmd false -kernel inet_dist_use_interface '{127,0,0,1}' "
         "-kernel net_ticktime 4 </dev/null >/dev/null 2>&1 & P=$!; read X; kill -9 $P",
    open_port({spawn_executable, "/bin/sh"}, [{args, ["-c", Up]}]),
    Far = '$far@127.0.0.1',
    $reach(Far),
    $hang(rpc:call(Far, os, getpid, [])),
    Me ! up,
    $ask(Far)
  end),
  receive up -> ok end.
-ifdef(TWIN).
$hang(_) -> ok.
-else.
$hang(Pid) ->
  Turns = "while kill -STOP " ++ Pid ++ "; do sleep 6.5; kill -CONT " ++ Pid ++ "; sleep 2; done",
  open_port({spawn_executable, "/bin/sh"}, [{args, ["-c", Turns]}, stderr_to_stdout]).
-endif.
$reach(Far) -> net_kernel:connect_node(Far) =:= true orelse begin timer:sleep(100), $reach(Far) end.
$ask(Far) ->
  try gen_server:call({kernel_sup, Far}, which_children, 1000) of _ -> ok
  catch exit:{Why, _} -> logger:warning("no answer of ~p: ~p", [Far, Why])
  end,
  timer:sleep($every_ms),
  $ask(Far).
]==],
  },
  -- Somebody's tool that asks for a figure and names itself anew each time.
  {
    name = "node_name_atoms", truth = { { mechanism = "node_name_atoms", objects = { "$visitor*", "node names" } } },
    draw = { every_ms = { 40, 120 } },
    source = [==[
start() -> spawn(fun() -> $visit(1) end).
$visit(I) ->
  os:cmd(lists:concat(["erl_call -c ", erlang:get_cookie(), " -h ", $as(I), " -n ", node(), " -a 'erlang node'"])),
  timer:sleep($every_ms),
  $visit(I + 1).
-ifdef(TWIN).
$as(_) -> $visitor.
-else.
$as(I) -> lists:concat([$visitor, I]).
-endif.
]==],
  },
  -- A node that was connected and went away in good order, as in a deploy.
  {
    name = "peer_that_left", settles = 2,
    source = [==[
start() ->
  Up = "erl -noinput -name $far@127.0.0.1 -start_epmd false -kernel inet_dist_use_interface '{127,0,0,1}' "
       "</dev/null >/dev/null 2>&1 & P=$!; read X; kill -9 $P",
  Me = self(),
  spawn(fun() ->
    open_port({spawn_executable, "/bin/sh"}, [{args, ["-c", Up]}]),
    $reach('$far@127.0.0.1'),
    Me ! up,
    timer:sleep(500),
    rpc:call('$far@127.0.0.1', init, stop, []),
    receive $never -> ok end
  end),
  receive up -> ok end.
$reach(Far) -> net_kernel:connect_node(Far) =:= true orelse begin timer:sleep(100), $reach(Far) end.
]==],
  },
  -- The same at the beginning of its life: it came, and stays.
  {
    name = "peer_that_came",
    source = [==[
start() ->
  Up = "erl -noinput -name $far@127.0.0.1 -start_epmd false -kernel inet_dist_use_interface '{127,0,0,1}' "
       "</dev/null >/dev/null 2>&1 & P=$!; read X; kill -9 $P",
  spawn(fun() ->
    timer:sleep(1000),
    open_port({spawn_executable, "/bin/sh"}, [{args, ["-c", Up]}]),
    $reach('$far@127.0.0.1'),
    $greet('$far@127.0.0.1')
  end).
$reach(Far) -> net_kernel:connect_node(Far) =:= true orelse begin timer:sleep(100), $reach(Far) end.
$greet(Far) -> _ = rpc:call(Far, erlang, node, []), timer:sleep(200), $greet(Far).
]==],
  },
}
