-- Sets one flag of the virtual machine, out of a list. CAUTION: it ends nothing by itself and is undone to the letter.
-- Only flags whose value can be read stand here, since undo needs the old one (so not backtrace_depth); and
-- no bound that could kill: a heap limit below 80 MB for every new process is refused.

local objects = require "sandbox.objects.process"

local FLAG = objects.words .. [=[
  F = binary_to_existing_atom(Flag),
  Now = fun() -> case erlang:system_info(F) of {_, N} -> N; M when is_map(M) -> maps:get(size, M); N -> N end end,
  Range = case F of
    schedulers_online -> {1, erlang:system_info(schedulers)};
    dirty_cpu_schedulers_online -> {1, min(erlang:system_info(dirty_cpu_schedulers),
                                           erlang:system_info(schedulers_online))};
    fullsweep_after -> {0, 65535};
    min_heap_size -> {0, 1000000};
    min_bin_vheap_size -> {0, 100000000};
    max_heap_size when Value =:= 0 -> {0, 0};
    max_heap_size -> {10000000, 1000000000000} end,
  Open = fun() -> {Low, High} = Range, if
      Value < Low; Value > High -> {refused, Say([Flag, " must be from ", integer_to_list(Low), " to ",
        integer_to_list(High), " here", case F of max_heap_size -> ", or 0 for no limit"; _ -> "" end])};
      true -> {flag, F, Now()} end end,
  Check = fun() -> case Open() of
      {refused, _} = W -> W;
      I when I =:= Identity -> same;
      {_, _, X} -> {changed, Say("somebody has set it since; it is " ++ integer_to_list(X) ++ " now")} end end,
]=]

return {
  name = "set_system_flag",
  title = "set a system flag",
  class = "CAUTION",
  args = {
    { name = "flag", type = "choice", of = { "schedulers_online", "dirty_cpu_schedulers_online", "fullsweep_after",
      "min_heap_size", "min_bin_vheap_size", "max_heap_size" } },
    { name = "value", type = "integer", min = 0, max = 10 ^ 12,
      doc = "sizes are in words; max_heap_size 0 means no limit" },
  },
  doc = "Sets a flag of the virtual machine until its next start. schedulers_online: with fewer the node takes less of "
    .. "the machine; fullsweep_after: a lower one gives memory back earlier and costs more collections; the heap sizes "
    .. "are those of processes started from then on.",
  undo_doc = "set_system_flag with the value from before",

  queries = {
    preview = FLAG .. [=[
  Note = case F of
    schedulers_online -> "nothing; fewer schedulers do the same work more slowly";
    dirty_cpu_schedulers_online -> "nothing; fewer schedulers do the same work more slowly";
    max_heap_size when Value > 0 -> "processes started from then on are killed when they need more";
    _ -> "nothing; it holds for processes started from then on" end,
  case Open() of
    {refused, _} = W -> W;
    {flag, _, Value} -> {refused, Say("that is its value already")};
    {flag, _, N} = I -> #{object => Flag, identity => I,
      figures => #{now => N, wanted => Value, lost => Say(Note)}} end.]=],

    check = FLAG .. [=[ Check().]=],

    -- With schedulers the machine takes dirty ones offline too, but does not take them online again: undo does.
    deed = FLAG .. [=[
  Dirty = erlang:system_info(dirty_cpu_schedulers_online),
  Set = fun(max_heap_size) -> erlang:system_flag(F, maps:put(size, Value, erlang:system_info(F)));
           (schedulers_online) -> erlang:system_flag(F, Value),
             case Given of {was, Value, N} -> erlang:system_flag(dirty_cpu_schedulers_online, N); _ -> ok end;
           (_) -> erlang:system_flag(F, Value) end,
  case Check() of same -> Set(F), {done, {was, element(3, Identity), Dirty}}; No -> No end.]=],

    -- The machine rounds heap sizes up, and takes schedulers online one after another.
    after = FLAG .. [=[
  case Now() of
    N when N =:= Value; N > Value andalso (F =:= min_heap_size orelse F =:= min_bin_vheap_size) ->
      {ok, Say("it is " ++ integer_to_list(N) ++ " now")};
    N -> {not_yet, Say("it is " ++ integer_to_list(N))} end.]=],
  },

  undo = function(args, before)
    return { name = "set_system_flag", args = { flag = args.flag, value = before[2] }, given = true }
  end,
}
