--- What fails again and again.

return {
  {
    name = "heap_limit_kills",
    truth = { { mechanism = "heap_limit_kills", objects = { "max_heap_size", "$module:$dive/0" } } },
    draw = { every_ms = { 40, 80 }, words = { 150000, 250000 }, count = { 1800000, 2200000 } },
    twin = { count = 1000 },
    source = [==[
start() -> spawn(fun() -> register($boss, self()), $send() end).
$send() ->
  spawn_opt(fun $dive/0, [{max_heap_size, #{size => $words, kill => true, error_logger => true}}]),
  timer:sleep($every_ms),
  $send().
$dive() -> length(lists:seq(1, $count)).
]==],
  },
  {
    name = "dependency_error_storm",
    truth = { { mechanism = "dependency_error_storm", objects = { "$module:$ask/1", "$down" } } },
    draw = { every_ms = { 15, 40 } },
    source = [==[
start() -> spawn(fun() -> $serve() end).
$serve() ->
  spawn(fun() -> $ask($answer()) end),
  timer:sleep($every_ms),
  $serve().
-ifdef(TWIN).
$answer() -> {ok, $down}.
-else.
$answer() -> {error, $down}.
-endif.
$ask(X) ->
  {ok, Y} = X,
  Y.
]==],
  },
  {
    name = "restart_loop", truth = { { mechanism = "restart_loop", objects = { "$sup", "$child" } } },
    draw = { lives_ms = { 15, 60 } }, twin = { lives_ms = 3600000 },
    source = [==[
-behaviour(supervisor).
-export([init/1, $begin/0]).
start() ->
  spawn(fun() -> {ok, _} = supervisor:start_link({local, $sup}, ?MODULE, []), receive $never -> ok end end).
init([]) ->
  {ok, {{one_for_one, 1000, 5}, [{$child, {?MODULE, $begin, []}, permanent, 1000, worker, [?MODULE]}]}}.
$begin() -> {ok, spawn_link(fun() -> timer:sleep($lives_ms), exit(econnrefused) end)}.
]==],
  },
  {
    name = "missing_process", truth = { { mechanism = "missing_process", objects = { "$pricing" } } },
    draw = { every_ms = { 5, 20 } },
    source = [==[
-behaviour(gen_server).
-export([init/1, handle_call/3, handle_cast/2]).
init(S) -> {ok, S}.
handle_call(_, _, S) -> {reply, 1, S}.
handle_cast(_, S) -> {noreply, S}.
-ifdef(TWIN).
start() -> {ok, _} = gen_server:start({local, $pricing}, ?MODULE, [], []), spawn(fun $quote/0).
-else.
start() -> spawn(fun $quote/0).
-endif.
$quote() ->
  try gen_server:call($pricing, $price, 1000)
  catch exit:Why -> logger:error("no $price: ~p", [Why])
  end,
  timer:sleep($every_ms),
  $quote().
]==],
  },
}
