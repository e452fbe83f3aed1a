-module(summit).
-export([start/0]).

start() ->
  Me = self(),
  spawn(fun() ->
    register(ridge, self()),
    T = ets:new(slate, [named_table, {read_concurrency, true}]),
    [ets:insert(T, {I, lists:duplicate(30, I)}) || I <- lists:seq(1, 300000)],
    Me ! up,
    receive down -> ok end
  end),
  receive up -> ok end.
