--- Other work of the node, under which the cases are to be found out all the same. What is true of that work may be
--- said besides (`also`); it is neither a cause nor a false alarm.

return {
  crowd = {
    name = "crowd",
    source = [==[
start() -> [spawn(fun $stay/0) || _ <- lists:seq(1, 100000)], ok.
$stay() -> receive $never -> ok end.
]==],
  },
  busy = {
    name = "busy", draw = { each = { 3, 6 } },
    also = { { mechanism = "cpu_saturation", objects = { "$module:$crunch/1", "$module:$crunch*" } } },
    source = [==[
start() -> [spawn(fun() -> $crunch(I) end) || I <- lists:seq(1, $each * erlang:system_info(schedulers_online))], ok.
$crunch(N) -> $crunch(erlang:phash2(lists:seq(1, 50 + N rem 50))).
]==],
  },
}
