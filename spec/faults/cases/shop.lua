--- The background of every case: a small shop that is well. Requests come by socket to workers under a supervisor, look
--- into a cache whose rows expire, take turns at a pool, set timers and take them back.

return {
  name = "shop",
  draw = { requests = { 15, 50 }, busy_ms = { 2, 10 }, seats = { 3, 8 },
    rows = { 500, 5000 }, sweep_ms = { 200, 500 } },
  source = [==[
-export([init/1, handle_call/3, handle_cast/2, handle_info/2, $open/0, $serve/1, $visitors/0]).
start() ->
  Me = self(),
  spawn(fun() ->
    {ok, _} = supervisor:start_link({local, $top}, ?MODULE, $top),
    Me ! up,
    receive $never -> ok end
  end),
  receive up -> ok end.

init($top) ->
  Server = fun(Name) -> #{id => Name, start => {gen_server, start_link, [{local, Name}, ?MODULE, Name, []]}} end,
  {ok, {#{intensity => 5, period => 10}, [Server($cache), Server($pool), Server($tally),
    #{id => $desk, type => supervisor, start => {supervisor, start_link, [{local, $desk}, ?MODULE, $desk]}},
    #{id => $door, start => {?MODULE, $open, []}},
    #{id => $street, start => {?MODULE, $visitors, []}}]}};
init($desk) ->
  {ok, {#{strategy => simple_one_for_one}, [#{id => $clerk, restart => temporary, start => {?MODULE, $serve, []}}]}};
init($cache) ->
  $goods = ets:new($goods, [named_table, public, {read_concurrency, true}]),
  [ets:insert($goods, {I, erlang:monotonic_time(), lists:seq(1, 10)}) || I <- lists:seq(1, $rows)],
  erlang:send_after($sweep_ms, self(), $sweep),
  {ok, 1};
init($pool) -> {ok, {$seats, queue:new()}};
init($tally) -> {ok, #{}}.

handle_call($sit, From, {0, Q}) -> {noreply, {0, queue:in(From, Q)}};
handle_call($sit, _, {N, Q}) -> {reply, ok, {N - 1, Q}}.

handle_cast($rise, {N, Q}) ->
  case queue:out(Q) of
    {{value, From}, Rest} -> gen_server:reply(From, ok), {noreply, {N, Rest}};
    {empty, _} -> {noreply, {N + 1, Q}}
  end;
handle_cast({$sold, I}, M) -> {noreply, maps:update_with(I rem 20, fun(X) -> X + 1 end, 1, M)}.

%% As many rows expire as are looked up again.
handle_info($sweep, At) ->
  [ets:delete($goods, (At + I) rem $rows + 1) || I <- lists:seq(1, 20)],
  [ets:insert($goods, {(At + I) rem $rows + 1, erlang:monotonic_time(), lists:seq(1, 10)}) || I <- lists:seq(1, 20)],
  erlang:send_after($sweep_ms, self(), $sweep),
  {noreply, At + 20}.

$open() ->
  Me = self(),
  P = spawn_link(fun() ->
    {ok, L} = gen_tcp:listen(0, [binary, {active, false}, {packet, line}, {backlog, 100}, {ip, {127, 0, 0, 1}}]),
    {ok, Port} = inet:port(L),
    persistent_term:put($address, Port),
    register($door, self()),
    Me ! {open, self()},
    $greet(L)
  end),
  receive {open, P} -> {ok, P} end.

$greet(L) ->
  case gen_tcp:accept(L) of
    {ok, S} ->
      {ok, P} = supervisor:start_child($desk, [S]),
      gen_tcp:controlling_process(S, P),
      P ! $begin;
    {error, emfile} -> timer:sleep(100) %% as acceptors do: it may be better in a moment
  end,
  $greet(L).

$serve(S) ->
  {ok, proc_lib:spawn_link(fun() ->
    receive $begin -> ok end,
    {ok, Line} = gen_tcp:recv(S, 0, 5000),
    Late = erlang:send_after(5000, self(), $late),
    ok = gen_server:call($pool, $sit, 5000),
    I = erlang:phash2(Line, $rows) + 1,
    _ = ets:lookup($goods, I),
    timer:sleep($busy_ms),
    gen_server:cast($pool, $rise),
    gen_server:cast($tally, {$sold, I}),
    erlang:cancel_timer(Late),
    gen_tcp:send(S, [Line]),
    gen_tcp:close(S)
  end)}.

$visitors() -> {ok, spawn_link(fun() -> register($street, self()), $stroll(1) end)}.

$stroll(I) ->
  spawn(fun() -> $visit(I) end),
  timer:sleep(1000 div $requests),
  $stroll(I + 1).

$visit(I) ->
  case gen_tcp:connect({127, 0, 0, 1}, persistent_term:get($address), [binary, {active, false}, {packet, line}]) of
    {ok, S} ->
      ok = gen_tcp:send(S, [integer_to_list(I), "\n"]),
      {ok, _} = gen_tcp:recv(S, 0, 20000),
      gen_tcp:close(S);
    {error, emfile} -> gone
  end.
]==],
}
