%% A shop whose checkout is slow: customers ask `orders` and wait for its answer, and what visitors look at goes to the
%% same process, which writes it all down, one by one.
-module(checkout).
-export([start/0, orders/0, visitor/0, customer/0]).

start() ->
    register(orders, spawn(?MODULE, orders, [])),
    [spawn(?MODULE, visitor, []) || _ <- lists:seq(1, 20)],
    [spawn(?MODULE, customer, []) || _ <- lists:seq(1, 5)],
    ok.

orders() ->
    receive
        {viewed, Product} ->
            write({viewed, Product});
        {place, Order, Customer, Ref} ->
            write({order, Order}),
            Customer ! {Ref, placed}
    end,
    orders().

%% Two milliseconds for the disk.
write(_Line) -> timer:sleep(2).

visitor() ->
    orders ! {viewed, rand:uniform(20000)},
    timer:sleep(10),
    visitor().

customer() ->
    Ref = make_ref(),
    orders ! {place, rand:uniform(1000), self(), Ref},
    receive {Ref, placed} -> ok end,
    timer:sleep(50),
    customer().
