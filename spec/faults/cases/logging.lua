--- What is written down.

return {
  {
    name = "log_storm", truth = { { mechanism = "log_storm", objects = { "$module" } } },
    draw = { each = { 8, 14 }, every_ms = { 4, 7 } }, twin = { each = 1, every_ms = 2000 },
    source = [==[
-include_lib("kernel/include/logger.hrl").
start() -> [spawn(fun() -> $say(1) end) || _ <- lists:seq(1, 2)], ok.
$say(I) ->
  [?LOG_ERROR("$thing ~p lost: ~p", [J, lists:duplicate(10, x)]) || J <- lists:seq(1, $each)],
  timer:sleep($every_ms),
  $say(I + 1).
]==],
  },
  {
    name = "debug_logging",
    truth = { { mechanism = "debug_logging", objects = { "logger", "primary", "level", "$module" } } },
    draw = { each = { 10, 20 }, every_ms = { 2, 5 } },
    source = [==[
-include_lib("kernel/include/logger.hrl").
start() -> $set(), [spawn(fun() -> $say(1) end) || _ <- lists:seq(1, 2)], ok.
-ifdef(TWIN).
$set() -> ok.
-else.
$set() -> logger:set_primary_config(level, debug).
-endif.
$say(I) ->
  [?LOG_DEBUG("$row ~p", [lists:seq(1, 30)]) || _ <- lists:seq(1, $each)],
  timer:sleep($every_ms),
  $say(I + 1).
]==],
  },
}
