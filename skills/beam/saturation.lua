--- Whether the node has any time left, asked before its own work: on a node that drowns in work, questions
--- of low priority wait with everybody else, or behind work at high priority for ever. So this may go
--- first and is bounded instead: it reads what no process has to be woken for, for 30 ms at most, and where some stand
--- for another 40 ms. That is of some 70,000 processes; of more it sees a thousand here and a thousand there, and of
--- more than 250,000 none, for their list alone takes 10 ms (measured on OTP 25).

local texts = ...

local CLASSES = { "max", "high", "normal", "low" }

-- Processes are numbered as they are started, in 28 bits: two that were asked tell how many came in between.
local SERIAL, ALL = 2 ^ 15, 2 ^ 28

local function number(pid)
  local n, s = pid:match "^<%d+%.(%d+)%.(%d+)>$"
  return tonumber(s) * SERIAL + tonumber(n)
end

return {
  urgent = { "busy", "stands" },

  queries = {
    -- The state and the priority of a process are read without its lock, so nobody is waited for.
    busy = texts.words .. [=[
  Us = fun() -> erlang:monotonic_time(microsecond) end, T = Us(),
  Ask = fun(H, I) -> lists:zip(lists:zipwith(fun erlang:process_info/2, H, lists:duplicate(length(H), I)), H) end,
  M = ets:match_spec_compile([{{{status, running}, '$1'}, [], ['$1']}, {{{status, runnable}, '$1'}, [], ['$1']}]),
  Cut = fun Cut([], _) -> []; Cut(L, K) -> {H, R} = lists:split(min(K, 1000), L), [H | Cut(R, K - 1000)] end,
  Look = fun Look([], N, A) -> {N, A};
             Look([{_, H} | R], N, A) ->
               B = [ets:match_spec_run(Ask(H, status), M) | A],
               case Us() - T > 30000 of true -> {N + length(H), B}; false -> Look(R, N + length(H), B) end end,
  All = case erlang:system_info(process_count) > 250000 of true -> []; false ->
    lists:delete(self(), erlang:processes()) end,
  {N, A} = Look(lists:sort([{erlang:phash2(hd(H)), H} || H <- Cut(All, length(All))]), 0, []),
  L = lists:append(A), Q = Ask(lists:sublist(L, 1000), priority),
  Of = fun(X) -> ets:match_spec_run(Q, ets:match_spec_compile([{{{priority, X}, '$1'}, [], ['$1']}])) end,
  By = [{X, Of(X)} || X <- [max, high, normal, low]],
  First = case [P || {X, P} <- By, P =/= [], X =/= low] of [P | _] -> P; [] -> [] end,
  {_, Ps} = lists:unzip(lists:sort(lists:zip(lists:map(fun erlang:phash2/1, First), First))),
  #{run_queue => erlang:statistics(total_run_queue_lengths), schedulers => erlang:system_info(schedulers),
    schedulers_online => erlang:system_info(schedulers_online), looked_at => N,
    process_count => erlang:system_info(process_count), busy => maps:from_list([{X, length(P)} || {X, P} <- By]),
    some => lists:sublist(Ps, 20), me => Show(self()),
    ran => [case I of {_, X} -> X; _ -> 0 end || {I, _} <- Ask(lists:sublist(Ps, 20), reductions)],
    reductions => element(1, erlang:statistics(reductions)), took_us => Us() - T}.]=],

    -- Of the first class only, which is served first: who waits behind it would never answer. They are weighed by what
    -- they worked since the first look, where that is known of any: who is woken for a moment may be many, and does
    -- little.
    stands = texts.words .. texts.where .. [=[
  Us = fun() -> erlang:monotonic_time(microsecond) end, T = Us(),
  Look = fun Look([], A) -> A;
             Look([P | R], A) ->
               case Us() - T > 40000 of
                 true -> A;
                 false -> case erlang:process_info(P, [current_stacktrace, registered_name, reductions]) of
                   [{_, S}, {_, N}, {_, X}] -> Look(R, [{P, Where(S), N, X} | A]); _ -> Look(R, A) end end end,
  A = lists:zip(Was, Ran), L = [{F, N, case Get(P, A) of X when is_integer(X) -> R - X; _ -> 0 end}
    || {P, F, N, R} <- Look(Pids, [])],
  W = lists:sum([R || {_, _, R} <- L]), U = if W > 0 -> W; true -> length(L) end,
  Of = fun(F) -> [if W > 0 -> R; true -> 1 end || {X, _, R} <- L, X =:= F] end,
  [#{app_function => Func(F), process_count => length(Of(F)), share_pct => N * 100 div U,
     names => [Text(Y) || {X, Y, _} <- L, X =:= F, is_atom(Y)]}
   || {N, F} <- lists:reverse(lists:sort([{lists:sum(Of(F)), F} || F <- lists:usort([X || {X, _, _} <- L])]))].]=],
  },

  callbacks = {
    beam_saturation = {
      brief = "what waits for schedulers, by priority",
      doc = "Whether more processes want to run than there are schedulers, at which priority, and where some of "
        .. "them stand: two short looks that go before the node's own work, so that they succeed on a full node.",
      args = { { name = "window_ms", type = "integer", min = 100, max = 10000, default = 250 } },
      class = "SAFE",
      cost = "at high priority, 30 ms at most a look: one item of some 70,000 processes at most, the stack of 20",
      returns = { "seconds (between the looks)", "schedulers", "schedulers_online", "run_queue_before", "run_queue",
        "process_count", "looked_at (processes; 0 where there are over 250,000)",
        "max_before, max, high_before, high, normal_before, normal, low_before, low (running or runnable at that "
          .. "priority, of the first 1,000)", "reductions_per_sec", "spawned_per_sec", "took_ms (the slower look)",
        "priority (that of the groups: the highest)", "sampled",
        "groups[]: app_function (the first of the stack that is not OTP's), process_count, names, "
          .. "share_pct (of their work between the looks)" },
      run = function(node, args)
        local seconds = args.window_ms / 1000
        local first, err = node.ask "busy"
        if not first then return nil, err end
        node.sleep(seconds)
        local later
        later, err = node.ask "busy"
        if not later then return nil, err end
        local answer = { seconds = seconds, schedulers = later.schedulers, schedulers_online = later.schedulers_online,
          run_queue_before = first.run_queue, run_queue = later.run_queue, process_count = later.process_count,
          looked_at = later.looked_at,
          spawned_per_sec = math.floor((number(later.me) - number(first.me)) % ALL / seconds),
          reductions_per_sec = math.floor((later.reductions - first.reductions) / seconds),
          took_ms = math.max(first.took_us, later.took_us) / 1000, sampled = 0, groups = {} }
        for i = #CLASSES, 1, -1 do
          local class = CLASSES[i]
          answer[class .. "_before"], answer[class] = first.busy[class], later.busy[class]
          if class ~= "low" and later.busy[class] > 0 then answer.priority = class end
        end
        -- Of the highest class alone. One may be stuck in native code; then where they stand stays unknown.
        local groups = #later.some > 0 and node.ask("stands", { pids = later.some, was = first.some, ran = first.ran })
        for _, group in ipairs(groups or {}) do
          answer.groups[#answer.groups + 1], answer.sampled = group, answer.sampled + group.process_count
        end
        return answer
      end,
    },
  },
}
