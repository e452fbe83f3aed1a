-module(strait).
-export([start/0]).

start() ->
  Me = self(),
  spawn(fun() -> register(ferry, self()), Me ! up, cross() end),
  receive up -> ok end,
  [spawn(fun ride/0) || _ <- lists:seq(1, 500)],
  ok.

cross() ->
  receive {seat, F, R} -> _ = erlang:phash2(lists:seq(1, 3000)), F ! {ok, R} end,
  cross().

ride() ->
  R = make_ref(),
  ferry ! {seat, self(), R},
  receive {ok, R} -> ok end,
  ride().
