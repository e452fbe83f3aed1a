-module(copper).
-export([start/0]).

start() ->
  Me = self(),
  P = spawn(fun() -> register(nickel, self()), Me ! up, turn() end),
  receive up -> ok end,
  spawn(fun() -> send(P) end).

turn() ->
  receive {coin, _} -> ok end,
  turn().

send(P) ->
  [P ! {make_ref(), plate} || _ <- lists:seq(1, 100)],
  timer:sleep(10),
  send(P).
