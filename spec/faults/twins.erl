-module(twins).
-behaviour(gen_server).
-export([start/0, init/1, handle_call/3, handle_cast/2]).

start() ->
  {ok, _} = gen_server:start({local, castor}, ?MODULE, [], []),
  {ok, _} = gen_server:start({local, pollux}, ?MODULE, [], []),
  gen_server:cast(castor, {ask, pollux}),
  gen_server:cast(pollux, {ask, castor}),
  spawn(fun knock/0).

init([]) -> {ok, none}.

handle_call(_, _, S) -> {reply, ok, S}.

handle_cast({ask, Other}, S) ->
  timer:sleep(100),
  gen_server:call(Other, ping, infinity),
  {noreply, S}.

knock() ->
  spawn(fun() -> gen_server:call(castor, ping, infinity) end),
  timer:sleep(200),
  knock().
