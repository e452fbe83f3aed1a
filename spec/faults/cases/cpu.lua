--- Schedulers, and what takes them.

return {
  {
    name = "hot_process", truth = { { mechanism = "hot_process", objects = { "$worker" } } },
    draw = { salt = { 1, 1000 } },
    source = [==[
start() -> spawn(fun() -> register($worker, self()), $spin($salt) end).
-ifdef(TWIN).
$spin(N) -> timer:sleep(20), $spin(erlang:phash2({N, N})).
-else.
$spin(N) -> $spin(erlang:phash2({N, N})).
-endif.
]==],
  },
  {
    name = "cpu_saturation",
    truth = { { mechanism = "cpu_saturation", objects = { "$module:$crunch/1" } } },
    draw = { each = { 20, 45 } },
    source = [==[
start() ->
  [spawn(fun() -> $crunch(I) end) || I <- lists:seq(1, $each * erlang:system_info(schedulers_online))],
  ok.
-ifdef(TWIN).
$crunch(N) -> timer:sleep(200), $crunch(erlang:phash2({N, N})).
-else.
$crunch(N) -> $crunch(erlang:phash2({N, N})).
-endif.
]==],
  },
  {
    name = "regex_backtracking", truth = { { mechanism = "regex_backtracking", objects = { "$matcher" } } },
    draw = { length = { 26, 30 } }, twin = { length = 4 },
    source = [==[
start() -> spawn(fun() -> register($matcher, self()), $match(binary:copy(<<"a">>, $length)) end).
$match(S) ->
  re:run(<<S/binary, "b">>, <<"^(a+)+$">>, [{match_limit, 10000000}]),
  $rest(),
  $match(S).
-ifdef(TWIN).
$rest() -> timer:sleep(10).
-else.
$rest() -> ok.
-endif.
]==],
  },
  -- They rest for a moment now and then, each at its own time, so that a hundredth is left for the rest. Where nothing
  -- is, nobody gets in to look: who answers for the cookie of a connection (auth) runs at normal priority.
  {
    name = "priority_inversion",
    truth = { { mechanism = "priority_inversion", objects = { "$module:$crest/1", "$module:$work/1" } } },
    draw = { each = { 2, 3 }, work_ms = { 60, 120 } },
    source = [==[
start() ->
  Count = $each * erlang:system_info(schedulers_online),
  spawn_opt(fun() -> timer:sleep(300), [$grow() || _ <- lists:seq(1, Count)] end, [{priority, max}]),
  [spawn(fun() -> $plain(0) end) || _ <- lists:seq(1, 5)],
  ok.
$grow() -> spawn_opt(fun() -> $crest(1) end, [{priority, high}]).
-ifdef(TWIN).
$crest(N) -> timer:sleep(50), $crest(erlang:phash2({N, N})).
-else.
$crest(N) ->
  $work(erlang:monotonic_time(millisecond) + 30 + erlang:phash2({self(), N}, $work_ms)),
  timer:sleep(5),
  $crest(N + 1).
$work(Until) -> _ = erlang:phash2(lists:seq(1, 100)), erlang:monotonic_time(millisecond) < Until andalso $work(Until).
-endif.
$plain(N) -> timer:sleep(5), $plain(N + 1).
]==],
  },
  {
    name = "schedulers_limited",
    truth = { { mechanism = "schedulers_limited", objects = { "schedulers_online" } } },
    draw = { workers = { 30, 60 } },
    source = [==[
-ifdef(TWIN).
start() -> [spawn(fun() -> $work(50) end) || _ <- lists:seq(1, 10)], ok.
-else.
start() ->
  erlang:system_flag(schedulers_online, 1),
  [spawn(fun() -> $work(1) end) || _ <- lists:seq(1, $workers)],
  ok.
-endif.
$work(Ms) -> _ = lists:sum(lists:seq(1, 20000)), timer:sleep(Ms), $work(Ms).
]==],
  },
  {
    name = "ets_contention", truth = { { mechanism = "ets_contention", objects = { "$table" } } },
    draw = { more = { 0, 2 } },
    source = [==[
start() ->
  Me = self(),
  spawn(fun() ->
    T = ets:new($table, [named_table, public, set]),
    ets:insert(T, {c, 0}),
    Me ! up,
    receive $never -> ok end
  end),
  receive up -> ok end,
  [spawn(fun $count/0) || _ <- lists:seq(1, $more + erlang:system_info(schedulers_online))],
  ok.
$count() -> ets:update_counter($table, c, 1), $rest(), $count().
-ifdef(TWIN).
$rest() -> timer:sleep(5).
-else.
$rest() -> ok.
-endif.
]==],
  },
  {
    name = "undefined_module_storm",
    truth = { { mechanism = "undefined_module_storm", objects = { "$absent", "code_server" } } },
    draw = { callers = { 3, 5 } },
    source = [==[
start() -> [spawn(fun $call/0) || _ <- lists:seq(1, $callers)], ok.
-ifdef(TWIN).
$call() -> lists:sort([2, 1]), timer:sleep(10), $call().
-else.
$call() -> (catch $absent:$run(1)), $call().
-endif.
]==],
  },
  {
    name = "dirty_io_exhausted",
    truth = { { mechanism = "dirty_io_exhausted", objects = { "dirty_io*", "dirty IO*", "$module*" } } },
    draw = { each = { 3, 5 }, wait_ms = { 1500, 2500 } },
    source = [==[
-ifdef(TWIN).
start() -> [spawn(fun() -> $write(10) end) || _ <- lists:seq(1, 2)], ok.
-else.
start() -> [spawn(fun() -> $write($wait_ms) end)
            || _ <- lists:seq(1, $each * erlang:system_info(dirty_io_schedulers))], ok.
-endif.
$write(Ms) -> erts_debug:dirty_io(wait, Ms), timer:sleep(5), $write(Ms).
]==],
  },
  -- A process for each crumb of work: what they do is little beside making and burying them, and the schedulers do
  -- nothing else. The twin hands the crumbs to those who are there.
  {
    name = "spawn_storm",
    truth = { { mechanism = "spawn_storm", objects = { "$module:$crumb*", "$module:$deal*", "$dealer" } } },
    draw = { each = { 1, 2 } },
    source = [==[
start() ->
  spawn(fun() -> register($dealer, self()), $deal(1) end),
  [spawn(fun() -> $deal(1) end) || _ <- lists:seq(1, $each * erlang:system_info(schedulers_online))],
  ok.
-ifdef(TWIN).
$deal(I) -> $crumb(I), timer:sleep(5), $deal(I + 1).
-else.
$deal(I) -> spawn(fun() -> $crumb(I) end), $deal(I + 1).
-endif.
$crumb(I) -> erlang:phash2({I, I}).
]==],
  },
}
