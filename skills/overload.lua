--- Overload: mailboxes that fill faster than they are emptied. A burst fills one too and is health, so nothing
--- here is said of one look: four are taken, a second apart, and what was kept of earlier ones is added. Who is
--- to blame, and who waits for whom, stands in `overload/blocking.lua`; where it goes in `overload/forecast.lua`.

local texts = ...
local WALK, MAIL, looks = texts.walk, texts.mailboxes, texts.looks

local LARGE, CRITICAL = 1000, 10000 -- messages in one mailbox
local SOON = 600   -- seconds to the limit of memory that are critical
local LASTING = 60 -- seconds of kept looks that make a long mailbox lasting
local SHOWN = 10

local ROW = "pid, name, current_function, status, memory_kb, message_queue, reductions"

-- Who gained more than traffic in the looks, most first, and how much.
local function gains(seen)
  local first, last, rows = seen[1], seen[#seen], {}
  for _, queue in ipairs(last.queues) do
    local start = looks.size_of(first, queue.pid)
    local gained = queue.size - start
    if looks.gained(gained, start) then
      rows[#rows + 1] = { pid = queue.pid, message_queue = queue.size, queue_growth = gained,
        growth_per_sec = looks.round(gained / looks.span(seen)),
        pattern = looks.pattern(seen, function(look) return looks.size_of(look, queue.pid) end) }
    end
  end
  table.sort(rows, function(a, b)
    if a.queue_growth ~= b.queue_growth then return a.queue_growth > b.queue_growth end
    return a.pid < b.pid
  end)
  return rows
end

-- What the node says of the processes of these rows is added to them.
local function described(node, rows)
  local first, pids = { unpack(rows, 1, SHOWN) }, {}
  for i, row in ipairs(first) do pids[i] = row.pid end
  local found = #pids > 0 and node.ask("rows", { pids = pids }) or {}
  local by_pid = {}
  for _, row in ipairs(found) do by_pid[row.pid] = row end
  for _, row in ipairs(first) do
    for key, value in pairs(by_pid[row.pid] or {}) do
      if row[key] == nil then row[key] = value end
    end
  end
  return first
end

local function always_large(node)
  local kept = node.history("mailboxes", 10)
  if not kept[1] or kept[1].age < LASTING then return false end
  for _, look in ipairs(kept) do
    if look.value.longest < LARGE then return false end
  end
  return true
end

local ACTION = {
  none = "nothing; mailboxes are taken from as they fill",
  transient = "look again in a minute: it moves both ways or drains, and what drains needs nobody",
  sustained = "find what it waits for with overload_bottleneck; then let producers wait for it, or shed",
  critical = "act now: overload_remediation_plan names the steps, the cheapest first",
}

local function severity_of(node, seen, word, crash)
  local longest, ever = seen[#seen].longest, 0
  for _, look in ipairs(seen) do ever = math.max(ever, look.longest) end
  if looks.grows(word) and longest >= LARGE then
    return (longest >= CRITICAL or crash and crash < SOON) and "critical" or "sustained"
  end
  if longest >= LARGE and (word == "steady" or word == "fluctuating" and always_large(node)) then
    return "sustained"
  end
  return (ever >= LARGE or looks.grows(word)) and "transient" or "none"
end

local function state(node)
  local seen, err = looks.take(node)
  if not seen then return nil, err end
  local last, gained = seen[#seen], gains(seen)
  local top, first = last.queues[1], seen[1].queues[1]
  local watched = top or first -- what was drained meanwhile was there
  local word = watched and looks.pattern(seen, function(look) return looks.size_of(look, watched.pid) end) or "none"
  local crash = looks.time_to_crash(node, seen)
  local severity = severity_of(node, seen, word, crash)
  local chain = severity ~= "none" and top and node.ask("chains", { pids = { top.pid } })
  chain = chain and chain[1] and chain[1].links
  local type_of = severity == "none" and "none" or chain and #chain > 1 and "cascade"
    or top and top.size * 2 >= last.total and "one_mailbox" or "many_mailboxes"
  local place = severity ~= "none" and top and described(node, { { pid = top.pid } })[1]
  local final = chain and chain[#chain]
  local affected = last.over_1000
  for _, row in ipairs(gained) do
    if looks.grows(row.pattern) and row.message_queue <= LARGE then affected = affected + 1 end
  end
  return { severity = severity, type = type_of, pattern = word, seconds = looks.round(looks.span(seen)), looks = #seen,
    bottleneck_location = final and (final.name or final.pid) or place and (place.name or place.pid) or nil,
    longest = place and { place } or {}, affected_processes = affected, total_queue_depth = last.total,
    max_queue_size = last.longest, growth_per_sec = looks.round((last.total - seen[1].total) / looks.span(seen)),
    recommended_action = ACTION[severity], time_to_crash_estimate_seconds = crash }
end

local function analysis(node)
  local seen, err = looks.take(node)
  if not seen then return nil, err end
  local last, gained, longest = seen[#seen], gains(seen), {}
  for i, queue in ipairs(last.queues) do longest[i] = { pid = queue.pid, message_queue = queue.size } end
  local growing, longest_rows = described(node, gained), described(node, longest)
  local word = last.total == 0 and seen[1].total == 0 and "none"
    or looks.pattern(seen, function(look) return look.total end)
  return { seconds = looks.round(looks.span(seen)), looks = #seen, growth_pattern = word,
    process_count = last.process_count, nonempty = last.nonempty, total_queue_size = last.total,
    queues_over_1000 = last.over_1000, queues_over_10000 = last.over_10000, percentiles = last.percentiles,
    total = last.nonempty, showing = #longest_rows, processes = longest_rows,
    growing_total = #gained, fastest_growing = growing }
end

local COST = "one item of every process at each of four looks, none of them woken but those shown"

---@type Skill
return {
  name = "overload",
  title = "Overload",
  about = "Mailboxes that fill faster than they are emptied: how bad, since when, who holds whom up.",

  prompt = [=[
You look after one BEAM node for overload: more work comes in than is done, and the rest waits in mailboxes.
Worth a notification: a mailbox that grows at every look; one that stays long; a chain of processes each
waiting for the next. Name the process at the end of the chain, not the one where the messages lie: a queue
is where it hurts, what its process waits for is the cause.
Not worth one: a burst that drains, however large. Look again before you say that it does not.
Give both figures and the time between; say growth is accelerating only where three windows say so.]=],

  uses = { "history" },
  keep = { "mailboxes" },
  snapshot = "totals",

  queries = {
    totals = WALK .. MAIL .. [=[
  {M, _, _} = Mail(),
  #{total_queue_size => maps:get(total, M), nonempty => maps:get(nonempty, M),
    queues_over_1000 => maps:get(over_1000, M), queues_over_10000 => maps:get(over_10000, M),
    max_queue_size => maps:get(longest, M),
    global_locks => case ets:info(global_locks, size) of N when is_integer(N) -> N; _ -> 0 end}.]=],

    mailboxes = WALK .. MAIL .. texts.mailboxes_kept,

    -- The percentiles are those of all processes, most of which have nothing in their mailbox.
    look = WALK .. MAIL .. [=[
  T = Now(), {M, B, A} = Mail(), K = maps:get(process_count, M), N = maps:get(nonempty, M),
  D = lists:reverse(lists:sort(lists:flatmap(fun erlang:binary_to_term/1, A))),
  At = fun(X) -> I = K * (100 - X) div 100 + 1, if I > N -> 0; true -> lists:nth(I, D) end end,
  M#{at_ms => T, memory => erlang:memory(total), queues => [#{pid => Show(P), size => X} || {X, P} <- B],
     percentiles => #{p50 => At(50), p90 => At(90), p95 => At(95), p99 => At(99), max => maps:get(longest, M)}}.]=],

    rows = texts.rows .. [=[ [Y || P <- lists:map(Find, Pids), is_pid(P), Y <- Row(P, #{})].]=],
  },

  callbacks = {
    overload_state = {
      doc = "Whether the node is overloaded, by four looks in three seconds: none, transient (drains or moves both "
        .. "ways), sustained (long and not falling), critical (over 10,000 in one mailbox and growing, or memory "
        .. "full within ten minutes).",
      class = "SAFE",
      cost = COST,
      returns = { "severity (none, transient, sustained, critical)",
        "type (none, one_mailbox, many_mailboxes, cascade)",
        "pattern of the longest mailbox (none, steady, draining, fluctuating, growing, accelerating)", "seconds",
        "looks", "bottleneck_location (a name, else a pid; of a chain its end)", "longest[] (one): " .. ROW,
        "affected_processes (over 1,000 messages, or growing at every look)", "total_queue_depth (messages)",
        "max_queue_size", "growth_per_sec (messages)", "recommended_action",
        "time_to_crash_estimate_seconds (only where os_mon runs, of the host's memory, and it grew at every look; "
          .. "system_get_memory knows what a container may use)" },
      run = state,
    },

    overload_queue_analysis = {
      brief = "All mailboxes over three seconds: longest, most gained",
      doc = "All mailboxes over three seconds: how long they are, which are longest, which gained most.",
      class = "SAFE",
      cost = COST,
      returns = { "seconds", "looks", "growth_pattern (none, steady, draining, fluctuating, growing, accelerating)",
        "process_count", "nonempty", "total_queue_size", "queues_over_1000", "queues_over_10000",
        "percentiles: p50, p90, p95, p99, max (messages, over all processes)", "total", "showing",
        "processes[] (longest first): " .. ROW, "growing_total",
        "fastest_growing[]: " .. ROW .. ", queue_growth, growth_per_sec, pattern" },
      run = analysis,
    },
  },

  aliases = {
    overload_get_queue_status = { "overload_state" },
    overload_get_overloaded_processes = { "overload_queue_analysis" },
    overload_detect_bottlenecks = { "overload_bottleneck" },
    overload_detect_cascades = { "overload_cascade_detection" },
  },
}
