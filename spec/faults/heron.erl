-module(heron).
-export([start/0]).

%% A few crashes at once, and no more.
start() ->
  [spawn(fun() -> stand(mud()) end) || _ <- lists:seq(1, 8)],
  ok.

mud() -> {error, low_tide}.

stand(X) ->
  {ok, Y} = X,
  Y.
