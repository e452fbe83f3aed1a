-module(orchard).
-export([start/0]).

start() ->
  spawn(fun() ->
    register(pear, self()),
    T = ets:new(plum, [named_table, public, ordered_set]),
    pick(T, 1)
  end).

pick(T, I) ->
  ets:insert(T, {I, lists:duplicate(30, I)}),
  (I rem 500 =:= 0) andalso timer:sleep(10),
  pick(T, I + 1).
