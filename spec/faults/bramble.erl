-module(bramble).
-export([start/0]).

start() ->
    erlang:system_flag(schedulers_online, 1),
    [spawn(fun thorn/0) || _ <- lists:seq(1, 40)].

thorn() -> _ = lists:sum(lists:seq(1, 20000)), timer:sleep(1), thorn().
