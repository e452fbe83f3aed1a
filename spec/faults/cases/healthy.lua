--- What looks like a fault and is none.

return {
  { name = "idle", source = "start() -> ok.\n" },
  {
    name = "large_stable_ets", draw = { rows = { 150000, 300000 }, item = { 20, 30 } },
    source = [==[
start() ->
  Me = self(),
  spawn(fun() ->
    register($owner, self()),
    T = ets:new($table, [named_table, {read_concurrency, true}]),
    [ets:insert(T, {I, lists:duplicate($item, I)}) || I <- lists:seq(1, $rows)],
    Me ! up,
    receive $never -> ok end
  end),
  receive up -> ok end.
]==],
  },
  -- It ends by itself: to wait it out and to say that it cannot be told yet are both right.
  {
    name = "bounded_batch_job", accepts = { "healthy", "cannot_tell" }, draw = { seconds = { 6, 12 } },
    source = [==[
start() ->
  spawn(fun() -> register($nightly, self()), $run(erlang:monotonic_time(second) + $seconds) end).
$run(Until) ->
  erlang:monotonic_time(second) < Until andalso begin erlang:phash2(lists:seq(1, 100)), $run(Until) end.
]==],
  },
  {
    name = "large_static_binary", draw = { size = { 90000000, 150000000 } },
    source = "start() -> persistent_term:put($asset, binary:copy(<<1>>, $size)).\n",
  },
  {
    name = "high_flat_atoms", draw = { count = { 60000, 120000 } },
    source = [==[
start() -> _ = [list_to_atom(atom_to_list($ice) ++ integer_to_list(I)) || I <- lists:seq(1, $count)], ok.
]==],
  },
  {
    name = "bursty_mailbox", draw = { burst = { 10000, 20000 }, every_ms = { 2500, 3500 } },
    source = [==[
start() ->
  Me = self(),
  P = spawn(fun() -> register($sink, self()), Me ! up, $take() end),
  receive up -> ok end,
  spawn(fun() -> $heat(P) end).
$take() -> receive _ -> erlang:phash2(lists:seq(1, 200)) end, $take().
$heat(P) -> [P ! {$drop, I} || I <- lists:seq(1, $burst)], timer:sleep($every_ms), $heat(P).
]==],
  },
  {
    name = "many_processes_by_design", draw = { count = { 20000, 50000 } },
    source = [==[
start() -> [spawn(fun $blade/0) || _ <- lists:seq(1, $count)], ok.
$blade() -> receive $rain -> $blade() end.
]==],
  },
  {
    name = "large_state_by_design", draw = { rows = { 60000, 100000 } },
    source = [==[
start() ->
  Me = self(),
  spawn(fun() ->
    register($holder, self()),
    M = maps:from_list([{I, lists:duplicate(50, I)} || I <- lists:seq(1, $rows)]),
    erlang:garbage_collect(),
    Me ! up,
    $rest(M)
  end),
  receive up -> ok end.
$rest(M) -> receive {$ask, From, K} -> From ! maps:get(K, M, none), $rest(M) end.
]==],
  },
  {
    name = "optional_children", draw = { alive = { 1, 4 } },
    source = [==[
-behaviour(supervisor).
-export([init/1, $skip/0, $stay/0]).
start() ->
  spawn(fun() -> {ok, _} = supervisor:start_link({local, $sup}, ?MODULE, []), receive $never -> ok end end).
init([]) ->
  {ok, {{one_for_one, 5, 60}, [{Id, {?MODULE, F, []}, permanent, 1000, worker, [?MODULE]}
    || {Id, F} <- [{$none, $skip} | [{I, $stay} || I <- lists:seq(1, $alive)]]]}}.
$skip() -> ignore.
$stay() -> {ok, spawn_link(fun() -> receive $never -> ok end end)}.
]==],
  },
  {
    name = "single_crash", draw = { crashes = { 1, 8 } },
    source = [==[
start() -> [spawn(fun() -> $stand($mud()) end) || _ <- lists:seq(1, $crashes)], ok.
$mud() -> {error, $low}.
$stand(X) -> {ok, Y} = X, Y.
]==],
  },
  {
    name = "periodic_poller", draw = { every_ms = { 800, 1200 } },
    source = [==[
start() -> spawn(fun $poll/0).
$poll() ->
  [process_info(P, [memory, message_queue_len]) || P <- processes()],
  timer:sleep($every_ms),
  $poll().
]==],
  },
  {
    name = "full_pool", draw = { size = { 100, 200 } },
    source = [==[
start() ->
  Me = self(),
  spawn(fun() ->
    register($pool, self()),
    {ok, L} = gen_tcp:listen(0, [binary, {active, false}, {backlog, 1000}, {ip, {127, 0, 0, 1}}]),
    {ok, Port} = inet:port(L),
    Held = [begin
      {ok, C} = gen_tcp:connect({127, 0, 0, 1}, Port, [binary, {active, false}]),
      {ok, S} = gen_tcp:accept(L),
      {C, S}
    end || _ <- lists:seq(1, $size)],
    Me ! up,
    receive {$never, Held} -> ok end
  end),
  receive up -> ok end.
]==],
  },
  {
    name = "many_short_lived_processes", draw = { batch = { 100, 200 } },
    source = [==[
start() -> spawn(fun() -> register($cloud, self()), $fall() end).
$fall() ->
  [spawn(fun() -> erlang:phash2(lists:seq(1, 20)) end) || _ <- lists:seq(1, $batch)],
  timer:sleep(3),
  $fall().
]==],
  },
  {
    name = "memory_returned", draw = { count = { 60000, 100000 }, size = { 2500, 3500 } },
    source = [==[
start() ->
  Me = self(),
  spawn(fun() ->
    Bs = [binary:copy(<<I:32>>, $size div 4) || I <- lists:seq(1, $count)],
    _ = length(Bs),
    register($holder, self()),
    erlang:garbage_collect(),
    Me ! up,
    $lie()
  end),
  receive up -> ok end.
$lie() -> receive $slide -> $lie() end.
]==],
  },
  {
    name = "burst_of_log_lines", draw = { lines = { 1000, 3000 }, every_ms = { 150, 300 } },
    source = [==[
start() -> spawn(fun() -> [logger:notice("$thing ~p", [I]) || I <- lists:seq(1, $lines)], $hop(1) end).
$hop(I) -> logger:warning("$hopped ~p", [I]), timer:sleep($every_ms), $hop(I + 1).
]==],
  },
  {
    name = "line_for_each_request", draw = { loops = { 2, 4 }, every_ms = { 4, 8 } },
    source = [==[
start() -> [spawn(fun() -> $sing(1) end) || _ <- lists:seq(1, $loops)], ok.
$sing(I) -> logger:notice("$verse ~p in ~p ms", [I, 3]), timer:sleep($every_ms), $sing(I + 1).
]==],
  },
  -- A start that fills a table and a state, and is done after a moment. While it goes on nobody can know.
  {
    name = "warm_up", accepts = { "healthy", "cannot_tell" }, draw = { fill_ms = { 2000, 3500 }, batch = { 50, 200 } },
    source = [==[
start() ->
  spawn(fun() ->
    register($keeper, self()),
    T = ets:new($table, [named_table, public]),
    $fill(T, #{}, 1, erlang:monotonic_time(millisecond) + $fill_ms)
  end).
$fill(T, M, I, Until) ->
  case erlang:monotonic_time(millisecond) < Until of
    true ->
      [ets:insert(T, {K, lists:duplicate(30, K)}) || K <- lists:seq(I, I + $batch)],
      timer:sleep(10),
      $fill(T, M#{I => lists:duplicate(100, I)}, I + $batch, Until);
    false ->
      receive {$never, M} -> ok end
  end.
]==],
  },
  -- As many entries as before, each of them written again and again: what grows is garbage, until it is collected.
  {
    name = "rewritten_dictionary", draw = { keys = { 1000, 3000 }, batch = { 10, 25 }, item = { 20, 40 } },
    source = [==[
start() ->
  Me = self(),
  spawn(fun() ->
    register($keeper, self()),
    [put({$ray, I}, lists:seq(1, $item)) || I <- lists:seq(0, $keys - 1)],
    Me ! up,
    $put(1)
  end),
  receive up -> ok end.
$put(I) ->
  timer:sleep(10),
  [put({$ray, (I * $batch + J) rem $keys}, lists:seq(1, $item)) || J <- lists:seq(1, $batch)],
  $put(I + 1).
]==],
  },
  {
    name = "many_monitors_by_design", draw = { count = { 2000, 5000 } },
    source = [==[
start() ->
  Me = self(),
  spawn(fun() ->
    register($leaf, self()),
    S = spawn(fun $bee/0),
    Ms = [erlang:monitor(process, S) || _ <- lists:seq(1, $count)],
    Me ! up,
    $turn(S, Ms)
  end),
  receive up -> ok end.
$bee() -> receive $never -> ok end.
$turn(S, [R | T]) ->
  erlang:demonitor(R, [flush]),
  timer:sleep(2),
  $turn(S, T ++ [erlang:monitor(process, S)]).
]==],
  },
  {
    name = "children_that_come_and_go", draw = { every_ms = { 8, 20 }, live_ms = { 60, 150 } },
    source = [==[
-behaviour(supervisor).
-export([init/1, $reed/0]).
start() ->
  Me = self(),
  spawn(fun() -> {ok, _} = supervisor:start_link({local, $bog}, ?MODULE, []), Me ! up, $sow() end),
  receive up -> ok end.
init([]) ->
  {ok, {{simple_one_for_one, 10, 5}, [{$frog, {?MODULE, $reed, []}, temporary, 1000, worker, [?MODULE]}]}}.
$reed() -> {ok, spawn_link(fun() -> timer:sleep($live_ms) end)}.
$sow() -> supervisor:start_child($bog, []), timer:sleep($every_ms), $sow().
]==],
  },
}
