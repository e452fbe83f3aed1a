-module(basalt).
-export([start/0]).

start() ->
  [spawn(fun() -> cool(lists:seq(1, 200000)) end) || _ <- lists:seq(1, 20)],
  spawn(fun() -> register(column, self()), flow(1) end).

cool(L) ->
  receive heat -> cool(L) end.

flow(I) ->
  persistent_term:put(magma, #{v => I, d => lists:seq(1, 1000)}),
  timer:sleep(5),
  flow(I + 1).
