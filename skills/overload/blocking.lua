--- What a long mailbox stands behind: its process works, or it waits, and then for whom. Only the few processes
--- in question are woken, once each; the rest of what is said of them is read from outside.

local texts = ...
local WALK, WHERE, looks = texts.walk, texts.where, texts.looks

local STEP = 1          -- second between two looks at the mailboxes
local SMALL = 100       -- messages; behind less nobody looks for a cause
local MOST = 8          -- processes looked at closely
local MANY = 10         -- callers that wait for one process are contention
local MOSTLY = 60       -- per cent of the samples
local ALIKE = 3         -- processes with mail that stand at one place

-- Whom a process waits for, as {Who, Sure}: one who calls monitors whom it calls. With one monitor that is it. With
-- several it is the one of them that is not idle, where there is just one such; else it cannot be seen.
local WHOM = [=[
  Local = fun(X) -> is_pid(X) andalso node(X) =:= node() end,
  Idle = fun(X) -> not Local(X) orelse case process_info(X, [status, message_queue_len]) of
    [{_, waiting}, {_, 0}] -> not Calls(X); undefined -> true; _ -> false end end,
  Whom = fun(P) -> case Calls(P) of
    false -> none;
    true -> case process_info(P, monitors) of
      {_, M} -> case lists:usort([X || {process, X} <- M]) of
        [X] -> {X, true};
        L -> case [X || X <- lists:sublist(L, 50), not Idle(X)] of [X] -> {X, false}; _ -> unseen end end;
      _ -> none end end end,
  Pid = fun({N, D}) when D =:= node() -> whereis(N); (X) -> X end,
  To = fun({N, D}) -> iolist_to_binary([Text(N), "@", atom_to_binary(D)]); (X) when is_pid(X) -> Show(X);
          (X) -> Text(X) end,
  Next = fun(P) -> case Whom(P) of
    {X, S} -> Some([{in_call, true}, {waits_for, To(X)}, {sure, S}, {waits_for_name, case Pid(X) of
      Q when is_pid(Q), node(Q) =:= node() -> case process_info(Q, registered_name) of {_, N} -> Text(N);
        _ -> undefined end; _ -> undefined end}]);
    unseen -> #{in_call => true};
    none -> #{in_call => false} end end,
]=]

local CALLS = [=[
  Calls = fun(P) -> case process_info(P, current_stacktrace) of
    {_, S} -> lists:any(fun({M, F, _, _}) ->
                lists:member({M, F}, [{gen, do_call}, {erpc, call}, {'Elixir.Task', await}]) end, lists:sublist(S, 3));
    _ -> false end end,
]=]

local function name_of(row) return row.name or row.pid end

local function index(rows)
  local by_pid = {}
  for _, row in ipairs(rows) do by_pid[row.pid] = row end
  return by_pid
end

-- Two looks: who gained most, and before traffic who is longest.
local function suspects(node)
  local first, err = node.ask "look"
  if not first then return nil, err end
  node.sleep(STEP)
  local second
  second, err = node.ask "look"
  if not second then return nil, err end
  local rows = {}
  for _, queue in ipairs(second.queues) do
    if queue.size >= SMALL then
      local start = looks.size_of(first, queue.pid)
      local gained = queue.size - start
      rows[#rows + 1] = { pid = queue.pid, size = queue.size, gained = gained,
        weight = looks.gained(gained, start) and gained or 0 }
    end
  end
  table.sort(rows, function(a, b)
    if a.weight ~= b.weight then return a.weight > b.weight end
    return a.size > b.size
  end)
  return rows, math.max(0.001, (second.at_ms - first.at_ms) / 1000)
end

-- How many of these stand where this one stands, not counting who waits for its next message.
local function alike(rows, first)
  local count = 0
  for _, row in ipairs(rows) do
    if row.app_function == first.app_function and (row.in_call or row.running_pct >= MOSTLY) then count = count + 1 end
  end
  return count
end

-- OTP's functions in which a process waits for something that is not its next message.
local WAITS_IN = { timer = "the clock", gen_tcp = "a socket", prim_inet = "a socket", gen_udp = "a socket",
  ssl = "a socket", ssl_gen_statem = "a socket", tls_sender = "a socket", socket = "a socket", prim_socket = "a socket",
  prim_file = "a file", file = "a file", file_io_server = "a file", global = "a lock of global", io = "an IO device",
  httpc = "an HTTP server", code_server = "the code server", erpc = "another node", rpc = "another node" }

local function waits_for(row)
  if row.in_call then return row.waits_for_name or row.waits_for or "a process that cannot be told" end
  local top = row.stack[1] and row.stack[1]:match "^(.-):"
  return row.running_pct < MOSTLY and WAITS_IN[top or ""]
end

-- What its figures say, in the order in which one rules out the next.
local function judge(rows, first, machine)
  local waits, callers = waits_for(first), first.monitored_by_count
  if first.suspended_pct >= MOSTLY then
    return "unknown", "high", name_of(first),
      ("it is suspended in %d %% of the samples: by a full port, or by somebody"):format(first.suspended_pct)
  elseif waits and alike(rows, first) >= ALIKE then
    return "contention", "high", waits, ("%d processes with mail wait for %s"):format(alike(rows, first), waits)
  elseif waits then
    return "downstream_blocking", first.in_call and first.sure and "high" or "medium", waits,
      ("it handles a message and waits for %s"):format(waits)
  elseif callers >= MANY and callers * 2 >= first.message_queue then
    return "contention", "medium", name_of(first), ("%d processes monitor it, as callers do"):format(callers)
  elseif first.running_pct >= MOSTLY and alike(rows, first) >= ALIKE and machine.run_queue <= machine.schedulers_online
  then
    return "contention", "medium", first.app_function,
      ("%d processes with mail run in %s and get on together"):format(alike(rows, first), first.app_function)
  elseif first.running_pct >= MOSTLY then
    return "cpu_bound", "high", name_of(first), ("it ran or wanted to in %d %% of the samples, %d reductions a second")
      :format(first.running_pct, first.reductions_per_sec)
  end
  return "unknown", "low", name_of(first), ("it waits in %s and takes no message there")
    :format(first.app_function or first.current_function or "its receive")
end

local function bottleneck(node)
  local found, seconds = suspects(node)
  if not found then return nil, seconds end
  if #found == 0 then
    return { bottleneck_type = "unknown", confidence = "low", seconds = seconds, total = 0, showing = 0, processes = {},
      evidence = { ("no mailbox has %d messages, so nothing is held up there"):format(SMALL) } }
  end
  local pids = {}
  for i = 1, math.min(MOST, #found) do pids[i] = found[i].pid end
  local seen, err = node.ask("stands", { pids = pids })
  if not seen then return nil, err end
  local first = seen.processes[1]
  if not first then return nil, "the processes with mail ended while they were looked at; look again" end
  local gained = index(found)[first.pid].gained
  local kind, confidence, location, why = judge(seen.processes, first, seen)
  return { bottleneck_type = kind, location = location, confidence = confidence, seconds = seconds, total = #found,
    showing = #seen.processes, processes = seen.processes, run_queue = seen.run_queue,
    schedulers_online = seen.schedulers_online,
    evidence = { ("%s has %d messages, %+d in %.1f s"):format(name_of(first), first.message_queue, gained, seconds),
      why,
      first.stack[1] and "its stack: " .. table.concat(first.stack, " < ", 1, math.min(4, #first.stack)) or nil } }
end

-- Chains of two at least, and none that is the end of another.
local function cascades(node)
  local look, err = node.ask "look"
  if not look then return nil, err end
  local pids = {}
  for i = 1, math.min(20, #look.queues) do pids[i] = look.queues[i].pid end
  local chains = {}
  if #pids > 0 then
    chains, err = node.ask("chains", { pids = pids })
    if not chains then return nil, err end
  end
  local inner, rows = {}, {}
  for _, chain in ipairs(chains) do
    for i = 2, #chain.links do inner[chain.links[i].pid] = not chain.cycle end
  end
  for _, chain in ipairs(chains) do
    local links = chain.links
    if #links > 1 and not inner[links[1].pid] then
      local last = links[#links]
      rows[#rows + 1] = { depth = #links, cycle = chain.cycle, root = name_of(last), root_pid = last.pid,
        links = links }
      for _, link in ipairs(chain.cycle and links or {}) do inner[link.pid] = true end -- a ring once
    end
  end
  return { detected = #rows > 0, looked_at = #pids, total = #rows, showing = #rows, chains = rows }
end

local STEPS = {
  downstream_blocking = {
    { "make %s faster or give its callers a timeout; the queue drains by itself then", "CAUTION" },
    { "let producers wait (a call instead of a cast, demand instead of a push) or shed what is too late", "CAUTION" },
  },
  cpu_bound = {
    { "see what %s works at with beam_watch_process and beam_hot_functions; a long mailbox by itself makes a "
      .. "selective receive slow", "SAFE" },
    { "spread its work over several processes, or do it at the callers", "CAUTION" },
  },
  contention = {
    { "let reads go past %s (ETS, persistent_term), or shard what it serialises", "CAUTION" },
  },
  unknown = {
    { "watch %s with beam_watch_process: whether it takes messages at all", "SAFE" },
  },
}

local LAST = "end %s and let its supervisor start it anew: every message in its mailbox is lost, and it fills again "
  .. "unless its cause is gone"

local function plan(node)
  local seen, err = bottleneck(node)
  if not seen then return nil, err end
  local steps, first = {}, seen.processes[1]
  local function step(text, risk, why)
    steps[#steps + 1] = { order = #steps + 1, text = text, risk = risk, why = why }
  end
  if not first then
    step("nothing to do: no mailbox is long", "SAFE", seen.evidence[1])
  else
    step("look again with overload_predict_growth: what drains needs nobody", "SAFE", seen.evidence[1])
    for _, known in ipairs(STEPS[seen.bottleneck_type]) do
      step(known[1]:format(seen.location), known[2], seen.evidence[2])
    end
    step(LAST:format(name_of(first)), "DANGEROUS", ("%d messages lie there"):format(first.message_queue))
  end
  return { bottleneck_type = seen.bottleneck_type, location = seen.location, confidence = seen.confidence,
    seconds = seen.seconds, total = #steps, showing = #steps, steps = steps }
end

local COST = "one item of every process twice; wakes the 8 in question and whom they wait for"

return {
  queries = {
    -- The status is read from outside, 20 times in 200 ms; each process is woken once, at the end.
    stands = WALK .. WHERE .. CALLS .. WHOM .. [=[
  L = [P || P <- lists:map(Find, Pids), is_pid(P)], T = Now(),
  R = [Item(P, reductions) || P <- L],
  U = [begin receive after 10 -> ok end, [Item(P, status) || P <- L] end || _ <- lists:seq(1, 20)],
  W = Since(T),
  Share = fun(I, K) -> length([x || S <- U, lists:member(lists:nth(I, S), K)]) * 5 end,
  One = fun(P, I) -> case process_info(P, [current_stacktrace, monitored_by, reductions]) of
    [{_, S}, {_, M}, {_, N}] ->
      Row(P, maps:merge(Next(P), Some([{stack, [Func({X, F, A}) || {X, F, A, _} <- lists:sublist(S, 8)]},
        {app_function, Func(Where(S))}, {monitored_by_count, length(M)},
        {running_pct, Share(I, [running, runnable, garbage_collecting])}, {waiting_pct, Share(I, [waiting])},
        {suspended_pct, Share(I, [suspended])}, {reductions_per_sec, round((N - lists:nth(I, R)) / W)}])));
    _ -> [] end end,
  #{run_queue => erlang:statistics(total_run_queue_lengths),
    schedulers_online => erlang:system_info(schedulers_online),
    processes => [Y || {P, I} <- lists:zip(L, lists:seq(1, length(L))), Y <- One(P, I)]}.]=],

    -- From each of these along whom it waits for, ten at most. A ring ends where it began.
    chains = WALK .. CALLS .. WHOM .. [=[
  Walk = fun Walk(P, A) when length(A) =:= 10 -> {A, false};
             Walk(P, A) -> case lists:member(P, A) of
               true -> {A, true};
               false -> case Whom(P) of
                 {X, _} -> case Pid(X) of Q when is_pid(Q), node(Q) =:= node() -> Walk(Q, [P | A]);
                                          _ -> {[P | A], false} end;
                 _ -> {[P | A], false} end end end,
  [#{cycle => C, links => L} || P <- lists:map(Find, Pids), is_pid(P), {A, C} <- [Walk(P, [])],
     L <- [[Y || Q <- lists:reverse(A), Y <- Row(Q, Next(Q))]]].]=],
  },

  callbacks = {
    overload_bottleneck = {
      doc = "Why the mailbox that gained most (else the longest) is not emptied: its process waits for another "
        .. "(downstream_blocking), works (cpu_bound), or many wait for one thing (contention).",
      class = "SAFE",
      cost = COST,
      returns = { "bottleneck_type (downstream_blocking, cpu_bound, contention, unknown)",
        "location (what it waits for, or itself)", "evidence (texts)", "confidence (low, medium, high)",
        "seconds (between the looks)", "run_queue", "schedulers_online", "total (mailboxes over 100)", "showing",
        "processes[]: pid, name, current_function, status, memory_kb, message_queue, reductions, stack, "
          .. "app_function, running_pct, waiting_pct, suspended_pct (of 20 samples), reductions_per_sec, "
          .. "monitored_by_count, in_call, waits_for, waits_for_name, sure (false: one of several that it monitors, "
          .. "the only one not idle)" },
      run = bottleneck,
    },

    overload_cascade_detection = {
      doc = "Chains of processes each waiting in a call to the next, from the 20 longest mailboxes on: the root is "
        .. "who waits for nobody; in a cycle all wait for each other for ever.",
      class = "SAFE",
      cost = "one item of every process; wakes the 20 with the longest mailboxes and whom they wait for",
      returns = { "detected", "looked_at (processes)", "total", "showing",
        "chains[]: depth, cycle, root, root_pid, links[]: pid, name, current_function, status, memory_kb, "
          .. "message_queue, reductions, in_call, waits_for, waits_for_name, sure" },
      run = cascades,
    },

    overload_remediation_plan = {
      doc = "What could be done about the worst mailbox, the harmless first, by what overload_bottleneck says of it.",
      class = "SAFE",
      cost = COST,
      returns = { "bottleneck_type", "location", "confidence", "seconds", "total", "showing",
        "steps[]: order, text, risk (SAFE, CAUTION, DANGEROUS), why" },
      run = plan,
    },
  },
}
