-module(wren).
-export([start/0]).

%% A start that writes much at once, then now and then a line.
start() -> spawn(fun() -> [logger:notice("egg ~p", [I]) || I <- lists:seq(1, 3000)], hop(1) end).

hop(I) ->
  logger:warning("hop ~p", [I]),
  timer:sleep(200),
  hop(I + 1).
