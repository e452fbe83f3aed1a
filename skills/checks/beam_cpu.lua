--- What an expert looks for in the use of the CPU: one process that takes a scheduler, or more
--- work than schedulers. The first looks at the whole node, and then at who stands out; the second is
--- asked first of all where the snapshot says that nobody gets any time.
---
--- A loop and a long batch look alike while they last; the check says so instead of guessing.

local words = ...
local object, cite, row_of, share, step, always =
  words.object, words.cite, words.row_of, words.share, words.step, words.always

local FIRST, CLOSE = 1500, 2000 -- milliseconds

local OVERVIEW = { "beam_overview", FIRST }
local REDUCERS = { "beam_top_reducers_window", 10, FIRST }

local function watch(row) return row and { "beam_watch_process", row.pid, CLOSE } end

local SATURATED_PCT = 90
local HOT_PER_SECOND = 2000000 -- reductions; who works less and runs always is in native code or waits for a lock

-- Busy for reasons of their own: whoever uses them has the trouble.
local SERVANTS = { code_server = true, erl_prim_loader = true, logger_std_h_default = true, logger_proxy = true,
  user = true, standard_error = true, ["erts_literal_area_collector:start/0"] = true }

local function saturated(o)
  return o.utilization_pct >= SATURATED_PCT and math.max(o.run_queue, o.run_queue_before) >= 2 * o.schedulers_online
end

-- Whoever stands in the regular expressions of the VM at most looks.
local function in_regex(w)
  local sum = 0
  for _, row in ipairs(w.functions) do
    if row.current_function:find "^erlang:re_run" or row.current_function:find "^re:" then sum = sum + row.share_pct end
  end
  return sum
end

local function stands_out(results)
  local first = results[1].processes[1]
  if not first or first.share_pct < 40 or first.rate_per_sec < HOT_PER_SECOND then return nil end
  return not SERVANTS[object(first)] and watch(first) or nil
end

local regex_backtracking = {
  id = "regex_backtracking", mechanism = "regex_backtracking", suspect = always,
  expert = "One process that runs at every look and stands in erlang:re_run: a pattern that backtracks without end.",
  look = { REDUCERS, stands_out },
  confirm = function(results)
    local w = results[2]
    local row, i = row_of(results[1].processes, "pid", w.pid)
    local inside = in_regex(w)
    if not row or inside < 70 or share(w, "running", "runnable") < 90 then return end
    return {
      object = w.name or object(row),
      figures = cite(results, { { 2, "functions[1].current_function" }, { 2, "functions[1].share_pct" },
        { 2, "statuses[1].status" }, { 2, "statuses[1].share_pct" }, { 2, "seconds" },
        { 1, ("processes[%d].share_pct"):format(i) } }),
      severity = "warning", confidence = "high",
      hypothesis = ("%s spends %d %% of its time inside one regular expression and takes a whole scheduler: the "
        .. "pattern backtracks on what it is given."):format(object(row), inside),
      unlike = {
        hot_process = ("a busy loop changes its place; this one stands in %s"):format(w.functions[1].current_function),
        selective_receive_scan = ("its mailbox held %d messages at most"):format(w.queue_max),
      },
      next_steps = {
        step "find the pattern: nested repetition over the same characters, as in (a+)+, on text from outside",
        step("give re:run a match_limit, or rewrite the pattern", "CAUTION"),
        step("ending the process frees the scheduler and loses its work", "DANGEROUS"),
      },
    }
  end,
}

local hot_process = {
  id = "hot_process", mechanism = "hot_process", suspect = always,
  yields_to = { selective_receive_scan = "same", serialising_process = "same", slow_consumer = "same",
    cpu_saturation = "any" },
  expert = "One process that runs at every look and does most of the work, with an empty mailbox: it never blocks.",
  look = { REDUCERS, stands_out },
  confirm = function(results)
    local w = results[2]
    local row, i = row_of(results[1].processes, "pid", w.pid)
    local busy, where = share(w, "running", "runnable"), w.functions[1].current_function
    if not row or busy < 90 or w.queue_max > 10 or w.reductions_per_sec < HOT_PER_SECOND then return end
    if in_regex(w) >= 70 then return end
    local at = ("processes[%d]."):format(i)
    return {
      object = w.name or object(row),
      figures = cite(results, { { 2, "statuses[1].status" }, { 2, "statuses[1].share_pct" },
        { 2, "reductions_per_sec" }, { 2, "seconds" }, { 2, "functions[1].current_function" }, { 2, "queue_max" },
        { 1, at .. "share_pct" } }),
      severity = "warning", confidence = "medium",
      hypothesis = ("%s never blocks: it ran in %d %% of %d looks, always in %s, and takes a whole scheduler for "
        .. "itself (%d million reductions a second)."):format(object(row), busy, w.samples,
        w.stack[#w.stack] or where, w.reductions_per_sec / 1000000),
      unlike = {
        selective_receive_scan = ("its mailbox is empty (%d at most)"):format(w.queue_max),
        cpu_saturation = ("the work is not spread: it did %d %% of it alone"):format(row.share_pct),
        bounded_batch_job = ("a batch ends by itself; this one was as busy at the second look, %.1f s on; "
          .. "only a longer watch can rule a long batch out"):format(w.seconds),
        serialising_process = "nobody's requests wait at it",
      },
      next_steps = {
        step(("look at the loop in %s: what should make it wait, or end?"):format(w.stack[1] or where)),
        step("look again in some minutes, to tell a loop from a long batch"),
        step("ending the process frees the scheduler, and loses what it was doing", "DANGEROUS"),
      },
    }
  end,
}

--- More to do than the schedulers can: asked of the node before its own work, for what waits behind
--- that work would get its answers late or never.

local PROBE, PROBE_AGAIN = { "beam_saturation" }, { "beam_saturation", CLOSE }

-- What the snapshot says of it; `starved` when it was itself left waiting.
local function no_time_left(snapshot)
  return snapshot.starved == true or (snapshot.scheduler_run_queue or 0) >= 2 * (snapshot.schedulers_online or 1)
end

-- How many want to run at these priorities, in the emptier of the two looks. On a node of very many
-- processes nobody is looked at, and only the run queue tells.
local function wanting(p, ...)
  local before, now = 0, 0
  for _, class in ipairs { ... } do before, now = before + p[class .. "_before"], now + p[class] end
  return math.min(before, now)
end

local function overfull(p)
  local most = p.looked_at == 0 and p.run_queue or wanting(p, "normal", "high", "max")
  return math.min(p.run_queue, p.run_queue_before) >= 2 * p.schedulers_online and most >= 3 * p.schedulers_online
end

local function outranked(p) return wanting(p, "high", "max") >= p.schedulers_online end

local function crowded(p) return overfull(p) or outranked(p) end

-- Where most of those stand that were looked at.
local function common(p)
  local group = p.groups[1]
  return group and group.share_pct >= 50 and group or nil
end

local function figures_of(results, class)
  local n = #results
  return cite(results, { { n, "run_queue" }, { n, "run_queue_before" }, { n, "schedulers_online" }, { n, "seconds" },
    { n, class }, { n, "groups[1].app_function" }, { n, "groups[1].share_pct" }, { n, "reductions_per_sec" },
    { n - 1, "run_queue" }, { n - 1, class } })
end

local function full_of_work(results)
  local first, p = results[#results - 1], results[#results]
  if not overfull(first) or not overfull(p) or outranked(first) or outranked(p) then return end
  -- Who waits for a lock uses a scheduler and gets nothing done.
  if p.reductions_per_sec < 500000 * p.schedulers_online then return end
  local group, limited, want = common(p), p.schedulers_online < p.schedulers, math.max(p.normal, p.run_queue)
  return {
    object = group and group.app_function or "schedulers", figures = figures_of(results, "normal"),
    severity = "critical", confidence = limited and "low" or group and "high" or "medium",
    hypothesis = ("%d processes want to run at once on %d schedulers%s, at every look: there is more work than CPU, "
      .. "and nothing limits how much is started."):format(want, p.schedulers_online, group
      and (", %d %% of those looked at in %s"):format(group.share_pct, group.app_function) or ""),
    unlike = {
      hot_process = ("one busy process fills one scheduler; here never less than %d waited for one"):format(
        math.min(p.run_queue, p.run_queue_before)),
      priority_inversion = ("%d of them have a priority above normal"):format(p.high + p.max),
      ets_contention = ("waiting for a lock gets no work done; here %.1f million reductions a second were"):format(
        p.reductions_per_sec / 1000000),
      schedulers_limited = ("%d of %d schedulers are online"):format(p.schedulers_online, p.schedulers),
    },
    next_steps = {
      step(("find what starts so much of %s at once"):format(group and group.app_function or "this work")),
      step("limit how many run at a time (a pool, a queue), or spread the work over more nodes", "CAUTION"),
    },
  }
end

local function still_crowded(results) return crowded(results[1]) and PROBE_AGAIN or nil end

local cpu_saturation = {
  id = "cpu_saturation_first", mechanism = "cpu_saturation", suspect = no_time_left, urgent = no_time_left,
  expert = "A snapshot with a long run queue, or starved: ask beam_saturation before all else, which would wait.",
  holds = function(_, snapshot) return snapshot.starved == true end,
  look = { PROBE, still_crowded }, confirm = full_of_work,
}

local priority_inversion = {
  id = "priority_inversion", mechanism = "priority_inversion", suspect = no_time_left, urgent = no_time_left,
  expert = "As many processes at high priority want to run as there are schedulers, at every look: the rest starves.",
  -- As long as one of them wants to run, nothing of normal or low priority does, our questions neither.
  holds = function(results) return outranked(results[#results]) end,
  look = { PROBE, still_crowded },
  confirm = function(results)
    local first, p = results[1], results[2]
    if not outranked(first) or not outranked(p) then return end
    local group, above = common(p), p.high + p.max
    return {
      object = group and (group.names[1] or group.app_function) or "schedulers",
      figures = figures_of(results, p.high >= p.max and "high" or "max"),
      severity = "critical", confidence = group and p.normal > 0 and "high" or "medium",
      hypothesis = ("%d processes at high priority want to run on %d schedulers, at every look%s. Whatever has normal "
        .. "priority waits until none of them does: %d processes at this moment."):format(above, p.schedulers_online,
        group and (", %d %% of them in %s"):format(group.share_pct, group.app_function) or "", p.normal),
      unlike = {
        cpu_saturation = ("there all take turns; here %d have a priority above normal and %d have not"):format(above,
          p.normal),
        hot_process = ("a hot process leaves the other schedulers to the rest; here %d are fought for by %d"):format(
          p.schedulers_online, above),
      },
      next_steps = {
        step(("see who raises the priority of %s, and why"):format(group and group.app_function or "these processes")),
        step("give them normal priority again: process_flag(priority, normal) in their own code", "CAUTION"),
        step("ending them frees the schedulers and loses what they were doing", "DANGEROUS"),
      },
    }
  end,
}

-- The same where the snapshot did not say so yet.
local function time_left(snapshot) return not no_time_left(snapshot) end
local function filled(results) return saturated(results[1]) and PROBE or nil end
local function still_filled(results) return crowded(results[2]) and PROBE_AGAIN or nil end

local saturation_since = {
  id = "cpu_saturation", mechanism = "cpu_saturation", suspect = time_left,
  expert = "All schedulers full, a long run queue at two looks, the work spread over many equal processes.",
  look = { OVERVIEW, filled, still_filled }, confirm = full_of_work,
}

local function nobody_knows(id, suspect, look)
  return {
    id = id, mechanism = "other", suspect = suspect, yields_to = { ["*"] = "any" },
    expert = "Schedulers without rest and no cause in sight: say so, and accuse nobody.",
    look = look,
    confirm = function(results)
      local n = #results
      local first, p = results[n - 1], results[n]
      if not crowded(first) or not crowded(p) then return end
      return {
        object = "schedulers", severity = "warning", confidence = "low",
        figures = cite(results, { { n, "run_queue" }, { n, "run_queue_before" }, { n, "schedulers_online" },
          { n, "reductions_per_sec" }, { n, "seconds" }, { n, "groups[1].app_function" } }),
        hypothesis = ("%d processes wait for %d schedulers at every look, and no check knows why."):format(p.run_queue,
          p.schedulers_online),
        unlike = {}, next_steps = { step "look at beam_busy_groups again: who is there each time?" },
      }
    end,
  }
end

local unexplained_load = nobody_knows("unexplained_load", time_left, saturation_since.look)
local unexplained_first = nobody_knows("unexplained_load_first", no_time_left, cpu_saturation.look)

return { hot_process, regex_backtracking, cpu_saturation, priority_inversion, saturation_since, unexplained_load,
  unexplained_first }
