-module(shoal).
-export([start/0]).

start() ->
  Me = self(),
  spawn(fun() ->
    Bs = [binary:copy(<<I:32>>, 750) || I <- lists:seq(1, 100000)],
    _ = length(Bs),
    register(sandbar, self()),
    erlang:garbage_collect(),
    Me ! up,
    lie()
  end),
  receive up -> ok end.

lie() ->
  receive slide -> lie() end.
