-module(prairie).
-export([start/0]).

start() ->
  [spawn(fun blade/0) || _ <- lists:seq(1, 50000)],
  ok.

blade() ->
  receive rain -> blade() end.
