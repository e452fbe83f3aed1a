-module(heather).
-export([start/0]).

start() ->
  spawn(fun() ->
    register(moor, self()),
    S = spawn(fun moth/0),
    bloom(S)
  end).

moth() ->
  receive dusk -> ok after 1000 -> ok end,
  moth().

bloom(S) ->
  [erlang:monitor(process, S) || _ <- lists:seq(1, 300)],
  timer:sleep(10),
  bloom(S).
