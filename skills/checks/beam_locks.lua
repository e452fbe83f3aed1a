--- What an expert looks for where the schedulers are busy and get nothing done: a lock that all of them wait for.

local words = ...
local cite, step, always = words.cite, words.step, words.always

local OVERVIEW = { "beam_overview", 1500 }

local FULL_PCT = 90

-- Reductions in a second of CPU time: 18 to 60 million for plain code, for loops of reads of a table, for one writer
-- alone and for many that work beside; 2 to 7 million where two to ten do nothing but fight for one table (measured on
-- a machine of two cores, busy with other work). Of a second by the clock a busy machine may give the node a third.
local MOST_WORK = 10000000

-- A read under a lock that is free takes 0.1 us, some more in a large ordered set; where it has to wait for the thread
-- that holds it, that thread's turn and being woken, 1 to 20 us.
local SLOW_NS, TIMES_USUAL = 1000, 5

local function little_done(o)
  return o.schedulers_online > 1 and o.reductions_per_sec < 1.5 * MOST_WORK * o.schedulers_online
end

-- One writer alone makes a reader wait too, and nobody else.
local function wanting(p)
  return math.min(p.max_before + p.high_before + p.normal_before, p.max + p.high + p.normal)
end

local function slow(waits)
  local first = waits.tables[1]
  local least = math.max(SLOW_NS, TIMES_USUAL * waits.usual_ns)
  return first and 2 * first.looks > waits.looks and first.read_ns >= least and first or nil
end

local function queued(snapshot) return (snapshot.scheduler_run_queue or 0) >= 2 * (snapshot.schedulers_online or 1) end

-- Beside a fight for a lock the overview comes late, or never. What goes first tells enough where there is a queue:
-- that at both looks more want to run than there are schedulers.
local WAYS = {
  { id = "", suspect = always, at = { full = 1, wanting = 2, waits = 3 }, look = {
    OVERVIEW,
    function(results)
      local o = results[1]
      return o.utilization_pct >= FULL_PCT and little_done(o) and { "beam_saturation" } or nil
    end,
    function(results) return wanting(results[2]) >= 2 and { "beam_lock_waits" } or nil end,
  } },
  { id = "_first", suspect = queued, urgent = queued, at = { full = 1, wanting = 1, waits = 2 }, look = {
    { "beam_saturation" },
    function(results)
      local p = results[1]
      return little_done(p) and wanting(p) > p.schedulers_online and { "beam_lock_waits" } or nil
    end,
  } },
}

local function ets_contention(way)
  local at = way.at
  return {
    id = "ets_contention" .. way.id, mechanism = "ets_contention", suspect = way.suspect, urgent = way.urgent,
    look = way.look,
    expert = "Schedulers full with next to no reductions done, several that want to run, and one table whose reads "
      .. "take ten times as long as those of all others.",
    confirm = function(results)
      local o, p, waits = results[at.full], results[at.wanting], results[at.waits]
      local hot, group = slow(waits), p.groups[1]
      if not hot or waits.reductions_per_cpu_sec >= MOST_WORK then return end
      local figures = { { at.waits, "tables[1].name" }, { at.waits, "tables[1].read_ns" }, { at.waits, "usual_ns" },
        { at.waits, "looks" }, { at.waits, "looked_at" }, { at.waits, "reductions_per_cpu_sec" },
        { at.full, "reductions_per_sec" }, { at.full, "seconds" }, { at.wanting, "normal" },
        { at.wanting, "run_queue" }, { at.wanting, "schedulers_online" } }
      if o.utilization_pct then figures[#figures + 1] = { at.full, "utilization_pct" } end
      if group then figures[#figures + 1] = { at.wanting, "groups[1].app_function" } end
      return {
        object = hot.name, figures = cite(results, figures), severity = "warning", confidence = "high",
        hypothesis = ("%d processes fight for table %s, which all may write to and which has one lock: a read of it "
          .. "takes %.1f us, where %.1f us is usual here. The schedulers are full and do %.1f million reductions in a "
          .. "second of CPU: they wait for that lock%s."):format(wanting(p), hot.name, hot.read_ns / 1000,
          waits.usual_ns / 1000, waits.reductions_per_cpu_sec / 1000000,
          group and ", many of them in " .. group.app_function or ""),
        unlike = {
          cpu_saturation = ("work that gets done makes tens of millions of reductions in a second of CPU; here it were "
            .. "%.1f million"):format(waits.reductions_per_cpu_sec / 1000000),
          hot_process = ("one process fills one scheduler and waits for no lock; here %d want to run"):format(
            wanting(p)),
          large_stable_ets = "how large a table is, does not matter to who reads one key of it",
        },
        next_steps = {
          step(("see who writes to %s%s, and whether all of them write to one key"):format(hot.name, group
            and (": %s is seen most"):format(group.app_function) or "")),
          step("one key that all count in: use counters or atomics, or a key per scheduler", "CAUTION"),
          step("many keys: make the table with {write_concurrency, true}; read by many: read_concurrency", "CAUTION"),
        },
      }
    end,
  }
end

return { ets_contention(WAYS[1]), ets_contention(WAYS[2]) }
