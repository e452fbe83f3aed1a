-module(poplar).
-export([start/0]).

start() ->
  Me = self(),
  spawn(fun() ->
    register(trunk, self()),
    {ok, L} = gen_tcp:listen(0, [binary, {active, false}, {backlog, 1000}, {ip, {127, 0, 0, 1}}]),
    {ok, Port} = inet:port(L),
    Held = [begin
      {ok, C} = gen_tcp:connect({127, 0, 0, 1}, Port, [binary, {active, false}]),
      {ok, S} = gen_tcp:accept(L),
      {C, S}
    end || _ <- lists:seq(1, 200)],
    Me ! up,
    receive {axe, Held} -> ok end
  end),
  receive up -> ok end.
