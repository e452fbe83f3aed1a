--- What an expert looks for where there is more to do than the schedulers can, or work that outranks the rest.
---
--- Asked of the node before its own work, where the snapshot shows a long run queue: what waits behind that work gets
--- its answers late, or never.

local words = ...
local cite, step = words.cite, words.step

local FIRST, CLOSE = 1500, 2000 -- milliseconds

local OVERVIEW, REDUCERS = { "beam_overview", FIRST }, { "beam_top_reducers_window", 20, FIRST }

local SATURATED_PCT = 90

local function saturated(o)
  return o.utilization_pct >= SATURATED_PCT and math.max(o.run_queue, o.run_queue_before) >= 2 * o.schedulers_online
end

local PROBE, PROBE_AGAIN = { "beam_saturation" }, { "beam_saturation", CLOSE }

-- What the snapshot says of it; `starved` when it was itself left waiting.
local function starved(snapshot) return snapshot.starved == true end
local function queued(snapshot) return (snapshot.scheduler_run_queue or 0) >= 2 * (snapshot.schedulers_online or 1) end
local function came_full(snapshot) return not starved(snapshot) and queued(snapshot) end
local function came_calm(snapshot) return not starved(snapshot) and not queued(snapshot) end

-- How many want to run at these priorities, in the emptier of the two looks. On a node of very many processes few or
-- none are looked at, and the run queue tells how many want to.
local function wanting(p, ...)
  local before, now = 0, 0
  for _, class in ipairs { ... } do before, now = before + p[class .. "_before"], now + p[class] end
  return math.min(before, now)
end

-- The part that was looked at; of less than half, nothing is said of the rest.
local function part(p)
  local looked_at = p.looked_at / math.max(1, p.process_count)
  return looked_at >= 0.5 and looked_at or 1
end

local function overfull(p)
  local most = p.looked_at < 0.9 * p.process_count and p.run_queue or wanting(p, "normal", "high", "max")
  return math.min(p.run_queue, p.run_queue_before) >= 2 * p.schedulers_online and most >= 3 * p.schedulers_online
end

local function outranked(p) return wanting(p, "high", "max") >= p.schedulers_online * part(p) end

local function crowded(p) return overfull(p) or outranked(p) end

-- Where most of those stand that were looked at. Who is only just being started stands nowhere.
local function common(p)
  local group = p.groups[1]
  return group and group.app_function ~= "undefined" and group.share_pct >= 50 and group or nil
end

-- `at` says which look is which: the first probe, the last, and the overview where there was one.
local function figures_of(results, class, at)
  local n = at.last
  return cite(results, { { n, "run_queue" }, { n, "run_queue_before" }, { n, "schedulers_online" }, { n, "seconds" },
    { n, class }, { n, "groups[1].app_function" }, { n, "groups[1].share_pct" }, { n, "reductions_per_sec" },
    { at.first, "run_queue" }, { at.first, class }, { at.overview or n, "utilization_pct" } })
end

-- A queue alone is none: who wakes hundreds at once has one for a moment, again and again, and schedulers that rest in
-- between. The overview says whether they do, where the node had the time for one.
local function rested(results, at) return at.overview and results[at.overview].utilization_pct < SATURATED_PCT end

local function full_of_work(results, at)
  local first, p = results[at.first], results[at.last]
  if not overfull(first) or not overfull(p) or outranked(first) or outranked(p) or rested(results, at) then return end
  -- Who waits for a lock uses a scheduler and gets nothing done.
  if p.reductions_per_sec < 500000 * p.schedulers_online then return end
  local group, limited, want = common(p), p.schedulers_online < p.schedulers, math.max(p.normal, p.run_queue)
  return {
    object = group and group.app_function or "schedulers", figures = figures_of(results, "normal", at),
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

-- To start and to end a process takes some microseconds: so many on each scheduler are a good part of what it can do.
-- A node that starts as many and has room is as it should be.
local SPAWNS = 20000

local function storm(p) return (p.spawned_per_sec or 0) >= SPAWNS * p.schedulers_online end

local function too_full(results)
  local p = results[1]
  return (overfull(p) or storm(p)) and not outranked(p) and OVERVIEW or nil
end
local function crowded_first(results) return crowded(results[1]) and PROBE_AGAIN or nil end

-- The snapshot came, with a long run queue or without; or it did not come.
local WAYS = {
  { id = "_first", suspect = came_full, urgent = came_full, at = { first = 1, overview = 2, last = 3 },
    look = { PROBE, too_full, function(results) return not rested(results, { overview = 2 }) and PROBE or nil end } },
  { id = "", suspect = came_calm, at = { overview = 1, first = 2, last = 3 },
    look = { OVERVIEW, function(results) return saturated(results[1]) and PROBE or nil end,
      function(results) return (crowded(results[2]) or storm(results[2])) and PROBE or nil end } },
  { id = "_starved", suspect = starved, urgent = starved, at = { first = 1, last = 2 }, look = { PROBE, crowded_first },
    holds = function() return true end },
}

-- Who does most of the work that is left between: one that is seen starting somebody, before others; then one that
-- has a name, for other work may stand beside that has none.
local function starter(reducers)
  local rows, named = reducers.processes, nil
  for _, row in ipairs(rows) do
    if (row.current_function or ""):find "^erlang:spawn" then return row end
    if row.name and not named and row.rate_per_sec >= rows[1].rate_per_sec / 10 then named = row end
  end
  return named or rows[1]
end

local VM = { erlang = true }

local function spawn_storm(way)
  local function is_one(results)
    return way.at.overview and storm(results[way.at.first]) and storm(results[way.at.last])
      and not rested(results, way.at)
  end
  local look = { unpack(way.look) }
  look[#look + 1] = function(results) return is_one(results) and REDUCERS or nil end
  look[#look + 1] = function(results)
    local row = starter(results[#results])
    return row and { "beam_process_info", row.pid } or nil
  end
  return {
    id = "spawn_storm" .. way.id, mechanism = "spawn_storm", suspect = way.suspect, urgent = way.urgent, look = look,
    expert = "Schedulers full over a window while tens of thousands of processes are started a second on each.",
    confirm = function(results)
      local n, o, who = way.at.last, way.at.overview, results[#look]
      local p, where = results[n], words.own_function(who.stack, VM)
      return {
        object = who.name or where or who.pid, severity = "warning", confidence = "medium",
        figures = cite(results, { { n, "spawned_per_sec" }, { way.at.first, "spawned_per_sec" }, { n, "seconds" },
          { n, "process_count" }, { o, "utilization_pct" }, { o, "seconds" }, { #look, "stack[1]" },
          { #look, "reductions" } }),
        hypothesis = ("%d processes are started a second on %d schedulers that are %d %% busy: starting and ending "
          .. "them is what is done here. %s was the busiest that lasts, in %s."):format(p.spawned_per_sec,
          p.schedulers_online, results[o].utilization_pct, who.name or who.pid, where or "code of the VM"),
        unlike = {
          process_leak = ("they end: %d are there"):format(p.process_count),
          cpu_saturation = ("few of those that want to run have been there for long; %d are started a second"):format(
            p.spawned_per_sec),
          hot_process = "who starts them is busy by that alone",
        },
        next_steps = {
          step(("see what %s starts a process for, and how long one works"):format(where or "the code that is busy")),
          step("do tiny pieces in the caller, or in batches by a few workers that stay", "CAUTION"),
        },
      }
    end,
  }
end

local function cpu_saturation(way)
  return {
    id = "cpu_saturation" .. way.id, mechanism = "cpu_saturation", suspect = way.suspect, urgent = way.urgent,
    holds = way.holds, look = way.look, symptom_of = { "cpu_throttled" },
    yields_to = { schedulers_limited = "any", spawn_storm = "any", ets_contention = "any" },
    expert = "Schedulers full over a window, a long run queue and many that want to run at several looks, the work "
      .. "spread over many equal processes.",
    confirm = function(results) return full_of_work(results, way.at) end,
  }
end

local function short_of_time(snapshot) return starved(snapshot) or queued(snapshot) end

local priority_inversion = {
  id = "priority_inversion", mechanism = "priority_inversion", suspect = short_of_time, urgent = short_of_time,
  expert = "As many processes at high priority want to run as there are schedulers, at every look: the rest starves.",
  -- As long as one of them wants to run, nothing of normal or low priority does, our questions neither.
  holds = function(results) return outranked(results[#results]) end,
  look = { PROBE, function(results) return outranked(results[1]) and PROBE_AGAIN or nil end },
  confirm = function(results)
    local first, p = results[1], results[2]
    if not outranked(first) or not outranked(p) then return end
    local group, above = common(p), p.high + p.max
    return {
      object = group and (group.names[1] or group.app_function) or "schedulers",
      figures = figures_of(results, p.high >= p.max and "high" or "max", { first = 1, last = 2 }),
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

local function unexplained_load(way)
  return {
    id = "unexplained_load" .. way.id, mechanism = "other", suspect = way.suspect, urgent = way.urgent, look = way.look,
    yields_to = { ["*"] = "any" },
    expert = "Schedulers without rest and no cause in sight: say so, and accuse nobody.",
    confirm = function(results)
      local p = results[way.at.last]
      if not crowded(results[way.at.first]) or not crowded(p) or rested(results, way.at) then return end
      return {
        object = "schedulers", severity = "warning", confidence = "low",
        figures = figures_of(results, "normal", way.at),
        hypothesis = ("%d processes wait for %d schedulers at every look, and no check knows why."):format(p.run_queue,
          p.schedulers_online),
        unlike = {}, next_steps = { step "look at beam_busy_groups again: who is there each time?" },
      }
    end,
  }
end

local checks = { priority_inversion }
for _, way in ipairs(WAYS) do
  checks[#checks + 1] = cpu_saturation(way)
  checks[#checks + 1] = spawn_storm(way)
  checks[#checks + 1] = unexplained_load(way)
end

return checks
