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

local function idle_work(o)
  return o.schedulers_online > 1 and o.utilization_pct >= FULL_PCT
    and o.reductions_per_sec < 1.5 * MOST_WORK * o.schedulers_online
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

local ets_contention = {
  id = "ets_contention", mechanism = "ets_contention", suspect = always,
  expert = "Schedulers full with next to no reductions done, several that want to run, and one table whose reads take "
    .. "ten times as long as those of all others.",
  look = {
    OVERVIEW,
    function(results) return idle_work(results[1]) and { "beam_saturation" } or nil end,
    function(results) return wanting(results[2]) >= 2 and { "beam_lock_waits" } or nil end,
  },
  confirm = function(results)
    local o, p, waits = results[1], results[2], results[3]
    local hot, group = slow(waits), p.groups[1]
    if not hot or waits.reductions_per_cpu_sec >= MOST_WORK then return end
    local figures = { { 3, "tables[1].name" }, { 3, "tables[1].read_ns" }, { 3, "usual_ns" }, { 3, "looks" },
      { 3, "looked_at" }, { 3, "reductions_per_cpu_sec" }, { 1, "utilization_pct" }, { 1, "reductions_per_sec" },
      { 1, "seconds" }, { 2, "normal" }, { 2, "schedulers_online" } }
    if group then figures[#figures + 1] = { 2, "groups[1].app_function" } end
    return {
      object = hot.name, figures = cite(results, figures), severity = "warning", confidence = "high",
      hypothesis = ("%d processes fight for table %s, which all may write to and which has one lock: a read of it "
        .. "takes %.1f us, where %.1f us is usual here. The schedulers are %d %% busy and do %.1f million reductions "
        .. "in a second of CPU: they wait for that lock%s."):format(wanting(p), hot.name, hot.read_ns / 1000,
        waits.usual_ns / 1000, o.utilization_pct, waits.reductions_per_cpu_sec / 1000000,
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

return { ets_contention }
