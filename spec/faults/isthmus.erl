-module(isthmus).
-export([start/0]).

%% The other node ends when this one does: its shell reads what is never written.
start() ->
  Me = self(),
  spawn(fun() ->
    register(causeway, self()),
    Up = "erl -noinput -name strand@127.0.0.1 -start_epmd false -kernel inet_dist_use_interface '{127,0,0,1}' "
         "</dev/null >/dev/null 2>&1 & P=$!; read X; kill -9 $P",
    open_port({spawn_executable, "/bin/sh"}, [{args, ["-c", Up]}]),
    Strand = 'strand@127.0.0.1',
    reach(Strand),
    Pid = rpc:call(Strand, os, getpid, []),
    os:cmd("kill -STOP " ++ Pid),
    [spawn(fun() -> ferry(Strand) end) || _ <- lists:seq(1, 3)],
    Me ! up,
    receive tide -> ok end
  end),
  receive up -> ok end.

reach(Node) ->
  net_kernel:connect_node(Node) =:= true orelse begin timer:sleep(100), reach(Node) end.

ferry(Node) ->
  {gull, Node} ! binary:copy(<<1>>, 300000),
  timer:sleep(5),
  ferry(Node).
