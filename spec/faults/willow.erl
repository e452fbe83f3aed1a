-module(willow).
-export([start/0]).

start() ->
  spawn(fun() ->
    register(catkin, self()),
    {ok, L} = gen_tcp:listen(0, [binary, {active, false}, {backlog, 1000}, {ip, {127, 0, 0, 1}}]),
    {ok, Port} = inet:port(L),
    bend(L, Port, [pair(L, Port) || _ <- lists:seq(1, 60)])
  end).

bend(L, Port, Held) ->
  timer:sleep(20),
  bend(L, Port, [pair(L, Port) | Held]).

pair(L, Port) ->
  {ok, C} = gen_tcp:connect({127, 0, 0, 1}, Port, [binary, {active, false}]),
  {ok, S} = gen_tcp:accept(L),
  [C, S].
