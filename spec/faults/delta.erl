-module(delta).
-export([start/0]).

start() ->
  [spawn(fun() -> flow(I) end) || I <- lists:seq(1, 40 * erlang:system_info(schedulers_online))],
  ok.

flow(N) -> flow(erlang:phash2({N, N})).
