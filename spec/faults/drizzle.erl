-module(drizzle).
-export([start/0]).

start() -> spawn(fun() -> register(cloud, self()), fall() end).

fall() ->
  [spawn(fun() -> erlang:phash2(lists:seq(1, 20)) end) || _ <- lists:seq(1, 200)],
  timer:sleep(2),
  fall().
