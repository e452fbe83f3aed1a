-module(reef).
-behaviour(supervisor).
-export([start/0, init/1, coral/0]).

start() ->
  spawn(fun() -> {ok, _} = supervisor:start_link({local, atoll}, ?MODULE, []), receive tide -> ok end end).

init([]) ->
  {ok, {{one_for_one, 1000, 5}, [{polyp, {?MODULE, coral, []}, permanent, 1000, worker, [?MODULE]}]}}.

coral() -> {ok, spawn_link(fun() -> timer:sleep(20), exit(econnrefused) end)}.
