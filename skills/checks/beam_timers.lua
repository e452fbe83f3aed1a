--- What an expert looks for in monitors and timers: those that are set and stay, and timers that fire without end. Of
--- no item of a process that is read from outside they are part, so the first show in the allocator of what has one
--- size each, the last in the work of the timer server, which is one process for all who use the module timer.

local words = ...
local object, cite, row_of, share, step, always =
  words.object, words.cite, words.row_of, words.share, words.step, words.always

local FIRST = 1500 -- milliseconds

local OVERVIEW = { "beam_overview", FIRST }
local REDUCERS = { "beam_top_reducers_window", 20, FIRST }

--- Monitors -----------------------------------------------------------------------------------

-- What has one size each (processes, monitors, links, timers) became more than new processes, ports and messages
-- account for. A monitor takes some 120 bytes, a timer 150, a process under 1,000 beside its heap, a message that
-- waits 64 and more (measured on OTP 25, 64 bits).
local FIXED_KB = 6 -- a second: 50 monitors, or 40 timers
local PROCESS_KB, PORT_KB, MESSAGE_KB = 1, 1, 0.15

local function more_of(o, what) return math.max(0, (o[what] or 0) - (o[what .. "_before"] or 0)) end

local function fixed_gained(o)
  return o.fixed_kb - o.fixed_kb_before - PROCESS_KB * more_of(o, "process_count") - PORT_KB * more_of(o, "port_count")
    - MESSAGE_KB * more_of(o, "queued_messages")
end

local function fixed_moves(o) return fixed_gained(o) >= FIXED_KB * o.seconds end

local TIMERS = { "beam_timer_growth", FIRST }

-- Whom all that came speaks for, and nobody else. On a loaded machine some steps are missed.
local function maker_of(t)
  local first, second = t.makers[1], t.makers[2]
  if first and first.share_pct >= 60 and (not second or second.share_pct <= first.share_pct - 30) then return first end
end

-- These looks wake many processes, and whoever looks for idle ones must be done before: so they come third.
local HOLDERS = { "beam_link_holders", 5, 1000 }
local MONITORS = 50  -- a second
local MANY = 500
local function hoarder(holders)
  for i, row in ipairs(holders.processes) do
    if row.monitor_count >= MANY and row.monitor_growth >= MONITORS * holders.seconds then return row, i end
  end
end

local monitor_leak = {
  id = "monitor_leak", mechanism = "monitor_leak", suspect = always,
  expert = "One process that monitors more and more, at two looks: it never takes a monitor back.",
  look = {
    OVERVIEW,
    function(results) return fixed_moves(results[1]) and TIMERS or nil end,
    function(results) return fixed_moves(results[2]) and HOLDERS or nil end,
    function(results) return hoarder(results[3]) and HOLDERS or nil end,
  },
  confirm = function(results)
    local now, i = hoarder(results[4])
    local was, j = row_of(results[3].processes, "pid", now and now.pid)
    if not now or not was or was.monitor_growth < MONITORS * results[3].seconds
      or now.monitor_count <= was.monitor_count then return end
    local at, before = ("processes[%d]."):format(i), ("processes[%d]."):format(j)
    local rate = now.monitor_growth / results[4].seconds
    return {
      object = object(now),
      figures = cite(results, { { 4, at .. "monitor_count" }, { 4, at .. "monitor_growth" }, { 4, "seconds" },
        { 4, at .. "beside_heap_kb" }, { 4, at .. "link_count" }, { 3, before .. "monitor_count" },
        { 3, before .. "monitor_growth" } }),
      severity = "warning", confidence = "high", since = words.since(now.monitor_count, rate),
      hypothesis = ("%s sets %d monitors a second and gives none back: it has %d now, which take %d kB beside its "
        .. "heap."):format(object(now), rate, now.monitor_count, now.beside_heap_kb),
      unlike = {
        link_leak = ("its links are %d"):format(now.link_count),
        many_monitors_by_design = ("a large number stands still; this one went from %d to %d"):format(was.monitor_count,
          now.monitor_count),
        unbounded_state = "what it gains lies beside its heap",
      },
      next_steps = {
        step(("find where %s monitors, and where it should call erlang:demonitor with flush"):format(object(now))),
        step("restarting it removes the monitors and loses its state", "DANGEROUS"),
      },
    }
  end,
}

--- Timers -------------------------------------------------------------------------------------

-- Monitors, links and messages lie in the memory of their process beside its heap; timers do not.
local function timers_pile_up(t)
  local maker = fixed_moves(t) and maker_of(t)
  if maker and maker.beside_heap_growth_kb <= 0.25 * fixed_gained(t) then return maker end
end

local timer_leak = {
  id = "timer_leak", mechanism = "timer_leak", suspect = always, yields_to = { monitor_leak = "any" },
  expert = "What has one size each grows at three looks while processes, ports and messages stand: timers that stay.",
  look = {
    OVERVIEW,
    function(results) return fixed_moves(results[1]) and TIMERS or nil end,
    function(results) return timers_pile_up(results[2]) and TIMERS or nil end,
  },
  confirm = function(results)
    local was, now = timers_pile_up(results[2]), timers_pile_up(results[3])
    if not now or now.pid ~= was.pid then return end
    local t = results[3]
    local rate = fixed_gained(t) / t.seconds
    return {
      object = object(now),
      figures = cite(results, { { 3, "fixed_kb_before" }, { 3, "fixed_kb" }, { 3, "seconds" },
        { 3, "makers[1].share_pct" }, { 3, "makers[1].beside_heap_growth_kb" }, { 3, "process_count_before" },
        { 3, "process_count" }, { 3, "queued_messages" }, { 2, "fixed_kb_before" }, { 2, "makers[1].share_pct" },
        { 1, "fixed_kb_before" } }),
      severity = "warning", confidence = "medium",
      hypothesis = ("%s sets timers and neither cancels them nor do they fire: %.0f kB more of what has one size each "
        .. "every second (about %d timers of 150 bytes), all of it while %s worked."):format(object(now), rate,
        rate * 1024 / 150, object(now)),
      unlike = {
        monitor_leak = ("monitors would lie beside its heap, which gained %d kB there"):format(
          now.beside_heap_growth_kb),
        process_leak = ("processes went from %d to %d"):format(t.process_count_before, t.process_count),
        slow_consumer = ("messages that wait went from %d to %d"):format(t.queued_messages_before, t.queued_messages),
        many_timers_by_design = ("a large number stands still; this went from %d to %d kB, then on to %d"):format(
          results[2].fixed_kb_before, results[2].fixed_kb, t.fixed_kb),
      },
      next_steps = {
        step(("find where %s calls start_timer or send_after, and keep the reference to cancel it when its reason is "
          .. "gone"):format(object(now))),
        step("one timer that looks for all that is due does for many"),
        step("ending the process that they are for removes its timers, and its state", "DANGEROUS"),
      },
    }
  end,
}

-- Where several work whenever a timer is set, as a server and those who call it do, nobody is accused; but what rises
-- like this at three looks is not well. A rush that comes and goes does not keep its pace.
local STEADY_KB = 3 * FIXED_KB -- a second

local function pace(o) return fixed_gained(o) / o.seconds end
local function rises(o) return pace(o) >= STEADY_KB end

local function keeps_pace(results)
  local least, most = math.huge, 0
  for _, o in ipairs(results) do least, most = math.min(least, pace(o)), math.max(most, pace(o)) end
  return least >= STEADY_KB and most <= 3 * least
end

-- Those that worked whenever it came, for who looks on.
local function busy_then(t)
  local names = {}
  for _, row in ipairs(t.makers or {}) do
    if row.share_pct >= 60 then names[#names + 1] = object(row) end
  end
  return #names > 0 and "; at work whenever they came were " .. table.concat(names, ", ") or ""
end

local unexplained_timers = {
  id = "unexplained_timers", mechanism = "other", suspect = always, yields_to = { ["*"] = "any" },
  expert = "What has one size each grows at the same pace at three looks, and nobody alone sets it: say so.",
  look = {
    OVERVIEW,
    function(results) return rises(results[1]) and TIMERS or nil end,
    function(results) return rises(results[2]) and TIMERS or nil end,
  },
  confirm = function(results)
    if not keeps_pace(results) then return end
    local first, t = results[1], results[3]
    return {
      object = "timers", severity = "warning", confidence = "low",
      figures = cite(results, { { 3, "fixed_kb_before" }, { 3, "fixed_kb" }, { 3, "seconds" },
        { 3, "process_count_before" }, { 3, "process_count" }, { 3, "queued_messages" }, { 2, "fixed_kb_before" },
        { 2, "fixed_kb" }, { 1, "fixed_kb_before" }, { 1, "fixed_kb" } }),
      hypothesis = ("What has one size each grows by %.0f kB a second at three looks, as %d timers a second would that "
        .. "are set and neither fire nor are cancelled, or monitors that are never given back%s. Who sets them was not "
        .. "seen."):format(pace(t), pace(t) * 1024 / 150, busy_then(t)),
      unlike = {
        process_leak = ("processes went from %d to %d"):format(first.process_count_before, t.process_count),
        rush_hour = ("a rush does not keep its pace; this was %.0f, %.0f and %.0f kB a second"):format(pace(first),
          pace(results[2]), pace(t)),
      },
      next_steps = {
        step "look again in some minutes: timers of a minute or less stand still by then",
        step "see who calls send_after or start_timer for each request, and cancels it when the request is done",
        step "beam_link_holders shows who has many monitors",
      },
    }
  end,
}

--- Timers that fire without end -----------------------------------------------------------------

-- Reductions a second of the timer server. Each timer that fires is 18 of them (measured on OTP 25), so this is some
-- 20,000 a second, all of them through one process.
local STORM = 400000
local FIRING = 18
local SERVER = { "beam_watch_process", "timer_server", 1000 }

local function server_row(result)
  local row, i = row_of(result.processes, "name", "timer_server")
  if row and row.rate_per_sec >= STORM then return row, i end
end

local timer_storm = {
  id = "timer_storm", mechanism = "timer_storm", suspect = always,
  expert = "The timer server is among the busiest at two looks: timers of the module timer that fire all the time.",
  look = {
    REDUCERS,
    function(results) return server_row(results[1]) and SERVER or nil end,
  },
  confirm = function(results)
    local row, i = server_row(results[1])
    local w = results[2]
    if w.reductions_per_sec < STORM then return end
    local at = ("processes[%d]."):format(i)
    return {
      object = "timer_server",
      figures = cite(results, { { 1, at .. "rate_per_sec" }, { 1, at .. "share_pct" }, { 1, "seconds" },
        { 2, "reductions_per_sec" }, { 2, "seconds" }, { 2, "queue_max" }, { 2, "statuses[1].status" },
        { 2, "statuses[1].share_pct" } }),
      severity = "warning", confidence = "high",
      hypothesis = ("timer_server works without end, %d reductions a second, about %d timers that fire: it is one "
        .. "process for all who use the module timer, and they wait for it."):format(w.reductions_per_sec,
        w.reductions_per_sec / FIRING),
      unlike = {
        hot_process = ("it works on behalf of those who set timers; it ran in %d %% of the looks"):format(
          share(w, "running", "runnable")),
        timer_leak = ("timers that only stay cost it nothing; at the looks it did %d and %d reductions a second")
          :format(row.rate_per_sec, w.reductions_per_sec),
      },
      next_steps = {
        step "find who calls timer:send_interval or apply_interval with a short time, or for each of many things",
        step("use erlang:start_timer or send_after, which need no process, and one tick for many things", "CAUTION"),
      },
    }
  end,
}

return { monitor_leak, timer_leak, unexplained_timers, timer_storm }
