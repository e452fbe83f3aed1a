-module(beacon).
-export([start/0]).

start() -> spawn(fun() -> register(lamp, self()), shine(1) end).

shine(I) ->
  [put({ray, I, J}, lists:seq(1, 30)) || J <- lists:seq(1, 20)],
  timer:sleep(10),
  shine(I + 1).
