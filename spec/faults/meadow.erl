-module(meadow).
-export([start/0]).

start() -> spawn(fun() -> register(clover, self()), grow() end).

grow() ->
  [spawn(fun stem/0) || _ <- lists:seq(1, 50)],
  timer:sleep(10),
  grow().

stem() ->
  receive {sun, _} -> ok end.
