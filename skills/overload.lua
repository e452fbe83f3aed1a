--- Overload: mailboxes that fill faster than they are emptied. A burst fills one too and is health, so nothing
--- here is said of one look: four are taken, a second apart, and what was kept of earlier ones is added. Who is
--- to blame, and who waits for whom, stands in `overload/blocking.lua`.

local texts = ...
local WALK, MAIL = texts.walk, texts.mailboxes

local LOOKS, STEP = 4, 1        -- so many, so many seconds apart
local LARGE, CRITICAL = 1000, 10000 -- messages in one mailbox
local MOVED = 20                -- messages, and
local MOVED_PART = 0.02         -- part of what was there: less between two looks is traffic
local FASTER = 1.5              -- growth is called accelerating when each window gained so many times the one before
local SOON = 600                -- seconds to the limit of memory that are critical
local NOISE = 100000            -- bytes a second that the memory of any node may gain for a while
local LASTING = 60              -- seconds of kept looks that make a long mailbox lasting
local SHOWN = 10

local ROW = "pid, name, current_function, status, memory_kb, message_queue, reductions"

local function round(x) return math.floor(x * 100 + 0.5) / 100 end

-- How a figure moved over windows of { delta, start, seconds }.
local function pattern(windows)
  local up, down, faster = 0, 0, true
  for i, w in ipairs(windows) do
    local least = math.max(MOVED, MOVED_PART * w.start)
    if w.delta > least then up = up + 1 elseif w.delta < -least then down = down + 1 end
    local before = windows[i - 1]
    if before then faster = faster and w.delta / w.seconds >= FASTER * before.delta / before.seconds end
  end
  if up == #windows then return #windows >= 3 and faster and "accelerating" or "growing" end
  if up == 0 and down == 0 then return "steady" end
  return up == 0 and "draining" or "fluctuating"
end

local function grows(word) return word == "growing" or word == "accelerating" end

local function size_of(look, pid)
  for _, queue in ipairs(look.queues) do
    if queue.pid == pid then return queue.size end
  end
  return 0
end

-- One figure over looks, as windows.
local function windows_of(looks, figure)
  local windows = {}
  for i = 2, #looks do
    local start = figure(looks[i - 1])
    windows[i - 1] = { start = start, delta = figure(looks[i]) - start,
      seconds = math.max(0.001, (looks[i].at_ms - looks[i - 1].at_ms) / 1000) }
  end
  return windows
end

local function take(node)
  local looks = {}
  for i = 1, LOOKS do
    local look, err = node.ask "look"
    if not look then return nil, err end
    looks[i] = look
    if i < LOOKS then node.sleep(STEP) end
  end
  return looks
end

local function span(looks) return math.max(0.001, (looks[#looks].at_ms - looks[1].at_ms) / 1000) end

-- Seconds until the memory is full: only where its limit is known and it grew in every window.
local function time_to_crash(node, looks)
  local least = math.huge
  for _, w in ipairs(windows_of(looks, function(look) return look.memory end)) do least = math.min(least, w.delta) end
  local per_second = (looks[#looks].memory - looks[1].memory) / span(looks)
  if least <= 0 or per_second < NOISE then return end
  local room = node.ask "room"
  return room and room.available and math.floor(room.available / per_second) or nil
end

-- Who gained in the looks, most first, and how much.
local function gains(looks)
  local first, last, rows = looks[1], looks[#looks], {}
  for _, queue in ipairs(last.queues) do
    local gained = queue.size - size_of(first, queue.pid)
    if gained > 0 then
      rows[#rows + 1] = { pid = queue.pid, message_queue = queue.size, queue_growth = gained,
        growth_per_sec = round(gained / span(looks)),
        pattern = pattern(windows_of(looks, function(look) return size_of(look, queue.pid) end)) }
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

local function severity_of(node, looks, word, crash)
  local longest, ever = looks[#looks].longest, 0
  for _, look in ipairs(looks) do ever = math.max(ever, look.longest) end
  if grows(word) and longest >= LARGE then
    return (longest >= CRITICAL or crash and crash < SOON) and "critical" or "sustained"
  end
  if longest >= LARGE and (word == "steady" or word == "fluctuating" and always_large(node)) then
    return "sustained"
  end
  return (ever >= LARGE or grows(word)) and "transient" or "none"
end

local function state(node)
  local looks, err = take(node)
  if not looks then return nil, err end
  local last, gained = looks[#looks], gains(looks)
  local top, first = last.queues[1], looks[1].queues[1]
  local watched = top or first -- what was drained meanwhile was there
  local word = watched and pattern(windows_of(looks, function(look) return size_of(look, watched.pid) end)) or "none"
  local crash = time_to_crash(node, looks)
  local severity = severity_of(node, looks, word, crash)
  local chain = severity ~= "none" and top and node.ask("chains", { pids = { top.pid } })
  chain = chain and chain[1] and chain[1].links
  local type_of = severity == "none" and "none" or chain and #chain > 1 and "cascade"
    or top and top.size * 2 >= last.total and "one_mailbox" or "many_mailboxes"
  local place = severity ~= "none" and top and described(node, { { pid = top.pid } })[1]
  local final = chain and chain[#chain]
  local affected = last.over_1000
  for _, row in ipairs(gained) do
    if grows(row.pattern) and row.message_queue <= LARGE then affected = affected + 1 end
  end
  return { severity = severity, type = type_of, pattern = word, seconds = round(span(looks)), looks = #looks,
    bottleneck_location = final and (final.name or final.pid) or place and (place.name or place.pid) or nil,
    longest = place and { place } or {}, affected_processes = affected, total_queue_depth = last.total,
    max_queue_size = last.longest, growth_per_sec = round((last.total - looks[1].total) / span(looks)),
    recommended_action = ACTION[severity], time_to_crash_estimate_seconds = crash }
end

local function analysis(node)
  local looks, err = take(node)
  if not looks then return nil, err end
  local last, gained, longest = looks[#looks], gains(looks), {}
  for i, queue in ipairs(last.queues) do longest[i] = { pid = queue.pid, message_queue = queue.size } end
  local growing, longest_rows = described(node, gained), described(node, longest)
  return { seconds = round(span(looks)), looks = #looks, growth_pattern = last.total == 0 and looks[1].total == 0
      and "none" or pattern(windows_of(looks, function(look) return look.total end)),
    process_count = last.process_count, nonempty = last.nonempty, total_queue_size = last.total,
    queues_over_1000 = last.over_1000, queues_over_10000 = last.over_10000, percentiles = last.percentiles,
    total = last.nonempty, showing = #longest_rows, processes = longest_rows,
    growing_total = #gained, fastest_growing = growing }
end

-- What was kept and what is seen now, on one clock, as far back as it was kept.
local function long_looks(node, looks)
  local list, last = {}, looks[#looks]
  for _, kept in ipairs(node.history("mailboxes", 60)) do
    if kept.age > span(looks) then
      list[#list + 1] = { at_ms = last.at_ms - kept.age * 1000, total = kept.value.total, longest = kept.value.longest }
    end
  end
  for _, look in ipairs(looks) do list[#list + 1] = look end
  return list
end

local function prediction(node)
  local looks, err = take(node)
  if not looks then return nil, err end
  local all, last = long_looks(node, looks), looks[#looks]
  local seconds, word = span(all), pattern(windows_of(all, function(look) return look.total end))
  local per_second = (last.total - all[1].total) / seconds
  local longest_per_second = (last.longest - all[1].longest) / seconds
  local memory = (last.memory - looks[1].memory) / span(looks)
  local answer = { seconds = round(seconds), looks = #all, pattern = word, total_queue_size = last.total,
    max_queue_size = last.longest, growth_per_minute = round(per_second * 60),
    memory_growth_mb_per_minute = round(memory * 60 / 2 ^ 20),
    time_to_crash_estimate_seconds = time_to_crash(node, looks),
    confidence = seconds >= 10 * LASTING and "high" or seconds >= LASTING and "medium" or "low" }
  -- A line is drawn through what rose at every look, and through nothing else.
  if grows(word) then
    answer.predicted_in_5_minutes = math.floor(last.total + per_second * 300)
    answer.predicted_in_15_minutes = math.floor(last.total + per_second * 900)
    if last.longest < CRITICAL and longest_per_second > 0 then
      answer.seconds_to_10000 = math.floor((CRITICAL - last.longest) / longest_per_second)
    end
  end
  return answer
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
  #{total_queue_size => maps:get(total, M), queues_over_1000 => maps:get(over_1000, M),
    queues_over_10000 => maps:get(over_10000, M), max_queue_size => maps:get(longest, M)}.]=],

    mailboxes = WALK .. MAIL .. texts.mailboxes_kept,

    -- The percentiles are those of all processes, most of which have nothing in their mailbox.
    look = WALK .. MAIL .. [=[
  T = Now(), {M, B, A} = Mail(), K = maps:get(process_count, M), N = maps:get(nonempty, M),
  D = lists:reverse(lists:sort(lists:flatmap(fun erlang:binary_to_term/1, A))),
  At = fun(X) -> I = K * (100 - X) div 100 + 1, if I > N -> 0; true -> lists:nth(I, D) end end,
  M#{at_ms => T, memory => erlang:memory(total), queues => [#{pid => Show(P), size => X} || {X, P} <- B],
     percentiles => #{p50 => At(50), p90 => At(90), p95 => At(95), p99 => At(99), max => maps:get(longest, M)}}.]=],

    rows = texts.rows .. [=[ [Y || P <- lists:map(Find, Pids), is_pid(P), Y <- Row(P, #{})].]=],

    -- What the host or the container has left is known to os_mon alone; see the snapshot of `beam`.
    room = texts.words .. [=[
  D = case whereis(memsup) of
    undefined -> [];
    _ -> case catch gen_server:call(memsup, get_system_memory_data, 2000) of [_ | _] = L -> L; _ -> [] end end,
  Some([{available, Get(available_memory, D)}]).]=],
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
        "time_to_crash_estimate_seconds (only where os_mon knows the memory and it grew at every look)" },
      run = state,
    },

    overload_queue_analysis = {
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

    overload_predict_growth = {
      doc = "Where the mailboxes go if it goes on as it did since it was first looked at, an hour at most; nothing is "
        .. "predicted of what did not rise at every look.",
      class = "SAFE",
      cost = COST .. "; the past is kept here",
      returns = { "seconds (looked back)", "looks", "pattern", "total_queue_size", "max_queue_size",
        "growth_per_minute (messages)", "memory_growth_mb_per_minute (of the last three seconds)",
        "predicted_in_5_minutes, predicted_in_15_minutes (messages in all)", "seconds_to_10000 (the longest mailbox)",
        "time_to_crash_estimate_seconds", "confidence (low under a minute of looks, high from ten)" },
      run = prediction,
    },
  },

  aliases = {
    overload_get_queue_status = { "overload_state" },
    overload_get_overloaded_processes = { "overload_queue_analysis" },
    overload_detect_bottlenecks = { "overload_bottleneck" },
    overload_detect_cascades = { "overload_cascade_detection" },
  },
}
