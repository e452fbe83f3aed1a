-module(maple).
-export([start/0]).

start() ->
  Me = self(),
  P = spawn(fun() -> register(birch, self()), Me ! up, timer:sleep(300), step() end),
  receive up -> ok end,
  [P ! {leaf, I} || I <- lists:seq(1, 200000)],
  ok.

step() ->
  receive {root, wanted, _} -> ok after 0 -> ok end,
  step().
