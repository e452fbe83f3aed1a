-module(glacier).
-export([start/0]).

start() ->
  _ = [list_to_atom("ice_" ++ integer_to_list(I)) || I <- lists:seq(1, 100000)],
  ok.
