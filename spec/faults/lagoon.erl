-module(lagoon).
-export([start/0]).

start() -> spawn(fun() -> register(heron, self()), dip(1) end).

dip(I) ->
  T = ets:new(reed, [public]),
  ets:insert(T, {I, lists:seq(1, 50)}),
  timer:sleep(5),
  dip(I + 1).
