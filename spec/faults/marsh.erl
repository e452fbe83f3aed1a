-module(marsh).
-behaviour(supervisor).
-export([start/0, init/1, reed/0]).

start() ->
  Me = self(),
  spawn(fun() ->
    {ok, _} = supervisor:start_link({local, bog}, ?MODULE, []),
    Me ! up,
    sow()
  end),
  receive up -> ok end.

init([]) ->
  {ok, {{simple_one_for_one, 10, 5}, [{frog, {?MODULE, reed, []}, temporary, 1000, worker, [?MODULE]}]}}.

reed() -> {ok, spawn_link(fun() -> timer:sleep(100) end)}.

sow() ->
  supervisor:start_child(bog, []),
  timer:sleep(10),
  sow().
