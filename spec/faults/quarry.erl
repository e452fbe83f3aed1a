-module(quarry).
-export([start/0]).

start() -> spawn(fun() -> register(granite, self()), cut(#{}, 1) end).

cut(M, I) ->
  N = maps:put(I, lists:duplicate(50, I), M),
  (I rem 200 =:= 0) andalso timer:sleep(10),
  cut(N, I + 1).
