--- Mailboxes and those who fill them.

return {
  {
    name = "slow_consumer", truth = { { mechanism = "slow_consumer", objects = { "$sink" } } },
    draw = { busy_ms = { 4, 9 }, every_ms = { 8, 15 }, batch = { 25, 60 } }, twin = { batch = 1, busy_ms = 0 },
    source = [==[
start() ->
  Me = self(),
  P = spawn(fun() -> register($sink, self()), Me ! up, $take() end),
  receive up -> ok end,
  spawn(fun() -> $give(P) end).
$take() -> receive _ -> timer:sleep($busy_ms) end, $take().
$give(P) ->
  [P ! {$order, I, lists:seq(1, 20)} || I <- lists:seq(1, $batch)],
  timer:sleep($every_ms),
  $give(P).
]==],
  },
  {
    name = "selective_receive_scan", truth = { { mechanism = "selective_receive_scan", objects = { "$waiter" } } },
    draw = { noise = { 120000, 250000 } }, twin = { noise = 20 },
    source = [==[
start() ->
  Me = self(),
  P = spawn(fun() -> register($waiter, self()), Me ! up, timer:sleep(300), $wait() end),
  receive up -> ok end,
  [P ! {$leaf, I} || I <- lists:seq(1, $noise)],
  ok.
-ifdef(TWIN).
$wait() -> receive _ -> ok end, $wait().
-else.
$wait() -> receive {$root, wanted, _} -> ok after 0 -> ok end, $wait().
-endif.
]==],
  },
  {
    name = "unhandled_messages", truth = { { mechanism = "unhandled_messages", objects = { "$loop" } } },
    draw = { batch = { 20, 120 }, every_ms = { 8, 20 } },
    source = [==[
start() ->
  Me = self(),
  P = spawn(fun() -> register($loop, self()), Me ! up, $turn() end),
  receive up -> ok end,
  spawn(fun() -> $send(P) end).
-ifdef(TWIN).
$turn() -> receive {$coin, _} -> ok; _ -> ok end, $turn().
-else.
$turn() -> receive {$coin, _} -> ok end, $turn().
-endif.
$send(P) ->
  [P ! {make_ref(), $late} || _ <- lists:seq(1, $batch)],
  timer:sleep($every_ms),
  $send(P).
]==],
  },
  {
    name = "serialising_process", truth = { { mechanism = "serialising_process", objects = { "$limiter" } } },
    draw = { callers = { 200, 600 }, work = { 2000, 4000 }, pause_ms = { 0, 0 } },
    twin = { callers = 20, work = 10, pause_ms = 50 },
    source = [==[
start() ->
  Me = self(),
  spawn(fun() -> register($limiter, self()), Me ! up, $serve() end),
  receive up -> ok end,
  [spawn(fun $ask/0) || _ <- lists:seq(1, $callers)],
  ok.
$serve() ->
  receive {$seat, F, R} -> _ = erlang:phash2(lists:seq(1, $work)), F ! {ok, R} end,
  $serve().
$ask() ->
  R = make_ref(),
  $limiter ! {$seat, self(), R},
  receive {ok, R} -> ok end,
  $pause($pause_ms),
  $ask().
$pause(0) -> ok;
$pause(Ms) -> timer:sleep(Ms).
]==],
  },
  {
    name = "active_socket_flood", truth = { { mechanism = "active_socket_flood", objects = { "$feed" } } },
    draw = { busy_ms = { 2, 4 }, lines = { 60, 140 } }, twin = { lines = 1, busy_ms = 0 },
    source = [==[
start() ->
  Me = self(),
  spawn(fun() ->
    register($feed, self()),
    {ok, L} = gen_tcp:listen(0, [binary, {active, false}, {ip, {127, 0, 0, 1}}]),
    {ok, Port} = inet:port(L),
    Me ! {up, Port},
    {ok, S} = gen_tcp:accept(L),
    inet:setopts(S, [{active, true}, {packet, line}]),
    $handle()
  end),
  Port = receive {up, P} -> P end,
  spawn(fun() -> {ok, S} = gen_tcp:connect({127, 0, 0, 1}, Port, [binary, {active, false}]), $talk(S) end).
$handle() -> receive {tcp, _, _} -> timer:sleep($busy_ms) end, $handle().
$talk(S) -> gen_tcp:send(S, binary:copy(<<"tick\n">>, $lines)), timer:sleep(5), $talk(S).
]==],
  },
}
