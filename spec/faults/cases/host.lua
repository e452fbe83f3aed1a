--- What the machine gives, and takes: files, room, time on the CPU.

local uv = require "luv"

-- A shell that stays where it is would not find it from the node's home.
local CLOCK = uv.cwd() .. "/build/stepped_clock.so"

return {
  -- A pool that would have some connections more than the node may have files. Clients come and go, so that now and
  -- then there is room for some: a node that may accept nobody at all closes its distribution with the next who comes.
  {
    name = "fd_limit", truth = { { mechanism = "fd_limit", objects = { "$pool", "fd*", "max_fds", "file descriptors",
      "open files*", "file_descriptors", "$module*" } } },
    draw = { files = { 200, 400 }, every_ms = { 150, 400 } }, twin = { files = 4096 },
    within = { "sh", "-c", 'ulimit -n $files; exec "$@"', "sh" },
    source = [==[
start() ->
  Me = self(),
  spawn(fun() ->
    register($pool, self()),
    {ok, L} = gen_tcp:listen(0, [binary, {active, false}, {backlog, 1000}, {ip, {127, 0, 0, 1}}]),
    {ok, Port} = inet:port(L),
    Me ! up,
    $open(Port, [])
  end),
  receive up -> ok end.
$open(Port, Held) when length(Held) > 600 -> timer:sleep($every_ms), $open(Port, $leave(3, Held));
$open(Port, Held) ->
  case gen_tcp:connect({127, 0, 0, 1}, Port, [binary, {active, false}]) of
    {ok, S} -> $open(Port, [S | Held]);
    {error, Why} ->
      Fewer = $leave(6, Held),
      logger:error("no connection for $upstream: ~p", [Why]),
      timer:sleep($every_ms),
      $open(Port, Fewer)
  end.
$leave(0, Held) -> Held;
$leave(N, [S | Held]) -> gen_tcp:close(S), $leave(N - 1, Held).
]==],
  },
  -- A disk of its own for the node, small and full; the twin's has room. Some nodes watch their disks, some do not.
  {
    name = "disk_full", needs = "mounts",
    truth = { { mechanism = "disk_full", objects = { "$volume*", "$journal", "$module*" } } },
    draw = { megabytes = { 2, 8 }, every_ms = { 60, 200 }, watched = { 0, 1 } }, twin = { megabytes = 400 },
    within = { "unshare", "-m", "sh", "-c",
      [[mkdir $volume && mount -t tmpfs -o size=$megabytes''m $volume ./$volume; exec "$@"]], "sh" },
    source = [==[
start() ->
  Me = self(),
  spawn(fun() ->
    register($journal, self()),
    file:write_file("$volume/$segment.1", binary:copy(<<1>>, 9000000)),
    {ok, F} = file:open("$volume/$segment.2", [append, raw]),
    $watched =:= 1 andalso application:ensure_all_started(os_mon),
    Me ! up,
    $note(F)
  end),
  receive up -> ok end.
$note(F) ->
  case file:write(F, binary:copy(<<2>>, 5000)) of
    ok -> ok;
    {error, Why} -> logger:error("$journal cannot write $volume/$segment.2: ~p", [Why])
  end,
  timer:sleep($every_ms),
  $note(F).
]==],
  },
  -- Work for a core and a half, and a quota for a part of one.
  {
    name = "cpu_throttled", needs = "cgroups",
    truth = { { mechanism = "cpu_throttled", objects = { "quota*", "cgroup*", "the container's CPU quota" } } },
    draw = { quota_us = { 30000, 60000 }, workers = { 3, 6 } }, twin = { quota_us = -1 },
    within = { "sh", "-c", [[
G=/sys/fs/cgroup/cpu/beamlens-run-bench-$$
mkdir $G && echo $quota_us > $G/cpu.cfs_quota_us
(tail --pid=$$ -f /dev/null; rmdir $G) < /dev/null > /dev/null 2>&1 &
echo $$ > $G/cgroup.procs
exec "$@"]], "sh" },
    source = [==[
start() -> [spawn(fun() -> $work() end) || _ <- lists:seq(1, $workers)], ok.
$work() -> _ = lists:sum(lists:seq(1, 100000)), timer:sleep(3), $work().
]==],
  },
  -- The wall clock of the machine is set, forwards or back, by half a minute to an hour; in the twin by what a daemon
  -- that keeps time corrects. Of this machine only the node sees it: the clock is a library's, loaded before libc.
  {
    name = "clock_jump",
    truth = { { mechanism = "clock_jump", objects = { "clock*", "system clock", "wall clock", "system time*",
      "time offset", "time_offset", "os_system_time" } } },
    draw = { step_ms = { 30000, 4000000 }, back = { 0, 1 }, after_ms = { 100, 600 } }, twin = { step_ms = 30 },
    within = { "sh", "-c", 'head -c 8 /dev/zero > $hand; export STEPPED_CLOCK="$PWD/$hand" LD_PRELOAD="' .. CLOCK
      .. '"; exec "$@"', "sh" },
    source = [==[
start() -> spawn(fun() -> timer:sleep($after_ms), $turn((1 - 2 * $back) * $step_ms * 1000000) end).
$turn(Ns) ->
  {ok, F} = file:open("$hand", [read, write, raw, binary]),
  ok = file:pwrite(F, 0, <<Ns:64/signed-native>>),
  file:close(F),
  receive $never -> ok end.
]==],
  },
}
