-module(shoal).
-export([start/0]).

start() ->
  spawn(fun() ->
    Bs = [binary:copy(<<I:32>>, 750) || I <- lists:seq(1, 100000)],
    _ = length(Bs),
    register(sandbar, self()),
    erlang:garbage_collect(),
    lie()
  end).

lie() ->
  receive slide -> lie() end.
