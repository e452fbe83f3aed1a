-module(otter).
-export([start/0]).

start() -> spawn(fun() -> dive() end).

dive() ->
  spawn_opt(fun() -> length(lists:seq(1, 2000000)) end,
            [{max_heap_size, #{size => 200000, kill => true, error_logger => true}}]),
  timer:sleep(50),
  dive().
