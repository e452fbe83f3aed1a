%% A stand-in for an Ecto repo on PostgreSQL, for specs: the functions of its documentation that a
%% skill may call, with what they return and raise there, by the driver p1_pgsql on a small pool. Like
%% Postgrex it takes one statement at a time, wants parameters of the right types, and gives integers, floats,
%% booleans and text as they are but numeric and times as structs, which nobody here can read.
-module('Elixir.Shop.Repo').
-export([start/4, stop/0, '__adapter__'/0, query/3, transaction/2, rollback/1]).

-define(POOL, 'Elixir.Shop.Repo').
-define(EVENT, [shop, repo, query]).
-define(QUEUE_MS, 300).

'__adapter__'() -> 'Elixir.Ecto.Adapters.Postgres'.

%% The pool: free connections, and who waits. A connection whose user died is thrown away.
start(Port, User, Database, Size) ->
    Me = self(),
    Connect = fun() ->
        {ok, Db} = pgsql:connect([{host, "127.0.0.1"}, {port, Port}, {user, User}, {database, Database},
                                  {password, ""}, {as_binary, true}]),
        Db end,
    Pid = spawn(fun() ->
        register(?POOL, self()),
        Free = [Connect() || _ <- lists:seq(1, Size)],
        Me ! {shop_started, self()},
        pool(Connect, Free, [], #{})
    end),
    receive {shop_started, Pid} -> ok after 10000 -> error(no_database) end.

stop() ->
    Ref = monitor(process, ?POOL),
    ?POOL ! stop,
    receive {'DOWN', Ref, _, _, _} -> ok end.

pool(Connect, [Db | Free], [{Pid, Tag} | Waiting], Out) ->
    Ref = monitor(process, Pid),
    Pid ! {Tag, Db},
    pool(Connect, Free, Waiting, Out#{Ref => Db});
pool(Connect, Free, Waiting, Out) ->
    receive
        {checkout, Pid, Tag} -> pool(Connect, Free, Waiting ++ [{Pid, Tag}], Out);
        {cancel, Pid, Tag} ->
            pool(Connect, Free, lists:delete({Pid, Tag}, Waiting), Out);
        {checkin, Db} ->
            [Ref] = [R || {R, D} <- maps:to_list(Out), D =:= Db],
            demonitor(Ref, [flush]),
            pool(Connect, [Db | Free], Waiting, maps:remove(Ref, Out));
        {'DOWN', Ref, _, _, _} ->
            Db = maps:get(Ref, Out),
            exit(Db, kill),
            pool(Connect, [Connect() | Free], Waiting, maps:remove(Ref, Out));
        {count, Pid} ->
            Pid ! {length(Free), length(Waiting)},
            pool(Connect, Free, Waiting, Out);
        stop ->
            [exit(Db, kill) || Db <- Free ++ maps:values(Out)]
    end.

checkout() ->
    Tag = make_ref(),
    ?POOL ! {checkout, self(), Tag},
    receive {Tag, Db} -> Db
    after ?QUEUE_MS ->
        ?POOL ! {cancel, self(), Tag},
        receive {Tag, Db} -> Db
        after 0 ->
            #{'__struct__' => 'Elixir.DBConnection.ConnectionError', '__exception__' => true, severity => error,
              reason => queue_timeout,
              message => <<"connection not available and request was dropped from queue after 300ms.">>}
        end
    end.

transaction(Fun, Opts) ->
    case checkout() of
        #{} = Error -> report(<<"begin">>, [], Opts, #{queue_time => native(?QUEUE_MS)}, {error, Error}), error(Error);
        Db ->
            put(shop_db, Db),
            run(Db, "BEGIN", [], Opts),
            try Fun() of
                Value -> run(Db, "COMMIT", [], Opts), {ok, Value}
            catch
                throw:{shop_rollback, Value} -> run(Db, "ROLLBACK", [], Opts), {error, Value};
                Class:Reason:Stack -> run(Db, "ROLLBACK", [], Opts), erlang:raise(Class, Reason, Stack)
            after
                erase(shop_db),
                ?POOL ! {checkin, Db}
            end
    end.

rollback(Value) ->
    undefined =/= get(shop_db) orelse error(#{'__struct__' => 'Elixir.RuntimeError', '__exception__' => true,
                                              message => <<"cannot call rollback outside of transaction">>}),
    throw({shop_rollback, Value}).

query(Sql, Params, Opts) when is_binary(Sql), is_list(Params), is_list(Opts) ->
    case get(shop_db) of
        undefined ->
            From = erlang:monotonic_time(),
            case checkout() of
                #{} = Error ->
                    report(Sql, Params, Opts, #{queue_time => erlang:monotonic_time() - From}, {error, Error}),
                    {error, Error};
                Db ->
                    Waited = erlang:monotonic_time() - From,
                    try run(Db, Sql, Params, [{shop_waited, Waited} | Opts]) after ?POOL ! {checkin, Db} end
            end;
        Db -> run(Db, Sql, Params, Opts)
    end.

run(Db, Sql, Params, Opts) ->
    From = erlang:monotonic_time(),
    Result = ask(Db, iolist_to_binary(Sql), Params),
    Took = erlang:monotonic_time() - From,
    Waited = case lists:keyfind(shop_waited, 1, Opts) of {_, W} -> #{queue_time => W}; false -> #{} end,
    report(iolist_to_binary(Sql), Params, Opts, Waited#{query_time => Took, decode_time => 1000}, Result),
    Result.

%% As Ecto.Adapters.SQL does: what was not measured is not there, total_time is the sum.
report(Sql, Params, Opts, Times, Result) ->
    case lists:keyfind(telemetry_event, 1, Opts) of
        {_, nil} -> ok;
        _ ->
            Total = lists:sum(maps:values(Times)),
            Source = case lists:keyfind(source, 1, Opts) of {_, S} -> S; false -> nil end,
            telemetry:execute(?EVENT, Times#{total_time => Total},
                #{type => ecto_sql_query, repo => ?MODULE, result => Result, params => Params, query => Sql,
                  source => Source, stacktrace => nil, options => []})
    end.

native(Ms) -> erlang:convert_time_unit(Ms, millisecond, native).

ask(Db, Sql, []) ->
    binary:match(Sql, <<";">>) =:= nomatch orelse error({several_statements, Sql}),
    result(squery(Db, Sql), Sql);
ask(Db, Sql, Params) ->
    case pgsql:prepare(Db, "shop", Sql) of
        {error, Error} -> result([{error, Error}], Sql);
        {ok, _, Types, _} ->
            Values = lists:join(", ", lists:zipwith(fun literal/2, Types, Params)),
            Answer = squery(Db, iolist_to_binary(["EXECUTE shop(", Values, ")"])),
            ok = pgsql:unprepare(Db, "shop"),
            result(Answer, Sql)
    end.

squery(Db, Sql) -> {ok, Answer} = pgsql:squery(Db, Sql, infinity), Answer.

literal(_, nil) -> "NULL";
literal(T, V) when is_integer(V), (T =:= int2 orelse T =:= int4 orelse T =:= int8 orelse T =:= oid) ->
    integer_to_list(V);
literal(T, V) when is_number(V), (T =:= float4 orelse T =:= float8) -> io_lib:format("~w", [V]);
literal(T, V) when is_binary(V), (T =:= text orelse T =:= varchar orelse T =:= name) ->
    [$', binary:replace(V, <<"'">>, <<"''">>, [global]), $'];
literal(T, V) -> error(#{'__struct__' => 'Elixir.DBConnection.EncodeError', '__exception__' => true,
                         message => iolist_to_binary(io_lib:format("~p is no ~p", [V, T]))}).

result(Answer, Sql) ->
    case lists:keyfind(error, 1, Answer) of
        {_, Error} -> {error, refused(Error, Sql)};
        false ->
            case lists:last(Answer) of
                {Command, Columns, Rows} ->
                    Decoded = [lists:zipwith(fun({_, _, _, Oid, _, _, _}, V) -> value(Oid, V) end, Columns, Row)
                               || Row <- Rows],
                    {ok, answer(Command, [element(1, C) || C <- Columns], Decoded, length(Rows))};
                Command -> {ok, answer(Command, nil, nil, 0)}
            end
    end.

answer(Command, Columns, Rows, N) ->
    #{'__struct__' => 'Elixir.Postgrex.Result', command => Command, columns => Columns, rows => Rows, num_rows => N,
      connection_id => 1, messages => []}.

value(_, null) -> nil;
value(16, V) -> V =:= <<"t">>;
value(Oid, V) when Oid =:= 20; Oid =:= 21; Oid =:= 23; Oid =:= 26; Oid =:= 28 -> binary_to_integer(V);
value(Oid, V) when Oid =:= 700; Oid =:= 701 -> try binary_to_float(V) catch error:badarg -> float(binary_to_integer(V)) end;
value(Oid, V) when Oid =:= 25; Oid =:= 19; Oid =:= 1043; Oid =:= 18 -> V;
value(2278, _) -> void;
value(1700, V) -> #{'__struct__' => 'Elixir.Decimal', coef => V};
value(1184, V) -> #{'__struct__' => 'Elixir.DateTime', text => V};
value(1114, V) -> #{'__struct__' => 'Elixir.NaiveDateTime', text => V};
value(1186, V) -> #{'__struct__' => 'Elixir.Postgrex.Interval', text => V};
value(Oid, V) -> #{'__struct__' => 'Elixir.Unknown', oid => Oid, text => V}.

refused(Error, Sql) ->
    Code = proplists:get_value(code, Error),
    #{'__struct__' => 'Elixir.Postgrex.Error', '__exception__' => true, message => nil, connection_id => 1, query => Sql,
      postgres => #{code => code(Code), pg_code => Code, message => proplists:get_value(message, Error),
                    severity => <<"ERROR">>}}.

code(<<"25006">>) -> read_only_sql_transaction;
code(<<"42P01">>) -> undefined_table;
code(<<"42501">>) -> insufficient_privilege;
code(<<"55000">>) -> object_not_in_prerequisite_state;
code(<<"55P03">>) -> lock_not_available;
code(<<"57014">>) -> query_canceled;
code(<<"23505">>) -> unique_violation;
code(Other) -> binary_to_atom(Other).
