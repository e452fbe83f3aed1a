--- What was left behind by who is gone: an older version of a module, a shell that did the output of others.

return {
  -- Two versions of a module were loaded, and nobody went over to the second one: the next load ends them all.
  {
    name = "old_code", truth = { { mechanism = "old_code", objects = { "$service" } } },
    draw = { servers = { 10, 60 } },
    source = [==[
start() ->
  $load(1),
  Ps = [spawn($service, start, []) || _ <- lists:seq(1, $servers)],
  $load(2),
  [P ! $renew || P <- Ps],
  ok.
-ifdef(TWIN).
-define(OVER, "$service:").
-else.
-define(OVER, "").
-endif.
$load(V) ->
  Forms = [begin {ok, T, _} = erl_scan:string(L), {ok, F} = erl_parse:parse_form(T), F end || L <- [
    "-module($service).", "-export([start/0, loop/1]).", "start() -> loop(0).",
    "loop(S) -> receive $renew -> " ++ ?OVER ++ "loop(" ++ integer_to_list(V) ++ ");"
    "  {$ask, P} -> P ! S, loop(S) end."]],
  {ok, M, B} = compile:forms(Forms),
  {module, M} = code:load_binary(M, "service", B).
]==],
  },
  -- Started by hand from a shell that is closed since: whatever it prints has nowhere to go, and who prints fails.
  {
    name = "dead_group_leader",
    truth = { { mechanism = "dead_group_leader", objects = { "$teller", "$module:$tell*" } } },
    draw = { every_ms = { 50, 200 } },
    source = [==[
start() ->
  Shell = spawn(fun $shell/0),
  Me = self(),
  spawn(fun() -> register($teller, self()), $lead(Shell), Me ! up, $turn(1) end),
  receive up -> ok end,
  $shut(Shell).
-ifdef(TWIN).
$lead(_) -> ok.
$shut(_) -> ok.
-else.
$lead(Shell) -> group_leader(Shell, self()).
$shut(Shell) -> exit(Shell, kill).
-endif.
$shell() -> receive $never -> ok end.
$turn(I) -> spawn(fun() -> $tell(I) end), timer:sleep($every_ms), $turn(I + 1).
$tell(I) -> io:format("$row ~p~n", [I]).
]==],
  },
}
