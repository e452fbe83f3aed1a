-module(lantern).
-export([start/0]).

start() ->
  Me = self(),
  spawn(fun() ->
    T = spawn(fun wick/0),
    register(glow, T),
    erlang:trace(all, true, [send, 'receive', {tracer, T}]),
    Me ! up,
    receive dawn -> T end
  end),
  receive up -> ok end,
  spawn(fun flicker/0).

wick() ->
  receive _ -> timer:sleep(1) end,
  wick().

flicker() ->
  [self() ! I || I <- lists:seq(1, 10)],
  [receive I -> ok end || I <- lists:seq(1, 10)],
  timer:sleep(5),
  flicker().
