%% A shop that is busy with little to do: `prices` goes through the whole catalogue for each quote, and carts ask for one
%% again and again.
-module(pricing).
-export([start/0, prices/1, cart/0, quote/2]).

-define(PRODUCTS, 100000).

start() ->
    Catalogue = [{N, erlang:phash2(N)} || N <- lists:seq(1, ?PRODUCTS)],
    register(prices, spawn(?MODULE, prices, [Catalogue])),
    [spawn(?MODULE, cart, []) || _ <- lists:seq(1, 4)],
    ok.

prices(Catalogue) ->
    receive
        {quote, Product, Cart, Ref} ->
            Rank = quote(Product, Catalogue),
            Cart ! {Ref, Rank}
    end,
    ?MODULE:prices(Catalogue).

%% How many products are cheaper.
quote(Product, Catalogue) ->
    {_, Price} = lists:keyfind(Product, 1, Catalogue),
    cheaper(Price, Catalogue, 0).

cheaper(_, [], Count) -> Count;
cheaper(Price, [{_, P} | Rest], Count) when P < Price -> cheaper(Price, Rest, Count + 1);
cheaper(Price, [_ | Rest], Count) -> cheaper(Price, Rest, Count).

cart() ->
    Ref = make_ref(),
    prices ! {quote, rand:uniform(?PRODUCTS), self(), Ref},
    receive {Ref, _Rank} -> ok end,
    cart().
