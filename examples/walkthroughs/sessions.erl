%% A shop whose memory climbs: sessions lie in a table, and `session_sweeper`, which takes out those that have expired,
%% was suspended during a deploy and forgotten.
-module(sessions).
-behaviour(gen_server).
-export([start/0, visitor/0, init/1, handle_call/3, handle_cast/2, handle_info/2]).

-define(SECONDS_KEPT, 2).
-define(SWEEP_EVERY_MS, 500).

start() ->
    {ok, _} = gen_server:start({local, session_sweeper}, ?MODULE, [], []),
    [spawn(?MODULE, visitor, []) || _ <- lists:seq(1, 20)],
    ok = sys:suspend(session_sweeper).

init([]) ->
    sessions = ets:new(sessions, [named_table, public, {write_concurrency, true}]),
    erlang:send_after(?SWEEP_EVERY_MS, self(), sweep),
    {ok, none}.

handle_call(_, _, State) -> {reply, ok, State}.

handle_cast(_, State) -> {noreply, State}.

handle_info(sweep, State) ->
    Oldest = erlang:monotonic_time(second) - ?SECONDS_KEPT,
    _ = ets:select_delete(sessions, [{{'_', '$1', '_'}, [{'<', '$1', Oldest}], [true]}]),
    erlang:send_after(?SWEEP_EVERY_MS, self(), sweep),
    {noreply, State}.

visitor() ->
    ets:insert(sessions, {make_ref(), erlang:monotonic_time(second), lists:seq(1, 100)}),
    timer:sleep(10),
    visitor().
