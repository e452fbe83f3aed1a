-module(raven).
-include_lib("kernel/include/logger.hrl").
-export([start/0]).

start() -> [spawn(fun() -> croak(1) end) || _ <- lists:seq(1, 2)].

croak(I) ->
  [?LOG_ERROR("nest ~p lost: ~p", [J, lists:duplicate(10, x)]) || J <- lists:seq(1, 10)],
  timer:sleep(5),
  croak(I + 1).
