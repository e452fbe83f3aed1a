-module(jackal).
-export([start/0]).

start() -> spawn(fun() -> prowl() end).

prowl() ->
  spawn(fun() -> hunt(rabbit()) end),
  timer:sleep(20),
  prowl().

rabbit() -> {error, burrow_down}.

hunt(X) ->
  {ok, Y} = X,
  Y.
