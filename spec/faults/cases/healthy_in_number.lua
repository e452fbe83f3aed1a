--- Much of something, on purpose: it stays as much as it is.

return {
  {
    name = "many_timers_by_design", draw = { timers = { 3000, 10000 }, lives_ms = { 2000, 6000 } },
    source = [==[
start() ->
  Me = self(),
  spawn(fun() ->
    register($keeper, self()),
    [erlang:send_after(rand:uniform($lives_ms), self(), {$late, I}) || I <- lists:seq(1, $timers)],
    Me ! up,
    $turn()
  end),
  receive up -> ok end.
$turn() -> receive {$late, I} -> erlang:send_after($lives_ms, self(), {$late, I}) end, $turn().
]==],
  },
  -- Binaries that are in use: each holder reads them again and again.
  {
    name = "binaries_in_use", draw = { holders = { 30, 60 }, size = { 1000000, 2500000 }, every_ms = { 300, 900 } },
    source = [==[
start() -> [spawn(fun() -> $show(binary:copy(<<I:8>>, $size), 0) end) || I <- lists:seq(1, $holders)], ok.
$show(B, I) -> _ = binary:at(B, I rem byte_size(B)), timer:sleep($every_ms), $show(B, I + 1).
]==],
  },
  {
    name = "wide_supervisor", draw = { children = { 1500, 4000 } },
    source = [==[
-behaviour(supervisor).
-export([init/1, $begin/0]).
start() ->
  Me = self(),
  spawn(fun() ->
    {ok, _} = supervisor:start_link({local, $sup}, ?MODULE, []),
    [{ok, _} = supervisor:start_child($sup, []) || _ <- lists:seq(1, $children)],
    Me ! up,
    receive $never -> ok end
  end),
  receive up -> ok end.
init([]) ->
  {ok, {{simple_one_for_one, 5, 5}, [{$child, {?MODULE, $begin, []}, permanent, 1000, worker, [?MODULE]}]}}.
$begin() -> {ok, spawn_link(fun() -> receive $never -> ok end end)}.
]==],
  },
  {
    name = "hibernating_processes", draw = { count = { 3000, 8000 } },
    source = [==[
-export([$doze/1]).
start() -> [spawn(fun() -> proc_lib:hibernate(?MODULE, $doze, [I]) end) || I <- lists:seq(1, $count)], ok.
$doze(I) -> receive $wake -> proc_lib:hibernate(?MODULE, $doze, [I]) end.
]==],
  },
  {
    name = "persistent_terms_of_the_start", draw = { count = { 300, 1500 } },
    source = [==[
start() -> [persistent_term:put({$setting, I}, lists:seq(1, 30)) || I <- lists:seq(1, $count)], ok.
]==],
  },
  {
    name = "open_files_by_design", draw = { count = { 20, 80 } },
    source = [==[
start() ->
  Me = self(),
  spawn(fun() ->
    register($segments, self()),
    Fs = [begin {ok, F} = file:open("/dev/null", [read]), F end || _ <- lists:seq(1, $count)],
    Me ! up,
    $read(Fs)
  end),
  receive up -> ok end.
$read([F | Rest]) -> _ = file:read(F, 10), timer:sleep(50), $read(Rest ++ [F]).
]==],
  },
  {
    name = "many_tables_by_design", draw = { tables = { 300, 1000 }, rows = { 20, 100 } },
    source = [==[
start() ->
  Me = self(),
  spawn(fun() ->
    register($owner, self()),
    Ts = [ets:new($table, [public]) || _ <- lists:seq(1, $tables)],
    [ets:insert(T, {I, I}) || T <- Ts, I <- lists:seq(1, $rows)],
    Me ! up,
    receive $never -> Ts end
  end),
  receive up -> ok end.
]==],
  },
}
