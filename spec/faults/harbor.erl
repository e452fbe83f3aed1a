-module(harbor).
-export([start/0]).

start() ->
  Me = self(),
  P = spawn(fun() -> register(pier, self()), Me ! up, take() end),
  receive up -> ok end,
  spawn(fun() -> give(P) end).

take() ->
  receive _ -> timer:sleep(5) end,
  take().

give(P) ->
  [P ! {box, I, lists:seq(1, 20)} || I <- lists:seq(1, 50)],
  timer:sleep(10),
  give(P).
