-module(thrush).
-export([start/0]).

start() -> [spawn(fun() -> sing(1) end) || _ <- lists:seq(1, 4)].

sing(I) ->
  logger:notice("verse ~p in ~p ms", [I, 3]),
  timer:sleep(4),
  sing(I + 1).
