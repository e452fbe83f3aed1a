%% Clients of a RabbitMQ, by its own library, in a node of their own. What one plants stays until stop/0.
-module(broker).
-export([load/3, pool/2, churn/2, leak/3, pile/3, stop/0, name/1]).

%% As the protocol has them; Debian ships the library without its headers.
-record('queue.declare', {ticket = 0, queue = <<>>, passive = false, durable = false, exclusive = false,
                          auto_delete = true, nowait = false, arguments = []}).
-record('basic.qos', {prefetch_size = 0, prefetch_count = 0, global = false}).
-record('basic.consume', {ticket = 0, queue = <<>>, consumer_tag = <<>>, no_local = false, no_ack = false,
                          exclusive = false, nowait = false, arguments = []}).
-record('basic.publish', {ticket = 0, exchange = <<>>, routing_key = <<>>, mandatory = false, immediate = false}).
-record('basic.ack', {delivery_tag = 0, multiple = false}).
-record('confirm.select', {nowait = false}).

%% Pairs of a publisher and a consumer, each with a connection and a queue of its own; Pause 0 is as fast as it goes.
%% A queue has a length limit: where a consumer is slower than its publisher, it would else grow, and that is no health.
load(Port, Pairs, Pause) ->
    [begin
         Queue = queue(I),
         consume(open(Port), Queue, 1),
         Connection = open(Port),
         spawn(fun() -> publish(confirmed(Connection), Queue, 500, Pause) end)
     end || I <- lists:seq(1, Pairs)],
    ok.

%% One connection with many channels, each in use.
pool(Port, Channels) -> consume(open(Port), queue(pool), Channels).

%% Channels that are opened and closed again.
churn(Port, Pause) ->
    Connection = open(Port),
    spawn(fun Go() ->
        {ok, Channel} = amqp_connection:open_channel(Connection),
        amqp_channel:close(Channel),
        timer:sleep(Pause),
        Go() end),
    ok.

%% One connection that opens channels up to a number and closes none. Gives the name that the server calls it by.
leak(Port, Channels, Pause) ->
    Connection = open(Port),
    spawn(fun() -> [begin {ok, _} = amqp_connection:open_channel(Connection), timer:sleep(Pause) end
                    || _ <- lists:seq(1, Channels)] end),
    name(Connection).

%% A publisher whose messages nobody fetches.
pile(Port, Bytes, Pause) ->
    Connection = open(Port),
    Queue = queue(pile),
    {ok, Channel} = amqp_connection:open_channel(Connection),
    amqp_channel:call(Channel, #'queue.declare'{queue = Queue}),
    spawn(fun() -> publish(Channel, Queue, Bytes, Pause) end),
    name(Connection).

%% All clients end, as if their machine went.
stop() -> application:stop(amqp_client).

queue(X) -> iolist_to_binary(io_lib:format("orders ~w", [X])).

open(Port) ->
    {ok, _} = application:ensure_all_started(amqp_client),
    {ok, Connection} = amqp_connection:start({amqp_params_network, <<"guest">>, <<"guest">>, <<"/">>, "127.0.0.1", Port,
        2047, 0, 10, 60000, none, [fun amqp_auth_mechanisms:plain/3], [], []}),
    Connection.

confirmed(Connection) ->
    {ok, Channel} = amqp_connection:open_channel(Connection),
    amqp_channel:call(Channel, #'confirm.select'{}),
    Channel.

consume(Connection, Queue, Channels) ->
    [spawn(fun() ->
        {ok, Channel} = amqp_connection:open_channel(Connection),
        amqp_channel:call(Channel, #'queue.declare'{queue = Queue,
            arguments = [{<<"x-max-length">>, signedint, 1000}]}),
        amqp_channel:call(Channel, #'basic.qos'{prefetch_count = 20}),
        amqp_channel:subscribe(Channel, #'basic.consume'{queue = Queue}, self()),
        take(Channel) end) || _ <- lists:seq(1, Channels)],
    ok.

take(Channel) ->
    receive
        {Deliver, _} when element(1, Deliver) =:= 'basic.deliver' ->
            amqp_channel:cast(Channel, #'basic.ack'{delivery_tag = element(3, Deliver)});
        _ -> ok
    end,
    take(Channel).

publish(Channel, Queue, Bytes, Pause) ->
    Message = {amqp_msg, erlang:make_tuple(15, undefined, [{1, 'P_basic'}]), binary:copy(<<"x">>, Bytes)},
    (fun Go(I) ->
        amqp_channel:call(Channel, #'basic.publish'{routing_key = Queue}, Message),
        Pause =:= 0 andalso I rem 100 =:= 0 andalso amqp_channel:wait_for_confirms(Channel),
        Pause > 0 andalso timer:sleep(Pause),
        Go(I + 1) end)(1).

%% 127.0.0.1:40000 -> 127.0.0.1:5672, as RabbitMQ calls a connection.
name(Connection) ->
    [{sock, Socket}] = amqp_connection:info(Connection, [sock]),
    {ok, {_, Ours}} = inet:sockname(Socket),
    {ok, {_, Theirs}} = inet:peername(Socket),
    iolist_to_binary(io_lib:format("127.0.0.1:~w -> 127.0.0.1:~w", [Ours, Theirs])).
