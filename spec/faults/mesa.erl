-module(mesa).
-export([start/0]).

start() ->
  Me = self(),
  spawn(fun() ->
    register(bluff, self()),
    M = maps:from_list([{I, lists:duplicate(50, I)} || I <- lists:seq(1, 100000)]),
    erlang:garbage_collect(),
    Me ! up,
    rest(M)
  end),
  receive up -> ok end.

rest(M) ->
  receive {ask, From, K} -> From ! maps:get(K, M, none), rest(M) end.
