-module(plover).
-export([start/0]).

start() -> [spawn(fun() -> wade(2000) end) || _ <- lists:seq(1, 4 * erlang:system_info(dirty_cpu_schedulers))].

wade(Ms) -> erts_debug:dirty_cpu(wait, Ms), timer:sleep(5), wade(Ms).
