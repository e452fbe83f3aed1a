--- What grows, crashes or is busy for a while, as it should, and then is done; or does so in turns.

return {
  -- Collects what comes and writes it out every second or two: a state that grows, and falls to nothing.
  {
    name = "batcher", draw = { batch = { 50, 200 }, item = { 20, 50 }, flush_ms = { 900, 2200 } },
    source = [==[
start() -> spawn(fun() -> register($keeper, self()), $take([], erlang:monotonic_time(millisecond) + $flush_ms) end).
$take(Acc, Until) ->
  timer:sleep(10),
  More = [lists:duplicate($item, I) || I <- lists:seq(1, $batch)],
  case erlang:monotonic_time(millisecond) < Until of
    true -> $take(More ++ Acc, Until);
    false -> _ = length(Acc), $take([], erlang:monotonic_time(millisecond) + $flush_ms)
  end.
]==],
  },
  -- The same with a table.
  {
    name = "buffer_table", draw = { batch = { 20, 80 }, item = { 20, 40 }, flush_ms = { 1200, 2500 } },
    source = [==[
start() ->
  spawn(fun() ->
    register($keeper, self()),
    $fill(ets:new($table, [named_table, public]), 1, erlang:monotonic_time(millisecond) + $flush_ms)
  end).
$fill(T, I, Until) ->
  timer:sleep(10),
  [ets:insert(T, {K, lists:duplicate($item, K)}) || K <- lists:seq(I, I + $batch)],
  case erlang:monotonic_time(millisecond) < Until of
    true -> $fill(T, I + $batch, Until);
    false -> ets:delete_all_objects(T), $fill(T, 1, erlang:monotonic_time(millisecond) + $flush_ms)
  end.
]==],
  },
  -- Rows are taken back when their time is over; after that time as many go as come.
  {
    name = "cache_with_expiry", settles = 3,
    draw = { batch = { 10, 40 }, item = { 20, 40 }, lives_ms = { 1000, 2000 } },
    source = [==[
start() ->
  spawn(fun() ->
    register($keeper, self()),
    $turn(ets:new($table, [named_table, public, ordered_set]), 1, queue:new())
  end).
$turn(T, I, Q) ->
  timer:sleep(10),
  Now = erlang:monotonic_time(millisecond),
  Keys = lists:seq(I, I + $batch - 1),
  [ets:insert(T, {K, lists:duplicate($item, K)}) || K <- Keys],
  $turn(T, I + $batch, $expire(T, Now, queue:in({Now + $lives_ms, Keys}, Q))).
$expire(T, Now, Q) ->
  case queue:peek(Q) of
    {value, {At, Keys}} when At =< Now -> [ets:delete(T, K) || K <- Keys], $expire(T, Now, queue:drop(Q));
    _ -> Q
  end.
]==],
  },
  -- While it goes on nobody can know that it will end.
  {
    name = "import_that_ends", accepts = { "healthy", "cannot_tell" },
    draw = { import_ms = { 3000, 5000 }, batch = { 20, 60 }, item = { 20, 40 } },
    source = [==[
start() ->
  spawn(fun() ->
    register($importer, self()),
    T = ets:new($rows, [public]),
    $import(T, 1, erlang:monotonic_time(millisecond) + $import_ms),
    ets:delete(T),
    receive $never -> ok end
  end).
$import(T, I, Until) ->
  [ets:insert(T, {K, lists:duplicate($item, K)}) || K <- lists:seq(I, I + $batch)],
  timer:sleep(10),
  erlang:monotonic_time(millisecond) < Until andalso $import(T, I + $batch, Until).
]==],
  },
  -- What piled up is worked off faster than more comes.
  {
    name = "backlog_that_drains", accepts = { "healthy", "cannot_tell" },
    draw = { backlog = { 30000, 60000 }, work = { 300, 500 } },
    source = [==[
start() ->
  Me = self(),
  P = spawn(fun() -> register($sink, self()), Me ! up, $take() end),
  receive up -> ok end,
  [P ! {$parcel, I} || I <- lists:seq(1, $backlog)],
  spawn(fun() -> $give(P) end).
$take() -> receive _ -> erlang:phash2(lists:seq(1, $work)) end, $take().
$give(P) -> P ! {$parcel, 0}, timer:sleep(5), $give(P).
]==],
  },
  -- Each worker is ended and started again on purpose, one after the other, once.
  {
    name = "rolling_restart", draw = { workers = { 4, 8 }, every_ms = { 400, 800 } },
    source = [==[
-behaviour(supervisor).
-export([init/1, $begin/0]).
start() ->
  Me = self(),
  spawn(fun() -> {ok, _} = supervisor:start_link({local, $sup}, ?MODULE, []), Me ! up, receive $never -> ok end end),
  receive up -> ok end,
  spawn(fun() -> [$turn(I) || I <- lists:seq(1, $workers)], receive $never -> ok end end).
init([]) ->
  {ok, {{one_for_one, 3, 5}, [{I, {?MODULE, $begin, []}, permanent, 1000, worker, [?MODULE]}
    || I <- lists:seq(1, $workers)]}}.
$begin() -> {ok, spawn_link(fun() -> receive $never -> ok end end)}.
$turn(I) ->
  ok = supervisor:terminate_child($sup, I),
  timer:sleep(50),
  {ok, _} = supervisor:restart_child($sup, I),
  timer:sleep($every_ms).
]==],
  },
  -- Its child failed while what it needs was not up yet, and has been well since.
  {
    name = "restarts_at_the_start", draw = { fails = { 2, 4 } },
    source = [==[
-behaviour(supervisor).
-export([init/1, $begin/0]).
start() ->
  Me = self(),
  spawn(fun() ->
    ets:new($tries, [named_table, public]),
    ets:insert($tries, {n, 0}),
    {ok, _} = supervisor:start_link({local, $sup}, ?MODULE, []),
    Me ! up,
    receive $never -> ok end
  end),
  receive up -> ok end.
init([]) ->
  {ok, {{one_for_one, 10, 5}, [{$child, {?MODULE, $begin, []}, permanent, 1000, worker, [?MODULE]}]}}.
$begin() -> {ok, spawn_link(fun() -> $connect(ets:update_counter($tries, n, 1)) end)}.
$connect(N) when N =< $fails -> timer:sleep(30), exit(econnrefused);
$connect(_) -> receive $never -> ok end.
]==],
  },
  -- A second version of a module is loaded, everybody goes over to it; the first one lies there until the next load.
  {
    name = "deploy", draw = { servers = { 10, 60 } },
    source = [==[
start() ->
  $load(1),
  Ps = [spawn($service, start, []) || _ <- lists:seq(1, $servers)],
  $load(2),
  [P ! $renew || P <- Ps],
  ok.
$load(V) ->
  Forms = [begin {ok, T, _} = erl_scan:string(L), {ok, F} = erl_parse:parse_form(T), F end || L <- [
    "-module($service).", "-export([start/0, loop/1]).", "start() -> loop(0).",
    "loop(S) -> receive $renew -> $service:loop(" ++ integer_to_list(V) ++ "); {$ask, P} -> P ! S, loop(S) end."]],
  {ok, M, B} = compile:forms(Forms),
  {module, M} = code:load_binary(M, "service", B).
]==],
  },
  -- One large collection that takes long, and no second.
  {
    name = "one_long_collection", draw = { items = { 3000000, 5000000 }, after_ms = { 2000, 3500 } },
    source = [==[
start() -> spawn(fun() -> register($worker, self()), timer:sleep($after_ms), $work(), receive $never -> ok end end).
$work() ->
  L = [{I} || I <- lists:seq(1, $items)],
  erlang:garbage_collect(),
  _ = length(L),
  erlang:garbage_collect().
]==],
  },
  -- Modules that are loaded when they are first needed: atoms and code grow, and stop.
  {
    name = "late_loading", draw = { after_ms = { 500, 2500 }, every_ms = { 20, 60 } },
    source = [==[
start() -> spawn(fun() -> timer:sleep($after_ms), [$use(M) || M <- $modules()], receive $never -> ok end end).
$use(M) -> {module, M} = code:ensure_loaded(M), timer:sleep($every_ms).
$modules() ->
  [array, base64, calendar, dict, digraph, digraph_utils, edlin, epp, gb_sets, gb_trees, gen_statem, orddict, ordsets,
   pool, proplists, rand, sets, shell, slave, sofs, string, uri_string, zip, unicode_util, dets, dets_v9, qlc].
]==],
  },
  -- Every now and then one request fails.
  {
    name = "crash_now_and_then", draw = { every_ms = { 3000, 5000 } },
    source = [==[
start() -> spawn(fun $serve/0).
$serve() -> spawn(fun() -> $ask({error, $low}) end), timer:sleep($every_ms), $serve().
$ask(X) -> {ok, Y} = X, Y.
]==],
  },
  -- More callers than seats for a second or two; then there is room again.
  {
    name = "pool_full_for_a_moment", accepts = { "healthy", "cannot_tell" },
    draw = { seats = { 4, 8 }, callers = { 60, 150 }, takes_ms = { 100, 200 } },
    source = [==[
-behaviour(gen_server).
-export([init/1, handle_call/3, handle_cast/2]).
start() ->
  {ok, _} = gen_server:start({local, $pool}, ?MODULE, [], []),
  [spawn(fun() ->
    timer:sleep(1000 + rand:uniform(1500)),
    ok = gen_server:call($pool, $sit, infinity),
    timer:sleep($takes_ms),
    gen_server:cast($pool, $rise)
  end) || _ <- lists:seq(1, $callers)],
  ok.
init([]) -> {ok, {$seats, queue:new()}}.
handle_call($sit, From, {0, Q}) -> {noreply, {0, queue:in(From, Q)}};
handle_call($sit, _, {N, Q}) -> {reply, ok, {N - 1, Q}}.
handle_cast($rise, {N, Q}) ->
  case queue:out(Q) of
    {{value, From}, Rest} -> gen_server:reply(From, ok), {noreply, {N, Rest}};
    {empty, _} -> {noreply, {N + 1, Q}}
  end.
]==],
  },
}
