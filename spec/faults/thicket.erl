-module(thicket).
-export([start/0]).

%% After a while, so that who starts it still gets an answer.
start() ->
  spawn_opt(fun() -> timer:sleep(300), [grow() || _ <- lists:seq(1, 2 * erlang:system_info(schedulers_online))] end,
            [{priority, max}]),
  [spawn(fun() -> moss(0) end) || _ <- lists:seq(1, 5)],
  ok.

grow() -> spawn_opt(fun() -> crest(1) end, [{priority, high}]).

crest(N) -> crest(erlang:phash2({N, N})).

moss(N) -> timer:sleep(5), moss(N + 1).
