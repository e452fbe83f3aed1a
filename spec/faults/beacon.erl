-module(beacon).
-export([start/0]).

start() -> spawn(fun() -> register(lamp, self()), shine(1, erlang:monotonic_time(millisecond)) end).

shine(I, T) ->
  timer:sleep(10),
  Now = erlang:monotonic_time(millisecond),
  [put({ray, I, J}, lists:seq(1, 8)) || J <- lists:seq(1, 2 * (Now - T))],
  shine(I + 1, Now).
