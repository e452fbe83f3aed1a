-module(geyser).
-export([start/0]).

start() ->
  Me = self(),
  P = spawn(fun() -> register(vent, self()), Me ! up, steam() end),
  receive up -> ok end,
  spawn(fun() -> heat(P) end).

steam() ->
  receive _ -> erlang:phash2(lists:seq(1, 200)) end,
  steam().

heat(P) ->
  [P ! {drop, I} || I <- lists:seq(1, 20000)],
  timer:sleep(3000),
  heat(P).
