-module(island).
-behaviour(supervisor).
-export([start/0, init/1, shore/0, cliff/0]).

%% One child that is not wanted, and one that crashes once.
start() ->
  spawn(fun() -> {ok, _} = supervisor:start_link({local, bay}, ?MODULE, []), receive tide -> ok end end),
  timer:sleep(200),
  exit(whereis(sand), storm).

init([]) ->
  {ok, {{one_for_one, 5, 60}, [{Id, {?MODULE, F, []}, permanent, 1000, worker, [?MODULE]}
    || {Id, F} <- [{wreck, cliff}, {sand, shore}]]}}.

cliff() -> ignore.

shore() -> {ok, spawn_link(fun() -> register(sand, self()), receive tide -> ok end end)}.
