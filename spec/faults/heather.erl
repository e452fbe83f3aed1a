-module(heather).
-export([start/0]).

start() ->
  spawn(fun() ->
    register(moor, self()),
    S = spawn(fun moth/0),
    bloom(S, erlang:monotonic_time(millisecond))
  end).

moth() ->
  receive dusk -> ok after 1000 -> ok end,
  moth().

bloom(S, T) ->
  timer:sleep(10),
  Now = erlang:monotonic_time(millisecond),
  [erlang:monitor(process, S) || _ <- lists:seq(1, 30 * (Now - T))],
  bloom(S, Now).
