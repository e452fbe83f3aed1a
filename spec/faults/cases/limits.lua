--- Tables that are finite, and things made again and again.

return {
  {
    name = "atom_leak", truth = { { mechanism = "atom_leak", objects = { "$parser" } } },
    draw = { batch = { 20, 60 }, every_ms = { 5, 12 } },
    source = [==[
start() -> spawn(fun() -> register($parser, self()), $read(1) end).
$read(I) ->
  _ = [list_to_atom("user_" ++ integer_to_list($key(I * $batch + J))) || J <- lists:seq(1, $batch)],
  timer:sleep($every_ms),
  $read(I + 1).
-ifdef(TWIN).
$key(I) -> I rem 50.
-else.
$key(I) -> I.
-endif.
]==],
  },
  {
    name = "ets_table_leak", truth = { { mechanism = "ets_table_leak", objects = { "$table" } } },
    draw = { every_ms = { 5, 20 }, rows = { 20, 60 } },
    source = [==[
start() -> spawn(fun() -> register($owner, self()), $make(1) end).
$make(I) ->
  T = ets:new($table, [public]),
  ets:insert(T, {I, lists:seq(1, $rows)}),
  timer:sleep($every_ms),
  $done(T),
  $make(I + 1).
-ifdef(TWIN).
$done(T) -> ets:delete(T).
-else.
$done(_) -> ok.
-endif.
]==],
  },
  {
    name = "persistent_term_churn",
    truth = { { mechanism = "persistent_term_churn", objects = { "$key", "$refresher", "persistent_term" } } },
    draw = { every_ms = { 4, 8 }, holders = { 15, 25 } }, twin = { every_ms = 60000 },
    source = [==[
start() ->
  [spawn(fun() -> $hold(lists:seq(1, 200000)) end) || _ <- lists:seq(1, $holders)],
  spawn(fun() -> register($refresher, self()), $put(1) end).
$hold(L) -> receive $heat -> $hold(L) end.
$put(I) ->
  persistent_term:put($key, #{v => I, d => lists:seq(1, 1000)}),
  timer:sleep($every_ms),
  $put(I + 1).
]==],
  },
  {
    name = "file_handle_leak", truth = { { mechanism = "file_handle_leak", objects = { "$writer" } } },
    draw = { every_ms = { 10, 30 } },
    source = [==[
start() -> spawn(fun() -> register($writer, self()), $open() end).
$open() ->
  {ok, F} = file:open("/dev/null", [read]),
  timer:sleep($every_ms),
  $done(F),
  $open().
-ifdef(TWIN).
$done(F) -> file:close(F).
-else.
$done(_) -> ok.
-endif.
]==],
  },
}
