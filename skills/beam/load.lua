--- Who works: schedulers, and the reductions of processes. Nothing here is worth anything at one
--- moment, so every question waits on the node between two looks, and says how long in `seconds`.

local texts = ...
local LIMIT = { name = "limit", type = "integer", min = 1, max = 50, default = 10 }
local ROW = "processes[]: pid, name, current_function, status, memory_kb, message_queue, reductions, "
local function window(name, default)
  return { name = name, type = "integer", min = 100, max = 10000, default = default, waits = true }
end
local WINDOW = window("window_ms", 1000)

-- The fullest scheduler may be busy and the node not: 70 % leaves room for what comes at once.
local ROOM_PCT, FULL_PCT = 70, 90

local function round(x) return math.floor(x * 100 + 0.5) / 100 end

local function trend(per_second)
  if per_second > 10000 then return "very_high" end
  if per_second > 5000 then return "high" end
  if per_second > 1000 then return "moderate" end
  return per_second > 0 and "low" or "idle"
end

return {
  queries = {
    utilization = texts.words .. texts.wall .. [=[
  A = Wall(), T = Now(),
  receive after SampleMs -> ok end,
  {N, C, I} = Busy(A), Rows = fun(L) -> [#{id => K, utilization_pct => X} || {K, X} <- L] end,
  #{seconds => Since(T), avg_utilization_pct => Mean(N), max_utilization_pct => Most(N),
    schedulers => Rows(N), dirty_cpu_avg_pct => Mean(C), dirty_cpu => Rows(C), dirty_io_avg_pct => Mean(I),
      dirty_io => Rows(I),
    run_queue => erlang:statistics(total_run_queue_lengths_all)}.]=],

    reducers = texts.walk .. [=[
  S = All(), G = Shape(reductions), T = Now(), R = Reds(), A = Look(S, [], G, []),
  receive after WindowMs -> ok end,
  L = Top(S, A, G, Limit, 0), W = Since(T), Q = Reds() - R,
  maps:merge(#{seconds => W, reductions_per_sec => round(Q / W)}, List(S, [Y || {D, _, _, P} <- L,
    Y <- Row(P, #{reductions_delta => D, rate_per_sec => round(D / W), share_pct => Pct(D, Q)})])).]=],

    rate = texts.rows .. [=[
  P = Find(Pid), R = fun() -> if is_pid(P) -> Item(P, reductions); true -> undefined end end,
  T = Now(), A = R(),
  if A =:= undefined -> ok; true -> receive after WindowMs -> ok end end,
  B = R(), W = Since(T),
  if A =:= undefined; B =:= undefined -> [];
     true -> Row(P, #{seconds => W, reductions_delta => B - A, reductions_per_sec => round((B - A) / W)}) end.]=],

    -- Three looks make two windows. A burst is at least 1,000 reductions a second: less is housekeeping.
    bursts = texts.walk .. [=[
  S = All(), {I, P, X, _} = Shape(reductions), T = Now(), A = Look(S, [], {I, P, X, 0}, []),
  receive after BaselineWindowMs -> ok end,
  V = Since(T), Z = Now(), B = Look(S, A, {I, P, X, {'-', X, '$8'}}, []),
  receive after BaselineWindowMs -> ok end,
  L = Top(S, B, {I, P, X, 0}, 200, 0), W = Since(Z),
  U = [{D / W, -E / V, H} || {D, _, E, H} <- L, D / W >= 1000, D / W > -E / V * (1 + BurstThresholdPct / 100)],
  R = [Y || {N, M, H} <- lists:sublist(U, 50), Y <- Row(H, #{rate_per_sec => round(N), baseline_per_sec => round(M),
         increase_pct => round(100 * (N - M) / max(1, M))})],
  maps:merge(List(S, R), #{seconds => V + W, total => length(U)}).]=],

    hot_functions = texts.walk .. [=[
  S = All(), G = Shape(reductions), T = Now(), R = Reds(), A = Look(S, [], G, []),
  receive after WindowMs -> ok end,
  {B, C} = lists:split(32, Best(S, A, G, 1000, 0, []) ++ lists:duplicate(32, none)), W = Since(T), Q = Reds() - R,
  L = [X || {_, _, _, P} = X <- B, not Ours(P)] ++ C,
  M = lists:foldl(fun({F, D}, X) -> {N, Y} = maps:get(F, X, {0, 0}), X#{F => {N + 1, Y + D}} end, #{},
        [{F, D} || {D, _, _, P} <- L, {_, _, _} = F <- [Item(P, current_function)]]),
  U = lists:sublist(lists:reverse(lists:sort([{D, N, F} || {F, {N, D}} <- maps:to_list(M)])), Limit),
  #{seconds => W, total => maps:size(M), showing => length(U), functions => [#{func => Func(F), process_count => N,
      reductions_delta => D, avg_reductions => D div N, share_pct => Pct(D, Q)} || {D, N, F} <- U]}.]=],
  },

  callbacks = {
    beam_scheduler_utilization = {
      brief = "normal and dirty",
      doc = "How busy the schedulers were: those online, and apart from them the dirty ones for CPU and IO.",
      args = { window("sample_ms", 1000) },
      class = "SAFE",
      cost = "turns the accounting of scheduler time on while it looks",
      returns = { "seconds", "avg_utilization_pct", "max_utilization_pct", "schedulers[]: id, utilization_pct",
        "dirty_cpu_avg_pct", "dirty_cpu[]: id, utilization_pct", "dirty_io_avg_pct",
          "dirty_io[]: id, utilization_pct",
        "run_queue" },
      query = "utilization",
    },

    beam_scheduler_capacity_available = {
      brief = "",
      doc = "Whether the schedulers online were busy for less than 70 % of a second, on average.",
      class = "SAFE",
      cost = "turns the accounting of scheduler time on while it looks",
      returns = { "true or false" },
      run = function(node)
        local u, err = node.ask("utilization", { sample_ms = 1000 })
        if not u then return nil, err end
        return u.avg_utilization_pct < ROOM_PCT
      end,
    },

    beam_scheduler_health = {
      brief = "",
      doc = "One second of the schedulers, judged: warning from 70 % on average or when one alone is full, "
        .. "critical from 90 %.",
      class = "SAFE",
      cost = "turns the accounting of scheduler time on while it looks",
      returns = { "status (healthy, warning, critical)", "imbalance (points between the busiest and the least busy)",
        "avg_utilization_pct", "max_utilization_pct", "dirty_cpu_avg_pct", "dirty_io_avg_pct", "run_queue", "seconds",
        "recommendations (texts)" },
      run = function(node)
        local u, err = node.ask("utilization", { sample_ms = 1000 })
        if not u then return nil, err end
        local least, advice, status = u.max_utilization_pct, {}, "healthy"
        for _, one in ipairs(u.schedulers) do least = math.min(least, one.utilization_pct) end
        local function found(level, text)
          if status ~= "critical" then status = level end
          advice[#advice + 1] = text
        end
        if u.avg_utilization_pct >= FULL_PCT then
          found("critical", "no room left: see beam_top_reducers_window and beam_hot_functions for who works")
        elseif u.avg_utilization_pct >= ROOM_PCT then
          found("warning", "little room left: see beam_top_reducers_window for who works")
        elseif u.max_utilization_pct >= FULL_PCT then
          found("warning", "one scheduler is full and others are not: one process may be the reason, see "
            .. "beam_top_reducers_window")
        end
        for _, kind in ipairs { "dirty_cpu", "dirty_io" } do
          if u[kind .. "_avg_pct"] >= FULL_PCT then
            found("critical", ("the %s schedulers are full: whoever needs one waits"):format(kind))
          end
        end
        return { status = status, imbalance = round(u.max_utilization_pct - least), recommendations = advice,
          seconds = u.seconds,
          avg_utilization_pct = u.avg_utilization_pct, max_utilization_pct = u.max_utilization_pct,
            run_queue = u.run_queue,
          dirty_cpu_avg_pct = u.dirty_cpu_avg_pct, dirty_io_avg_pct = u.dirty_io_avg_pct }
      end,
    },

    beam_top_reducers_window = {
      brief = "who works most",
      doc = "Who worked most in the window, of the processes that lived through it.",
      args = { LIMIT, WINDOW },
      class = "SAFE",
      cost = "one item of every process twice, none of them woken but those shown",
      returns = { "seconds", "reductions_per_sec (of the node)", "total", "showing",
        ROW .. "reductions_delta, rate_per_sec, share_pct (of the node's reductions)" },
      query = "reducers",
    },

    beam_reduction_rate = {
      brief = "",
      doc = "How much one process works.",
      args = { { name = "pid", type = "string" }, WINDOW },
      class = "SAFE",
      cost = "one item of one process twice; wakes it once",
      returns = { (ROW:gsub("^%S+ ", "")) .. "seconds", "reductions_delta", "reductions_per_sec",
        "trend (very_high over 10000/s, high over 5000, moderate over 1000, low, idle)" },
      run = function(node, args)
        local found, err = node.ask("rate", args)
        if not found then return nil, err end
        if #found == 0 then return nil,
          "no such process, or it ended in the window; pid is text like <0.123.0>, or a registered name" end
        found[1].trend = trend(found[1].reductions_per_sec)
        return found[1]
      end,
    },

    beam_burst_detection = {
      brief = "who works more now",
      doc = "Who worked by burst_threshold_pct more in a window than in the one of the same length just before it.",
      args = { window("baseline_window_ms", 1000),
        { name = "burst_threshold_pct", type = "number", min = 1, max = 1e6, default = 200 } },
      class = "SAFE",
      cost = "one item of every process three times, none of them woken but those shown",
      returns = { "seconds (both windows)", "total", "showing",
        ROW .. "rate_per_sec, baseline_per_sec, increase_pct" },
      query = "bursts",
    },

    beam_hot_functions = {
      brief = "work by function",
      doc = "The reductions of the window by what the 1000 busiest processes were doing at its end.",
      args = { LIMIT, WINDOW },
      class = "SAFE",
      cost = "one item of every process twice; wakes the 1,000 busiest",
      returns = { "seconds", "total", "showing",
        "functions[]: func, process_count, reductions_delta, avg_reductions, share_pct" },
      query = "hot_functions",
    },
  },
}
