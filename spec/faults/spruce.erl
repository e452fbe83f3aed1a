-module(spruce).
-export([start/0]).

start() -> spawn(fun() -> register(cone, self()), seed(1) end).

seed(I) ->
  M = list_to_atom("needle_" ++ integer_to_list(I)),
  {ok, M, B} = compile:forms([{attribute, 1, module, M}, {attribute, 2, export, [{r, 0}]},
    {function, 3, r, 0, [{clause, 3, [], [], [{integer, 3, I}]}]}]),
  {module, M} = code:load_binary(M, "needle", B),
  timer:sleep(20),
  seed(I + 1).
