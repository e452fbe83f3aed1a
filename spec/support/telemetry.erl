%% A stand-in for the library `telemetry`, for specs: the functions of its documentation, with the
%% behaviour that a handler meets. A handler runs in the process that executes the event, is copied out
%% of a table for it, and is detached from all of its events when it raises. For a
%% handler that is a fun of no module it writes a line to the log, in the process that attaches it.
-module(telemetry).
-export([start/0, attach/4, attach_many/4, detach/1, execute/3, list_handlers/1]).

start() ->
    Me = self(),
    spawn(fun() ->
        register(telemetry_handler_table, self()),
        ets:new(telemetry, [duplicate_bag, public, named_table, {read_concurrency, true}]),
        Me ! telemetry_started,
        receive stop -> ok end
    end),
    receive telemetry_started -> ok end.

attach(Id, Event, Function, Config) -> attach_many(Id, [Event], Function, Config).

attach_many(Id, Events, Function, Config) when is_function(Function, 4) ->
    [true = lists:all(fun is_atom/1, E) || E <- Events],
    case erlang:fun_info(Function, type) of
        {type, external} -> ok;
        {type, local} -> logger:log(info, "the handler ~p is a local function", [Id], #{mfa => {telemetry, attach_many, 4}})
    end,
    telemetry_handler_table:insert(Id, Events, Function, Config).

detach(Id) ->
    case ets:select_delete(telemetry, [{{'_', Id, '_', '_'}, [], [true]}]) of
        0 -> {error, not_found};
        _ -> ok
    end.

execute(Event, Measurements, Metadata) when is_map(Measurements), is_map(Metadata) ->
    lists:foreach(fun({_, Id, Function, Config}) ->
        try Function(Event, Measurements, Metadata, Config)
        catch Class:Reason:Stack ->
            detach(Id),
            logger:error("Handler ~p has failed and has been detached. Class=~p~nReason=~p~nStacktrace=~p~n",
                         [Id, Class, Reason, Stack])
        end
    end, ets:lookup(telemetry, Event)).

list_handlers(Prefix) ->
    [#{id => Id, event_name => Event, function => Function, config => Config}
     || {Event, Id, Function, Config} <- ets:tab2list(telemetry), lists:prefix(Prefix, Event)].
