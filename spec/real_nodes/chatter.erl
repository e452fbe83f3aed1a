%% Clients of an XMPP server, over sockets, in a node of their own. They log in and write; what they are sent they read
%% and drop. They go on until stop/0.
-module(chatter).
-export([pairs/3, write/6, stop/0]).

%% Pairs of users who write to each other, each a message in so many milliseconds. Users are u1, u2, …
pairs(Port, Pairs, Pause) ->
    [write(Port, user(2 * I - Side), user(2 * I - 1 + Side), 200, Pause, infinity)
     || I <- lists:seq(1, Pairs), Side <- [0, 1]],
    ok.

user(I) -> iolist_to_binary(["u", integer_to_list(I)]).

%% One user who writes to another, so many times. Returns once the user is online.
write(Port, From, To, Bytes, Pause, Times) ->
    Self = self(),
    Pid = spawn(fun() ->
        Socket = online(Port, From),
        Self ! {self(), online},
        say(Socket, To, binary:copy(<<"x">>, Bytes), Pause, Times) end),
    true = ets:insert(clients(), {Pid}),
    receive {Pid, online} -> ok after 20000 -> error({not_online, From}) end.

stop() -> [exit(Pid, kill) || {Pid} <- ets:tab2list(clients())], ets:delete_all_objects(clients()), ok.

clients() ->
    case whereis(chatters) of
        undefined ->
            Self = self(),
            spawn(fun() -> register(chatters, self()), ets:new(chatters, [named_table, public]), Self ! made,
                receive stop -> ok end end),
            receive made -> ok end;
        _ -> ok
    end,
    chatters.

online(Port, User) ->
    {ok, Socket} = gen_tcp:connect("127.0.0.1", Port, [binary, {active, false}, {nodelay, true}]),
    open(Socket),
    until(Socket, <<"</stream:features>">>),
    send(Socket, ["<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>",
        base64:encode(<<0, User/binary, 0, "secret">>), "</auth>"]),
    until(Socket, <<"<success">>),
    open(Socket),
    until(Socket, <<"</stream:features>">>),
    send(Socket, "<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>"),
    until(Socket, <<"</bind>">>),
    send(Socket, "<presence/>"),
    Socket.

open(Socket) ->
    send(Socket, "<?xml version='1.0'?><stream:stream to='localhost' version='1.0' xmlns='jabber:client' "
        "xmlns:stream='http://etherx.jabber.org/streams'>").

send(Socket, Text) -> ok = gen_tcp:send(Socket, Text).

until(Socket, Word) -> until(Socket, Word, <<>>).

until(Socket, Word, Seen) ->
    case binary:match(Seen, Word) of
        nomatch -> {ok, More} = gen_tcp:recv(Socket, 0, 20000), until(Socket, Word, <<Seen/binary, More/binary>>);
        _ -> ok
    end.

say(Socket, _, _, _, 0) -> inet:setopts(Socket, [{active, true}]), drop();
say(Socket, To, Body, Pause, Times) ->
    send(Socket, ["<message type='chat' to='", To, "@localhost'><body>", Body, "</body></message>"]),
    case gen_tcp:recv(Socket, 0, Pause) of
        {error, timeout} -> ok;
        {ok, _} -> timer:sleep(Pause)
    end,
    say(Socket, To, Body, Pause, case Times of infinity -> infinity; _ -> Times - 1 end).

drop() -> receive _ -> drop() end.
