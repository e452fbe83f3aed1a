-module(tundra).
-export([start/0]).

start() -> spawn(fun() -> register(lichen, self()), walk(1) end).

walk(I) ->
  _ = [list_to_atom("moss_" ++ integer_to_list(I * 50 + J)) || J <- lists:seq(1, 50)],
  timer:sleep(5),
  walk(I + 1).
