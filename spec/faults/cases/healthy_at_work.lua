--- Who has much to do and keeps up with it.

return {
  -- Four fifths of its time taken; the next batch is sent when this one is done, so that it keeps up with whatever CPU
  -- there is: who sends by the clock would drown it on a machine that is full otherwise, and that is a fault.
  {
    name = "busy_but_keeping_up", draw = { batch = { 5, 20 }, each_us = { 300, 700 } },
    source = [==[
start() ->
  Me = self(),
  P = spawn(fun() -> register($sink, self()), Me ! up, $take() end),
  receive up -> ok end,
  spawn(fun() -> $give(P) end).
$take() ->
  receive
    {$parcel, _} -> $work(erlang:monotonic_time(microsecond) + $each_us);
    {$last, From} -> From ! $more
  end,
  $take().
$work(Until) -> _ = lists:seq(1, 50), erlang:monotonic_time(microsecond) < Until andalso $work(Until).
$give(P) ->
  [P ! {$parcel, I} || I <- lists:seq(1, $batch)],
  P ! {$last, self()},
  receive $more -> timer:sleep(max(1, $batch * $each_us div 4000)) end,
  $give(P).
]==],
  },
  -- Callers who wait for news, as they are meant to.
  {
    name = "long_poll_callers", draw = { callers = { 150, 400 }, waits_ms = { 4000, 9000 } },
    source = [==[
-behaviour(gen_server).
-export([init/1, handle_call/3, handle_cast/2, handle_info/2]).
start() ->
  {ok, _} = gen_server:start({local, $board}, ?MODULE, [], []),
  [spawn(fun() -> timer:sleep(rand:uniform($waits_ms)), $poll() end) || _ <- lists:seq(1, $callers)],
  ok.
init([]) -> {ok, none}.
handle_call($news, From, S) -> erlang:send_after($waits_ms, self(), {$tell, From}), {noreply, S}.
handle_cast(_, S) -> {noreply, S}.
handle_info({$tell, From}, S) -> gen_server:reply(From, ok), {noreply, S}.
$poll() -> gen_server:call($board, $news, infinity), $poll().
]==],
  },
  -- One server for all, which is quick: nobody waits.
  {
    name = "quick_server_for_all", draw = { callers = { 50, 200 }, pause_ms = { 20, 60 } },
    source = [==[
-behaviour(gen_server).
-export([init/1, handle_call/3, handle_cast/2]).
start() ->
  {ok, _} = gen_server:start({local, $counter}, ?MODULE, [], []),
  [spawn(fun $ask/0) || _ <- lists:seq(1, $callers)],
  ok.
init([]) -> {ok, 0}.
handle_call($next, _, N) -> {reply, N, N + 1}.
handle_cast(_, N) -> {noreply, N}.
$ask() -> _ = gen_server:call($counter, $next), timer:sleep($pause_ms), $ask().
]==],
  },
  -- A report every two or three seconds that takes a core for a moment.
  {
    name = "cpu_in_turns", draw = { work_ms = { 200, 500 }, every_ms = { 2000, 3000 } },
    source = [==[
start() -> spawn(fun() -> register($reporter, self()), $report() end).
$report() -> $work(erlang:monotonic_time(millisecond) + $work_ms), timer:sleep($every_ms), $report().
$work(Until) -> _ = lists:sum(lists:seq(1, 200)), erlang:monotonic_time(millisecond) < Until andalso $work(Until).
]==],
  },
  {
    name = "connections_that_come_and_go", draw = { pause_ms = { 3, 10 } },
    source = [==[
start() ->
  Me = self(),
  spawn(fun() ->
    register($acceptor, self()),
    {ok, L} = gen_tcp:listen(0, [binary, {active, false}, {backlog, 100}, {ip, {127, 0, 0, 1}}]),
    {ok, Port} = inet:port(L),
    Me ! {up, Port},
    $accept(L)
  end),
  Port = receive {up, P} -> P end,
  spawn(fun() -> $visit(Port) end).
$accept(L) ->
  {ok, S} = gen_tcp:accept(L),
  {ok, _} = gen_tcp:recv(S, 0),
  ok = gen_tcp:close(S),
  $accept(L).
$visit(Port) ->
  {ok, S} = gen_tcp:connect({127, 0, 0, 1}, Port, [binary, {active, false}]),
  ok = gen_tcp:send(S, <<"$hello">>),
  {error, closed} = gen_tcp:recv(S, 0),
  gen_tcp:close(S),
  timer:sleep($pause_ms),
  $visit(Port).
]==],
  },
  -- Much is written and read as fast; now and then the writer waits a moment for the reader.
  {
    name = "busy_socket", draw = { chunk = { 200000, 600000 }, pause_ms = { 2, 8 } },
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
$read(S) -> {ok, _} = gen_tcp:recv(S, 0), $read(S).
$write(S) -> gen_tcp:send(S, binary:copy(<<1>>, $chunk)), timer:sleep($pause_ms), $write(S).
]==],
  },
  -- Sessions come and go, each of them monitored as long as it lives.
  {
    name = "registry_of_sessions", settles = 2.5, draw = { every_ms = { 2, 6 }, lives_ms = { 800, 1500 } },
    source = [==[
start() ->
  Me = self(),
  spawn(fun() -> register($registry, self()), Me ! up, $keep(#{}) end),
  receive up -> ok end,
  spawn(fun $open/0).
$open() ->
  $registry ! {$here, spawn(fun() -> timer:sleep($lives_ms) end)},
  timer:sleep($every_ms),
  $open().
$keep(M) ->
  receive
    {$here, P} -> $keep(M#{erlang:monitor(process, P) => P});
    {'DOWN', R, process, _, _} -> $keep(maps:remove(R, M))
  end.
]==],
  },
  -- Work at high priority that is little.
  {
    name = "high_priority_and_little", draw = { count = { 2, 5 }, every_ms = { 10, 40 } },
    source = [==[
start() -> [spawn_opt(fun() -> $beat(0) end, [{priority, high}]) || _ <- lists:seq(1, $count)], ok.
$beat(N) -> timer:sleep($every_ms), $beat(erlang:phash2({N, N})).
]==],
  },
  -- The level of one module, lowered to see what it does; it writes a line now and then.
  {
    name = "debug_of_one_module", draw = { every_ms = { 400, 1000 } },
    source = [==[
-include_lib("kernel/include/logger.hrl").
start() -> logger:set_module_level(?MODULE, debug), spawn(fun() -> $say(1) end).
$say(I) -> ?LOG_DEBUG("$row ~p", [I]), timer:sleep($every_ms), $say(I + 1).
]==],
  },
  -- Somebody's own monitoring: every process, the states of servers, all tables.
  {
    name = "introspection_of_others", draw = { every_ms = { 400, 900 } },
    source = [==[
start() -> spawn(fun() -> register($watcher, self()), $look() end).
$look() ->
  _ = [process_info(P, [memory, message_queue_len, current_function, reductions]) || P <- processes()],
  _ = [ets:info(T) || T <- ets:all()],
  _ = [catch sys:get_status(P, 500) || P <- [kernel_sup, rex, file_server_2]],
  _ = erlang:memory(),
  timer:sleep($every_ms),
  $look().
]==],
  },
}
