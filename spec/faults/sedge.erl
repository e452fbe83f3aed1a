-module(sedge).
-export([start/0]).

start() -> spawn(fun() -> register(rush, self()), bank() end).

bank() -> _ = length(grow([], 1)), timer:sleep(1), bank().

grow(S, 5000) -> S;
grow(S, I) -> grow(S ++ [I rem 128], I + 1).
