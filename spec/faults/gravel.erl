-module(gravel).
-export([start/0]).

start() ->
  Me = self(),
  spawn(fun() ->
    Bs = [binary:copy(<<I:32>>, 750) || I <- lists:seq(1, 100000)],
    put(pebble, [B || {B, I} <- lists:zip(Bs, lists:seq(1, 100000)), I rem 12 =:= 0]),
    register(scree, self()),
    erlang:garbage_collect(),
    Me ! up,
    lie()
  end),
  receive up -> ok end.

lie() ->
  receive slide -> lie() end.
