-module(dune).
-export([start/0]).

start() ->
  spawn(fun() ->
    register(oasis, self()),
    {ok, L} = gen_tcp:listen(0, [binary, {active, false}, {ip, {127, 0, 0, 1}}]),
    {ok, Port} = inet:port(L),
    spawn(fun() -> drift(Port) end),
    {ok, S} = gen_tcp:accept(L),
    blow(S)
  end).

drift(Port) ->
  {ok, S} = gen_tcp:connect({127, 0, 0, 1}, Port, [binary, {active, false}, {recbuf, 4096}]),
  sip(S).

sip(S) ->
  {ok, _} = gen_tcp:recv(S, 0),
  sip(S).

blow(S) ->
  gen_tcp:send(S, binary:copy(<<1>>, 500000)),
  blow(S).
