--- Who waits for what never comes.

return {
  {
    name = "call_deadlock", truth = { { mechanism = "call_deadlock", objects = { "$one", "$other" } } },
    draw = { every_ms = { 100, 250 } },
    source = [==[
-behaviour(gen_server).
-export([init/1, handle_call/3, handle_cast/2]).
start() ->
  {ok, _} = gen_server:start({local, $one}, ?MODULE, [], []),
  {ok, _} = gen_server:start({local, $other}, ?MODULE, [], []),
  gen_server:cast($one, {$ask, $other}),
  $back(),
  spawn(fun $knock/0).
-ifdef(TWIN).
$back() -> ok.
-else.
$back() -> gen_server:cast($other, {$ask, $one}).
-endif.
init([]) -> {ok, none}.
handle_call(_, _, S) -> {reply, ok, S}.
handle_cast({$ask, Who}, S) ->
  timer:sleep(100),
  gen_server:call(Who, $ping, infinity),
  {noreply, S}.
$knock() ->
  spawn(fun() -> gen_server:call($one, $ping, infinity) end),
  timer:sleep($every_ms),
  $knock().
]==],
  },
  {
    name = "process_suspended", truth = { { mechanism = "process_suspended", objects = { "$paused" } } },
    draw = { batch = { 5, 20 }, every_ms = { 2, 8 } },
    source = [==[
start() ->
  Me = self(),
  P = spawn(fun() -> register($paused, self()), Me ! up, $dig() end),
  receive up -> ok end,
  spawn(fun() -> $hold(P), receive $never -> ok end end),
  spawn(fun() -> $poke(P) end).
-ifdef(TWIN).
$hold(_) -> ok.
-else.
$hold(P) -> erlang:suspend_process(P).
-endif.
$dig() -> receive _ -> ok end, $dig().
$poke(P) ->
  [P ! {$dirt, I} || I <- lists:seq(1, $batch)],
  timer:sleep($every_ms),
  $poke(P).
]==],
  },
  {
    name = "sys_suspended", truth = { { mechanism = "sys_suspended", objects = { "$server" } } },
    draw = { batch = { 5, 20 }, every_ms = { 4, 10 } },
    source = [==[
-behaviour(gen_server).
-export([init/1, handle_call/3, handle_cast/2]).
start() ->
  {ok, P} = gen_server:start({local, $server}, ?MODULE, [], []),
  $hold(P),
  spawn(fun() -> $poke(P) end).
-ifdef(TWIN).
$hold(_) -> ok.
-else.
$hold(P) -> sys:suspend(P).
-endif.
init([]) -> {ok, 0}.
handle_call(_, _, S) -> {reply, ok, S}.
handle_cast(_, S) -> {noreply, S + 1}.
$poke(P) ->
  [gen_server:cast(P, {$dirt, I}) || I <- lists:seq(1, $batch)],
  timer:sleep($every_ms),
  $poke(P).
]==],
  },
  {
    name = "global_lock_held", settles = 2, truth = { { mechanism = "global_lock_held", objects = { "$lock" } } },
    draw = { waiters = { 30, 60 } },
    source = [==[
start() ->
  spawn(fun() -> register($holder, self()), global:trans({$lock, self()}, fun() -> $rest() end) end),
  timer:sleep(100),
  [spawn(fun $want/0) || _ <- lists:seq(1, $waiters)],
  ok.
$want() -> global:trans({$lock, self()}, fun() -> ok end), timer:sleep(1000), $want().
-ifdef(TWIN).
$rest() -> timer:sleep(10).
-else.
$rest() -> timer:sleep(3600000).
-endif.
]==],
  },
  {
    name = "tracing_left_on", truth = { { mechanism = "tracing_left_on", objects = { "$tracer" } } },
    draw = { every_ms = { 2, 6 } },
    source = [==[
start() ->
  Me = self(),
  spawn(fun() ->
    T = spawn(fun $read/0),
    register($tracer, T),
    $trace(T),
    Me ! up,
    receive $dawn -> T end
  end),
  receive up -> ok end,
  spawn(fun $flicker/0).
-ifdef(TWIN).
$trace(_) -> ok.
-else.
$trace(T) -> erlang:trace(all, true, [send, 'receive', {tracer, T}]).
-endif.
$read() -> receive _ -> timer:sleep(1) end, $read().
$flicker() ->
  [self() ! I || I <- lists:seq(1, 10)],
  [receive I -> ok end || I <- lists:seq(1, 10)],
  timer:sleep($every_ms),
  $flicker().
]==],
  },
}
