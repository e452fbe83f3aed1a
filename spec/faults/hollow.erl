-module(hollow).
-export([start/0]).

start() ->
  Me = self(),
  P = spawn(fun() -> register(badger, self()), Me ! up, dig() end),
  receive up -> ok end,
  spawn(fun() -> erlang:suspend_process(P), receive never -> ok end end),
  spawn(fun() -> poke(P) end).

dig() ->
  receive _ -> ok end,
  dig().

poke(P) ->
  [P ! {dirt, I} || I <- lists:seq(1, 20)],
  timer:sleep(2),
  poke(P).
