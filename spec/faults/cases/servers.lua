--- Servers, supervisors and timers that hold everybody up, or fill up.

return {
  {
    name = "slow_server", settles = 3, truth = { { mechanism = "slow_server", objects = { "$server" } } },
    draw = { takes_ms = { 150, 300 }, every_ms = { 40, 80 } }, twin = { takes_ms = 1 },
    source = [==[
-behaviour(gen_server).
-export([init/1, handle_call/3, handle_cast/2]).
start() ->
  {ok, _} = gen_server:start({local, $server}, ?MODULE, [], []),
  spawn(fun $come/0).
init([]) -> {ok, 0}.
handle_call(_, _, S) -> timer:sleep($takes_ms), {reply, ok, S}.
handle_cast(_, S) -> {noreply, S}.
$come() ->
  spawn(fun() -> catch gen_server:call($server, $ask, 1500) end),
  timer:sleep($every_ms),
  $come().
]==],
  },
  -- The queue is before one server, and the work that takes so long is another's.
  {
    name = "slow_downstream", settles = 3, truth = { { mechanism = "slow_server", objects = { "$behind" } } },
    draw = { takes_ms = { 200, 400 }, every_ms = { 50, 90 } }, twin = { takes_ms = 1 },
    source = [==[
-behaviour(gen_server).
-export([init/1, handle_call/3, handle_cast/2]).
start() ->
  {ok, _} = gen_server:start({local, $behind}, ?MODULE, behind, []),
  {ok, _} = gen_server:start({local, $front}, ?MODULE, front, []),
  spawn(fun $come/0).
init(S) -> {ok, S}.
handle_call(_, _, behind) -> timer:sleep($takes_ms), {reply, ok, behind};
handle_call($ask, _, front) -> {reply, gen_server:call($behind, $fetch, infinity), front}.
handle_cast(_, S) -> {noreply, S}.
$come() ->
  spawn(fun() -> catch gen_server:call($front, $ask, 1500) end),
  timer:sleep($every_ms),
  $come().
]==],
  },
  {
    name = "supervisor_blocked", settles = 2, truth = { { mechanism = "supervisor_blocked", objects = { "$sup" } } },
    draw = { every_ms = { 80, 200 } },
    source = [==[
-behaviour(supervisor).
-export([init/1, $begin/1]).
start() ->
  spawn(fun() -> {ok, _} = supervisor:start_link({local, $sup}, ?MODULE, []), receive $never -> ok end end),
  timer:sleep(100),
  spawn(fun() -> $ask(1) end).
init([]) ->
  {ok, {{simple_one_for_one, 10, 5}, [{$child, {?MODULE, $begin, []}, temporary, 1000, worker, [?MODULE]}]}}.
-ifdef(TWIN).
$begin(_) -> {ok, spawn_link(fun() -> timer:sleep(200) end)}.
-else.
$begin(5) -> receive $ready -> {ok, self()} end;
$begin(_) -> {ok, spawn_link(fun() -> timer:sleep(200) end)}.
-endif.
$ask(I) ->
  spawn(fun() -> supervisor:start_child($sup, [I]) end),
  timer:sleep($every_ms),
  $ask(I + 1).
]==],
  },
  {
    name = "timer_leak", truth = { { mechanism = "timer_leak", objects = { "$setter" } } },
    draw = { batch = { 10, 50 }, every_ms = { 10, 20 } },
    source = [==[
start() -> spawn(fun() -> register($setter, self()), $set() end).
$set() ->
  Ts = [erlang:start_timer(3600000, self(), $late) || _ <- lists:seq(1, $batch)],
  timer:sleep($every_ms),
  $done(Ts),
  $set().
-ifdef(TWIN).
$done(Ts) -> [erlang:cancel_timer(T) || T <- Ts].
-else.
$done(_) -> ok.
-endif.
]==],
  },
  {
    name = "persistent_term_growth",
    truth = { { mechanism = "persistent_term_growth", objects = { "$key", "$keeper", "persistent_term" } } },
    draw = { every_ms = { 10, 25 }, size = { 20, 200 } },
    source = [==[
start() -> spawn(fun() -> register($keeper, self()), $put(1) end).
$put(I) ->
  persistent_term:put({$key, $of(I)}, lists:seq(1, $size)),
  timer:sleep($every_ms),
  $put(I + 1).
-ifdef(TWIN).
$of(_) -> 1.
-else.
$of(I) -> I.
-endif.
]==],
  },
  {
    name = "os_process_leak", truth = { { mechanism = "os_process_leak", objects = { "$opener" } } },
    draw = { every_ms = { 60, 120 } },
    source = [==[
start() -> spawn(fun() -> register($opener, self()), process_flag(trap_exit, true), $open() end).
$open() ->
  P = open_port({spawn_executable, "/bin/cat"}, [binary]),
  timer:sleep($every_ms),
  $done(P),
  $open().
-ifdef(TWIN).
$done(P) -> port_close(P), $forget().
$forget() -> receive {'EXIT', _, _} -> $forget() after 0 -> ok end.
-else.
$done(_) -> ok.
-endif.
]==],
  },
  {
    name = "idle_garbage", truth = { { mechanism = "idle_garbage", objects = { "$module:$idle/0" } } },
    draw = { count = { 60, 120 }, words = { 150000, 250000 } },
    source = [==[
start() ->
  Me = self(),
  [spawn(fun() -> $work(), Me ! up, $idle() end) || _ <- lists:seq(1, $count)],
  [receive up -> ok end || _ <- lists:seq(1, $count)],
  ok.
$work() -> _ = length(lists:seq(1, $words)), $clean().
-ifdef(TWIN).
$clean() -> erlang:garbage_collect().
-else.
$clean() -> ok.
-endif.
$idle() -> receive $more -> $work(), $idle() end.
]==],
  },
  {
    name = "gc_thrash", truth = { { mechanism = "gc_thrash", objects = { "$holder" } } },
    draw = { items = { 300000, 500000 } },
    source = [==[
start() -> spawn(fun() -> register($holder, self()), $spin(lists:seq(1, $items)) end).
$spin(L) -> $clean(), $spin(L ++ []).
-ifdef(TWIN).
$clean() -> timer:sleep(1000).
-else.
$clean() -> erlang:garbage_collect().
-endif.
]==],
  },
  {
    name = "large_message_copying",
    truth = { { mechanism = "large_message_copying", objects = { "$giver", "$taker" } } },
    draw = { items = { 100000, 200000 }, every_ms = { 10, 20 } }, twin = { items = 10 },
    source = [==[
start() ->
  Me = self(),
  P = spawn(fun() -> register($taker, self()), Me ! up, $take() end),
  receive up -> ok end,
  spawn(fun() -> register($giver, self()), $give(P, lists:seq(1, $items)) end).
$take() -> receive {$load, _, From} -> From ! $got end, $take().
$give(P, L) ->
  P ! {$load, L, self()},
  receive $got -> ok end,
  timer:sleep($every_ms),
  $give(P, L).
]==],
  },
  {
    name = "dirty_cpu_exhausted",
    truth = { { mechanism = "dirty_cpu_exhausted", objects = { "dirty_cpu*", "dirty CPU*", "$module*" } } },
    draw = { each = { 3, 5 }, wait_ms = { 1500, 2500 } },
    source = [==[
-ifdef(TWIN).
start() -> [spawn(fun() -> $count(5) end) || _ <- lists:seq(1, 2)], ok.
-else.
start() -> [spawn(fun() -> $count($wait_ms) end)
            || _ <- lists:seq(1, $each * erlang:system_info(dirty_cpu_schedulers))], ok.
-endif.
$count(Ms) -> erts_debug:dirty_cpu(wait, Ms), timer:sleep(5), $count(Ms).
]==],
  },
  {
    name = "timer_storm", truth = { { mechanism = "timer_storm", objects = { "timer_server", "$hearer" } } },
    draw = { timers = { 300, 600 } }, twin = { timers = 3 },
    source = [==[
start() ->
  Me = self(),
  P = spawn(fun() -> register($hearer, self()), Me ! up, $hear() end),
  receive up -> ok end,
  [{ok, _} = timer:send_interval(1, P, $tick) || _ <- lists:seq(1, $timers)],
  ok.
$hear() -> receive $tick -> $hear() end.
]==],
  },
  {
    name = "string_building", truth = { { mechanism = "string_building", objects = { "$builder" } } },
    draw = { length = { 4000, 8000 } },
    source = [==[
start() -> spawn(fun() -> register($builder, self()), $build() end).
$build() -> _ = length($add([], 1)), $rest(), $build().
-ifdef(TWIN).
$add(S, I) when I > $length -> lists:reverse(S);
$add(S, I) -> $add([I rem 128 | S], I + 1).
$rest() -> timer:sleep(50).
-else.
$add(S, I) when I > $length -> S;
$add(S, I) -> $add(S ++ [I rem 128], I + 1).
$rest() -> timer:sleep(1).
-endif.
]==],
  },
  {
    name = "mnesia_overloaded", settles = 4,
    truth = { { mechanism = "mnesia_overloaded", objects = { "mnesia*", "$table" } } }, draw = { writers = { 3, 5 } },
    source = [==[
start() ->
  application:set_env(mnesia, dir, "kept"),
  ok = mnesia:create_schema([node()]),
  ok = mnesia:start(),
  {atomic, ok} = mnesia:create_table($table, [{disc_copies, [node()]}]),
  [spawn(fun() -> $write(W * 1000000) end) || W <- lists:seq(1, $writers)],
  ok.
$write(I) ->
  mnesia:dirty_write({$table, I rem 20000, lists:seq(1, 50)}),
  $rest(I),
  $write(I + 1).
-ifdef(TWIN).
$rest(_) -> timer:sleep(100).
-else.
$rest(I) -> (I rem 100 =:= 0) andalso timer:sleep(10).
-endif.
]==],
  },
}
