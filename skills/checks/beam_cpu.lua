--- What an expert looks for in the use of the CPU: one process that takes a scheduler, or more
--- work than schedulers. Both look at the whole node first, and then at who stands out.
---
--- A loop and a long batch look alike while they last; the check says so instead of guessing.

local FIRST, CLOSE = 1500, 2000 -- milliseconds

local OVERVIEW = { "beam_overview", FIRST }
local REDUCERS = { "beam_top_reducers_window", 10, FIRST }

local function object(row) return row.name or row.current_function or row.pid end

-- "processes[2].queue_growth" of a table.
local function read(value, path)
  for key in path:gmatch "[%w_]+" do
    if type(value) ~= "table" then return nil end
    value = value[tonumber(key) or key]
  end
  return value
end

-- Figures as path and value, read here so that what is cited is what was measured.
local function cite(results, cited)
  local figures = {}
  for _, c in ipairs(cited) do
    local value = read(results[c[1]], c[2])
    if value ~= nil then figures[#figures + 1] = { look = c[1], path = c[2], value = value } end
  end
  return figures
end

local function row_of(rows, key, value)
  for i, row in ipairs(rows or {}) do
    if row[key] == value then return row, i end
  end
end

-- How much of the time a watched process was in one of these states, in percent.
local function share(w, ...)
  local sum = 0
  for _, state in ipairs { ... } do
    local row = row_of(w.statuses, "status", state)
    sum = sum + (row and row.share_pct or 0)
  end
  return sum
end

local function step(text, risk) return { text = text, risk = risk or "SAFE" } end

local function always() return true end

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

local cpu_saturation = {
  id = "cpu_saturation", mechanism = "cpu_saturation", suspect = always,
  expert = "All schedulers full, a long run queue at two looks, the work spread over many equal processes.",
  look = {
    OVERVIEW,
    function(results) return saturated(results[1]) and { "beam_busy_groups", 10 } or nil end,
  },
  confirm = function(results)
    local o, b = results[1], results[2]
    local group = b and b.groups[1]
    if not group or b.busy_min < 3 * b.schedulers_online then return end
    -- Who waits for a lock uses a scheduler and gets nothing done.
    if group.priority ~= "normal" or o.reductions_per_sec < 500000 * o.schedulers_online then return end
    local told, limited = group.share_pct >= 50, o.schedulers_online < o.schedulers
    return {
      object = told and group.app_function or "schedulers",
      figures = cite(results, { { 1, "utilization_pct" }, { 1, "run_queue" }, { 1, "schedulers_online" },
        { 1, "seconds" }, { 2, "busy_min" }, { 2, "busy_max" }, { 2, "run_queue" },
        { 2, "groups[1].app_function" }, { 2, "groups[1].share_pct" } }),
      severity = "critical", confidence = limited and "low" or told and "high" or "medium",
      hypothesis = ("All %d schedulers are busy (%d %%) and %d processes want to run at once%s: there is more work "
        .. "than CPU, and nothing limits how much is started."):format(o.schedulers_online, o.utilization_pct,
        b.busy_max, told and (", %d %% of them in %s"):format(group.share_pct, group.app_function) or ""),
      unlike = {
        hot_process = ("one busy process fills one scheduler; here never less than %d were busy"):format(b.busy_min),
        priority_inversion = ("they run at priority %s"):format(group.priority),
        ets_contention = ("waiting for a lock gets no work done; here %.1f million reductions a second were"):format(
          o.reductions_per_sec / 1000000),
        schedulers_limited = ("%d of %d schedulers are online"):format(o.schedulers_online, o.schedulers),
      },
      next_steps = {
        step(("find what starts so much of %s at once"):format(told and group.app_function or "this work")),
        step("limit how many run at a time (a pool, a queue), or spread the work over more nodes", "CAUTION"),
      },
    }
  end,
}

local unexplained_load = {
  id = "unexplained_load", mechanism = "other", suspect = always, yields_to = { ["*"] = "any" },
  expert = "Schedulers without rest and no cause in sight: say so, and accuse nobody.",
  look = cpu_saturation.look,
  confirm = function(results)
    local o, b = results[1], results[2]
    if not b or b.busy_min < 2 * b.schedulers_online then return end
    return {
      object = "schedulers", severity = "warning", confidence = "low",
      figures = cite(results, { { 1, "utilization_pct" }, { 1, "run_queue" }, { 1, "reductions_per_sec" },
        { 1, "seconds" }, { 2, "busy_min" }, { 2, "busy_max" }, { 2, "groups[1].app_function" } }),
      hypothesis = ("The schedulers are full (%d %%) and %d processes want to run, and no check knows why."):format(
        o.utilization_pct, b.busy_max),
      unlike = {}, next_steps = { step "look at beam_busy_groups again: who is there each time?" },
    }
  end,
}

return { hot_process, regex_backtracking, cpu_saturation, unexplained_load }
