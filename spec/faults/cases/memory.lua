--- What keeps memory: processes, states, binaries, tables, carriers.

return {
  {
    name = "binary_refs_held", truth = { { mechanism = "binary_refs_held", objects = { "$module:$echo/0" } } },
    draw = { proxies = { 350, 600 }, size = { 50000, 80000 } },
    source = [==[
start() ->
  Ps = [spawn(fun $echo/0) || _ <- lists:seq(1, $proxies)],
  [P ! binary:copy(<<I:8>>, $size) || P <- Ps, I <- lists:seq(1, 3)],
  ok.
$echo() -> receive B when is_binary(B) -> _ = byte_size(B), $done(), $echo() end.
-ifdef(TWIN).
$done() -> erlang:garbage_collect().
-else.
$done() -> ok.
-endif.
]==],
  },
  {
    name = "sub_binary_pins_parent", truth = { { mechanism = "sub_binary_pins_parent", objects = { "$cache" } } },
    draw = { size = { 300000, 600000 }, every_ms = { 10, 20 } },
    source = [==[
start() -> spawn(fun() -> register($cache, self()), $keep([]) end).
$keep(Acc) ->
  <<H:100/binary, _/binary>> = binary:copy(<<(length(Acc)):32>>, $size div 4),
  timer:sleep($every_ms),
  $keep([$cut(H) | lists:sublist(Acc, 4000)]).
-ifdef(TWIN).
$cut(H) -> binary:copy(H).
-else.
$cut(H) -> H.
-endif.
]==],
  },
  {
    name = "process_leak", truth = { { mechanism = "process_leak", objects = { "$module:$session/0" } } },
    draw = { batch = { 10, 50 }, every_ms = { 10, 20 } },
    source = [==[
start() -> spawn(fun() -> register($door, self()), $let_in() end).
$let_in() ->
  [spawn(fun $session/0) || _ <- lists:seq(1, $batch)],
  timer:sleep($every_ms),
  $let_in().
-ifdef(TWIN).
$session() -> receive {$reply, _} -> ok after 200 -> ok end.
-else.
$session() -> receive {$reply, _} -> ok end.
-endif.
]==],
  },
  {
    name = "link_leak", truth = { { mechanism = "link_leak", objects = { "$hub" } } },
    draw = { batch = { 5, 20 }, every_ms = { 10, 20 } },
    source = [==[
start() -> spawn(fun() -> register($hub, self()), process_flag(trap_exit, true), $grow() end).
$grow() ->
  [spawn_link(fun $stay/0) || _ <- lists:seq(1, $batch)],
  timer:sleep($every_ms),
  $bury(),
  $grow().
$bury() -> receive {'EXIT', _, _} -> $bury() after 0 -> ok end.
-ifdef(TWIN).
$stay() -> receive $never -> ok after 100 -> ok end.
-else.
$stay() -> receive $never -> ok end.
-endif.
]==],
  },
  {
    name = "unbounded_state", truth = { { mechanism = "unbounded_state", objects = { "$store" } } },
    draw = { batch = { 100, 250 }, item = { 30, 60 } },
    source = [==[
start() -> spawn(fun() -> register($store, self()), $put(#{}, 1) end).
$put(M, I) ->
  N = maps:put($key(I), lists:duplicate($item, I), M),
  (I rem $batch =:= 0) andalso timer:sleep(10),
  $put(N, I + 1).
-ifdef(TWIN).
$key(I) -> I rem 2000.
-else.
$key(I) -> I.
-endif.
]==],
  },
  {
    name = "process_dictionary_growth",
    truth = { { mechanism = "process_dictionary_growth", objects = { "$keeper" } } },
    draw = { batch = { 10, 25 }, item = { 20, 40 } },
    source = [==[
start() -> spawn(fun() -> register($keeper, self()), $put(1) end).
$put(I) ->
  timer:sleep(10),
  [put({$ray, $key(I * $batch + J)}, lists:seq(1, $item)) || J <- lists:seq(1, $batch)],
  $put(I + 1).
-ifdef(TWIN).
$key(I) -> I rem 300.
-else.
$key(I) -> I.
-endif.
]==],
  },
  {
    name = "ets_growth", truth = { { mechanism = "ets_growth", objects = { "$table" } } },
    draw = { batch = { 200, 600 }, item = { 20, 40 } },
    source = [==[
start() ->
  spawn(fun() ->
    register($owner, self()),
    T = ets:new($table, [named_table, public, ordered_set]),
    $put(T, 1)
  end).
$put(T, I) ->
  ets:insert(T, {$key(I), lists:duplicate($item, I)}),
  (I rem $batch =:= 0) andalso timer:sleep(10),
  $put(T, I + 1).
-ifdef(TWIN).
$key(I) -> I rem 5000.
-else.
$key(I) -> I.
-endif.
]==],
  },
  {
    name = "monitor_leak", truth = { { mechanism = "monitor_leak", objects = { "$client" } } },
    draw = { batch = { 40, 200 }, every_ms = { 10, 15 } },
    source = [==[
start() ->
  spawn(fun() -> register($client, self()), S = spawn(fun $serve/0), $call(S) end).
$serve() -> receive stop -> ok after 1000 -> ok end, $serve().
$call(S) ->
  Rs = [erlang:monitor(process, S) || _ <- lists:seq(1, $batch)],
  $after_call(Rs),
  timer:sleep($every_ms),
  $call(S).
-ifdef(TWIN).
$after_call(Rs) -> [erlang:demonitor(R, [flush]) || R <- Rs].
-else.
$after_call(_) -> ok.
-endif.
]==],
  },
  {
    name = "module_leak", truth = { { mechanism = "module_leak", objects = { "$page*" } } },
    draw = { every_ms = { 15, 40 } }, twin = { every_ms = 1000 },
    source = [==[
start() -> $compiled('$page', 0), spawn(fun() -> register($maker, self()), $make(1) end).
$compiled(M, I) ->
  {ok, M, B} = compile:forms([{attribute, 1, module, M}, {attribute, 2, export, [{r, 0}]},
    {function, 3, r, 0, [{clause, 3, [], [], [{integer, 3, I}]}]}]),
  B.
$make(I) ->
  M = $name(I),
  {module, M} = code:load_binary(M, "page", $compiled(M, I)),
  code:purge(M),
  timer:sleep($every_ms),
  $make(I + 1).
-ifdef(TWIN).
$name(I) -> list_to_atom(atom_to_list($page) ++ "_" ++ integer_to_list(I rem 5)).
-else.
$name(I) -> list_to_atom(atom_to_list($page) ++ "_" ++ integer_to_list(I)).
-endif.
]==],
  },
  {
    name = "allocator_fragmentation",
    truth = { { mechanism = "allocator_fragmentation", objects = { "binary_alloc" } } },
    draw = { count = { 80000, 110000 }, size = { 2500, 3500 }, keep = { 10, 14 } }, twin = { keep = 1, count = 8000 },
    source = [==[
start() ->
  Me = self(),
  spawn(fun() ->
    Bs = [binary:copy(<<I:32>>, $size div 4) || I <- lists:seq(1, $count)],
    put($kept, [B || {B, I} <- lists:zip(Bs, lists:seq(1, $count)), I rem $keep =:= 0]),
    register($holder, self()),
    erlang:garbage_collect(),
    Me ! up,
    $idle()
  end),
  receive up -> ok end.
$idle() -> receive $slide -> $idle() end.
]==],
  },
}
