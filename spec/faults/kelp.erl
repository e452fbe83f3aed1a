-module(kelp).
-export([start/0]).

start() ->
  spawn(fun() ->
    register(anemone, self()),
    {ok, L} = gen_tcp:listen(0, [binary, {active, false}, {ip, {127, 0, 0, 1}}]),
    {ok, Port} = inet:port(L),
    spawn(fun() -> bob(Port) end),
    {ok, S} = gen_tcp:accept(L),
    sway(S)
  end).

bob(Port) ->
  {ok, S} = gen_tcp:connect({127, 0, 0, 1}, Port, [binary, {active, false}, {recbuf, 4096}]),
  receive {surf, S} -> ok end.

sway(S) ->
  gen_tcp:send(S, binary:copy(<<1>>, 500000)),
  sway(S).
