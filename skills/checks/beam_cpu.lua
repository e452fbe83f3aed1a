--- What an expert looks for where one process takes a scheduler. The first look is at the whole node, the next at who
--- stands out.
---
--- A loop and a long batch look alike while they last: it is told from what the process has worked in its life at this
--- pace, and where that is short, by a look a while later.

local words = ...
local object, cite, row_of, share, step, always =
  words.object, words.cite, words.row_of, words.share, words.step, words.always

local FIRST, CLOSE, SHORT = 1500, 2000, 500 -- milliseconds

local OVERVIEW = { "beam_overview", FIRST }
local REDUCERS = { "beam_top_reducers_window", 20, FIRST }

local function watch(row) return row and { "beam_watch_process", row.pid, CLOSE } end

-- Reductions a second. A loop of plain code makes tens of millions; who makes less and runs always is in native code or
-- waits for a lock.
local HOT_PER_SECOND = 2000000

-- Seconds at this pace. What somebody waits for is done sooner; who goes on for longer is worth a person's eye.
local LONG_S = 15
local LEAST_REST_S = 3 -- who worked as much in its life may have done so piece by piece

-- Busy for reasons of their own: whoever uses them has the trouble.
local SERVANTS = { code_server = true, erl_prim_loader = true, logger_std_h_default = true, logger_proxy = true,
  user = true, standard_error = true, ["erts_literal_area_collector:start/0"] = true }

-- How much of the looks stood in functions that are of this kind.
local function inside(w, is)
  local sum = 0
  for _, row in ipairs(w.functions) do
    if is(row.current_function or "") then sum = sum + row.share_pct end
  end
  return sum
end

local function of_regex(func) return func:find "^erlang:re_run" or func:find "^re:" end
local function of_appending(func) return func:find "^erlang:%+%+/2" or func:find "^lists:append/" end

local function of_starting(func) return func:find "^erlang:spawn" end

local function in_regex(w) return inside(w, of_regex) >= 70 end

-- In code that appends little to what is long, every tenth look is in the copying: a loop that does something else by
-- the way is seen there once in a hundred.
local function appends(w) return inside(w, of_appending) >= 10 end

-- One that starts others all the time: what they are too many for, is looked at as a whole.
local function starts_others(w) return inside(w, of_starting) >= 10 end

local function busy_share(w) return share(w, "running", "runnable") end

-- Who does most of the work of the node; on a machine of many cores that is little of all, and twice what anybody else
-- does. Whether it takes a scheduler for itself shows when it is watched.
local function stands_out(results)
  local first, second = results[1].processes[1], results[1].processes[2]
  if not first or first.rate_per_sec < HOT_PER_SECOND then return nil end
  local alone = first.share_pct >= 40 or first.rate_per_sec >= 2 * (second and second.rate_per_sec or 0)
  return alone and not SERVANTS[object(first)] and first or nil
end

-- On a node whose schedulers are full of one kind of work: who has a name of its own and gets as much as any of them.
-- All get the same there, so who rests gets less.
local function stands_beside(results)
  if stands_out(results) then return nil end
  local rows, one = results[1].processes, nil
  local most = rows[1] and rows[1].rate_per_sec or 0
  for _, row in ipairs(rows) do
    if row.share_pct >= 40 then return nil end
    if row.name and not SERVANTS[row.name] and row.rate_per_sec >= most / 2 then
      if one then return nil end
      one = row
    end
  end
  return most >= HOT_PER_SECOND / 4 and one or nil
end

local function who_is_busy(results) return watch(stands_out(results) or stands_beside(results)) end

-- What a process is charged for on a dirty scheduler, is in no sum of the node's work. That is no loop of plain code.
local MOST_SHARE = 120

local function never_blocks(w, row, least)
  return busy_share(w) >= 90 and row.share_pct <= MOST_SHARE and w.queue_max <= 10
    and not in_regex(w) and not appends(w) and not starts_others(w)
    and w.reductions_per_sec >= (least or row.rate_per_sec / 2)
end

-- For how long it has been at it: what it worked in its life, at the pace of now.
local function ran_for(row, w) return (row.reductions or 0) / math.max(1, row.rate_per_sec, w.reductions_per_sec) end

local regex_backtracking = {
  id = "regex_backtracking", mechanism = "regex_backtracking", suspect = always,
  expert = "One process that runs at every look and stands in erlang:re_run: a pattern that backtracks without end.",
  look = { REDUCERS, who_is_busy },
  confirm = function(results)
    local w = results[2]
    local row, i = row_of(results[1].processes, "pid", w.pid)
    if not row or not in_regex(w) or busy_share(w) < 90 then return end
    return {
      object = w.name or object(row),
      figures = cite(results, { { 2, "functions[1].current_function" }, { 2, "functions[1].share_pct" },
        { 2, "statuses[1].status" }, { 2, "statuses[1].share_pct" }, { 2, "seconds" },
        { 1, ("processes[%d].share_pct"):format(i) } }),
      severity = "warning", confidence = "high",
      hypothesis = ("%s spends %d %% of its time inside one regular expression and takes a whole scheduler: the "
        .. "pattern backtracks on what it is given."):format(object(row), inside(w, of_regex)),
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

-- Heaps of a megabyte and more are collected on the schedulers for dirty CPU work. Where one process is busy at every
-- look, these are at work for more than it can be itself, and much is thrown away, collecting is what it does.
local COLLECTS_KB, COLLECTS_MB_PER_SEC = 1024, 50
local PART_OF_ONE = 25 -- percent of one scheduler

local string_building = {
  id = "string_building", mechanism = "string_building", suspect = always,
  expert = "One process that is always busy and stands in ++ again and again: it appends to a list that grows.",
  look = { REDUCERS, who_is_busy },
  confirm = function(results)
    local w = results[2]
    local row, i = row_of(results[1].processes, "pid", w.pid)
    -- Of what is larger, the collections take more than the copying.
    if not row or not appends(w) or busy_share(w) < 70 or w.memory_kb >= COLLECTS_KB then return end
    local _, at = row_of(w.functions, "current_function", "erlang:++/2")
    return {
      object = w.name or object(row),
      figures = cite(results, { { 2, ("functions[%d].share_pct"):format(at or 1) },
        { 2, "functions[1].current_function" }, { 2, "functions[1].share_pct" }, { 2, "collections" },
        { 2, "samples" }, { 2, "seconds" }, { 1, ("processes[%d].share_pct"):format(i) } }),
      severity = "warning", confidence = "medium",
      hypothesis = ("%s appends to a long list again and again: %d %% of %d looks were in ++, which copies the whole "
        .. "list each time, called by %s."):format(object(row), inside(w, of_appending), w.samples,
        w.stack[1] or w.functions[1].current_function),
      unlike = {
        hot_process = ("it is no loop without an end that takes the time, but the copying: %d %% of the looks were in "
          .. "it"):format(inside(w, of_appending)),
        gc_thrash = ("what it holds is little: %d kB"):format(w.memory_kb or 0),
      },
      next_steps = {
        step(("see what %s puts together: add to the front and reverse once at the end, or make an iolist"):format(
          w.stack[1] or w.functions[1].current_function)),
        step "try it with ten times the input: the time should grow tenfold, not a hundredfold",
      },
    }
  end,
}


local function of_one(pct, o) return pct * (o.schedulers or 1) end

-- The work of the normal schedulers, of which one of many has its turn and no more.
local function turns(o)
  local all = (o.utilization_pct or 0) * (o.schedulers_online or 1)
  return all / math.max(1, math.min(o.run_queue or 0, o.run_queue_before or 0))
end

local function collecting(o)
  local dirty = of_one(o.dirty_cpu_pct or 0, o)
  return dirty >= PART_OF_ONE and dirty >= turns(o) and (o.gc_mb_per_sec or 0) >= COLLECTS_MB_PER_SEC
end

local function large_and_busy(w) return busy_share(w) >= 80 and w.memory_kb >= COLLECTS_KB and w.queue_max <= 10 end

local function gc_thrash(id, look, overview, watched)
  return {
    id = id, mechanism = "gc_thrash", suspect = always, look = look,
    expert = "One process with a large heap that is always busy while the dirty CPU schedulers work: it only collects.",
    confirm = function(results)
      local o, w = results[overview], results[watched]
      if not large_and_busy(w) or not collecting(o) then return end
      local name, where = w.name or w.pid, w.stack[1] or w.functions[1].current_function
      return {
        object = name,
        figures = cite(results, { { overview, "gc_mb_per_sec" }, { overview, "gcs_per_sec" },
          { overview, "dirty_cpu_pct" }, { overview, "utilization_pct" }, { overview, "seconds" },
          { watched, "memory_kb" }, { watched, "statuses[1].status" }, { watched, "statuses[1].share_pct" },
          { watched, "functions[1].current_function" } }),
        severity = "warning", confidence = "medium",
        hypothesis = ("%s does little but collect garbage: it is busy at %d %% of the looks with a heap of %d MB, the "
          .. "collections of such heaps take %d %% of a scheduler, and %d MB a second are thrown away, in %s."):format(
          name, busy_share(w), w.memory_kb / 1024, of_one(o.dirty_cpu_pct, o), o.gc_mb_per_sec, where),
        unlike = {
          hot_process = ("a busy loop takes a scheduler for itself; this one had %d %% of one at most"):format(
            turns(o)),
          one_off_long_gc = ("one long collection passes; these were %d a second"):format(o.gcs_per_sec),
          dirty_cpu_exhausted = ("native code throws nothing away; here it were %d MB a second"):format(
            o.gc_mb_per_sec),
        },
        next_steps = {
          step(("see what %s makes anew at each step, and whether it calls erlang:garbage_collect/0 itself"):format(
            where)),
          step("keep what lives long outside of the heap (ETS, persistent_term, binaries)", "CAUTION"),
        },
      }
    end,
  }
end

local gc_alone = gc_thrash("gc_thrash", {
  OVERVIEW,
  function(results)
    local o = results[1]
    for _, row in ipairs(o.top_reducers or {}) do
      if row.memory_kb >= COLLECTS_KB and collecting(o) then return watch(row) end
    end
  end,
}, 1, 2)

local gc_beside = gc_thrash("gc_thrash_beside", {
  REDUCERS,
  function(results) return watch(stands_beside(results)) end,
  function(results) return large_and_busy(results[2]) and OVERVIEW or nil end,
}, 3, 2)

-- The last look, once it has been at it for long; until then it may be a batch that ends.
local function keeps_on(pick, least)
  return function(results)
    local w = results[2]
    local row = row_of(results[1].processes, "pid", w.pid)
    if not row or not pick(results) or not never_blocks(w, row, least) then return nil end
    local rest = math.max(LEAST_REST_S, LONG_S - ran_for(row, w))
    return { "beam_watch_process", w.pid, SHORT, after = math.ceil(rest) }
  end
end

local function hot(id, pick, least, yields_to, of_many)
  return {
    id = id, mechanism = "hot_process", suspect = always, yields_to = yields_to,
    expert = "One process that runs at every look and does most of the work, with an empty mailbox, for longer than a "
      .. "batch would take: it never blocks.",
    look = { REDUCERS, function(results) return watch(pick(results)) end, keeps_on(pick, least) },
    confirm = function(results)
      local w, last = results[2], results[3]
      local row, i = row_of(results[1].processes, "pid", w.pid)
      if not row or not never_blocks(last, row, least) then return end
      local busy, where = busy_share(w), w.functions[1].current_function
      local at = ("processes[%d]."):format(i)
      return {
        object = w.name or object(row),
        figures = cite(results, { { 2, "statuses[1].status" }, { 2, "statuses[1].share_pct" },
          { 2, "reductions_per_sec" }, { 2, "seconds" }, { 2, "functions[1].current_function" }, { 2, "queue_max" },
          { 1, at .. "share_pct" }, { 1, at .. "reductions" }, { 3, "reductions_per_sec" },
          { 3, "statuses[1].share_pct" } }),
        severity = "warning", confidence = of_many and "low" or "medium",
        hypothesis = ("%s never blocks: it ran or wanted to in %d %% of %d looks, always in %s, and %s (%.1f million "
          .. "reductions a second); it has worked for %d s or more and goes on."):format(object(row), busy, w.samples,
          w.stack[#w.stack] or where, of_many and "takes as much as any of the many that fill the schedulers"
          or "takes a whole scheduler for itself", w.reductions_per_sec / 1000000, LONG_S),
        unlike = {
          selective_receive_scan = ("its mailbox is empty (%d at most)"):format(w.queue_max),
          cpu_saturation = of_many and "that is the others; this one has a name of its own and no part in their work"
            or ("the work is not spread: it did %d %% of it alone"):format(row.share_pct),
          bounded_batch_job = ("a batch ends by itself; this one is as busy after %d s and more; only a longer watch "
            .. "can rule a long batch out"):format(LONG_S),
          serialising_process = "nobody's requests wait at it",
        },
        next_steps = {
          step(("look at the loop in %s: what should make it wait, or end?"):format(w.stack[1] or where)),
          step "look again in some minutes, to tell a loop from a long batch",
          step("ending the process frees the scheduler, and loses what it was doing", "DANGEROUS"),
        },
      }
    end,
  }
end

local OTHERS = { ets_contention = "any", selective_receive_scan = "same", serialising_process = "same",
  slow_consumer = "same", gc_thrash = "same", string_building = "same", regex_backtracking = "same" }
local MANY = { cpu_saturation = "any" }
for word, how in pairs(OTHERS) do MANY[word] = how end

local hot_process = hot("hot_process", stands_out, HOT_PER_SECOND, MANY)
local hot_beside = hot("hot_process_beside", stands_beside, nil, OTHERS, true)

return { hot_process, hot_beside, regex_backtracking, string_building, gc_alone, gc_beside }
