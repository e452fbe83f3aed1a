%% A small shop for the demo: checkouts write orders, a cache keeps products, sessions come and
%% go, a worker prints invoices. One of these is sick, and `beamlens-run` has to say which.
-module(shop).
-export([start/0]).

start() -> spawn(fun open/0).

open() ->
    ets:new(products, [named_table, public, {read_concurrency, true}]),
    ets:insert(products, [{N, {product, N, N * 100}} || N <- lists:seq(1, 20000)]),
    register(invoices, spawn(fun invoices/0)),
    [spawn(fun() -> checkout(N) end) || N <- lists:seq(1, 20)],
    [spawn(fun() -> visitors(N) end) || N <- lists:seq(1, 5)],
    timer:sleep(infinity).

%% Every checkout asks for an invoice and does not wait for it.
checkout(N) ->
    [{_, {product, Id, Price}}] = ets:lookup(products, rand:uniform(20000)),
    invoices ! {print, N, [{Id, Price} || _ <- lists:seq(1, 10)]},
    timer:sleep(10),
    checkout(N).

%% Two milliseconds to print one, and only one printer.
invoices() ->
    receive {print, Customer, Lines} -> print(Customer, Lines) end,
    invoices().

print(_Customer, Lines) ->
    _ = lists:sum([Price || {_, Price} <- Lines]),
    timer:sleep(2).

%% Visitors look around for a while and leave.
visitors(N) ->
    spawn(fun() -> _ = [ets:lookup(products, I) || I <- lists:seq(1, 100)], timer:sleep(50) end),
    timer:sleep(20),
    visitors(N).
