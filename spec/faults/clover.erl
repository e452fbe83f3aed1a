-module(clover).
-export([start/0]).

%% Many monitors, and as many taken back as set.
start() ->
  Me = self(),
  spawn(fun() ->
    register(leaf, self()),
    S = spawn(fun bee/0),
    Ms = [erlang:monitor(process, S) || _ <- lists:seq(1, 5000)],
    Me ! up,
    turn(S, Ms)
  end),
  receive up -> ok end.

bee() ->
  receive dusk -> ok end.

turn(S, [R | T]) ->
  erlang:demonitor(R, [flush]),
  timer:sleep(2),
  turn(S, T ++ [erlang:monitor(process, S)]).
