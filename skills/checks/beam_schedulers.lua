--- What an expert looks for in the schedulers themselves: too few of them online, or all of the dirty ones taken.

local words = ...
local cite, step, always = words.cite, words.step, words.always

local OVERVIEW = { "beam_overview", 1500 }

local FULL_PCT = 90
local ROOM_PCT = 70 -- above, what comes at once has to wait

-- What may be used is what the machine has, and what a container is given of it: where a quota is less than the cores,
-- as many schedulers are right.
local function may_use(s) return math.min(s.schedulers, s.cores or s.schedulers, s.cpu_quota or s.schedulers) end

local function short(o)
  return o.schedulers_online < o.schedulers
    and (o.utilization_pct >= ROOM_PCT or math.min(o.run_queue, o.run_queue_before) >= 2 * o.schedulers_online)
end

local schedulers_limited = {
  id = "schedulers_limited", mechanism = "schedulers_limited", suspect = always,
  expert = "Fewer schedulers online than there are, those without rest, and no quota that says so.",
  look = { OVERVIEW, function(results) return short(results[1]) and { "beam_get_schedulers" } or nil end },
  confirm = function(results)
    local o, s = results[1], results[2]
    if s.schedulers_online >= may_use(s) then return end
    return {
      object = "schedulers_online", severity = "warning",
      confidence = math.min(o.run_queue, o.run_queue_before) >= s.schedulers_online and "high" or "medium",
      figures = cite(results, { { 2, "schedulers_online" }, { 2, "schedulers" }, { 2, "cores" }, { 2, "cpu_quota" },
        { 1, "utilization_pct" }, { 1, "run_queue_before" }, { 1, "run_queue" }, { 1, "seconds" } }),
      hypothesis = ("Only %d of %d schedulers are online, though %d cores may be used: these were %d %% busy and %d "
        .. "processes waited for one, while the rest of the machine stood idle."):format(s.schedulers_online,
        s.schedulers, may_use(s), o.utilization_pct, o.run_queue),
      unlike = {
        hot_process = ("one process makes no queue; here %d waited"):format(o.run_queue),
        cpu_saturation = ("more work than the machine can do shows with all %d schedulers online"):format(s.schedulers),
        cpu_throttled = s.cpu_quota and ("the quota allows %d"):format(s.cpu_quota) or "no quota is known to the VM",
      },
      next_steps = {
        step "find who set it: erlang:system_flag(schedulers_online, _), or +S in vm.args",
        step(("erlang:system_flag(schedulers_online, %d) puts them to work at once; %d takes it back"):format(
          may_use(s), s.schedulers_online), "CAUTION"),
      },
    }
  end,
}

-- All schedulers of a dirty kind at work, and somebody in the queue for them before and after. The queue of all is read
-- beside the normal ones, whose own queue is short.
local KINDS = {
  { word = "dirty_cpu_exhausted", field = "dirty_cpu_pct", queue = "dirty_cpu_queue", object = "dirty CPU schedulers",
    of = "long native code (NIFs, hashing, collections of large heaps)", flag = "+SDcpu" },
  { word = "dirty_io_exhausted", field = "dirty_io_pct", queue = "dirty_io_queue", object = "dirty IO schedulers",
    of = "files, disks and drivers that do not answer", flag = "+SDio" },
}

local function exhausted(kind)
  return {
    id = kind.word, mechanism = kind.word, suspect = always,
    expert = ("All %s busy over a window and work in the queue for them: %s."):format(kind.object, kind.of),
    look = {
      OVERVIEW,
      function(results)
        local o = results[1]
        return o[kind.field] >= FULL_PCT and math.min(o[kind.queue] or 0, o[kind.queue .. "_before"] or 0) > 0
          and { "beam_busy_groups", 5 } or nil
      end,
    },
    confirm = function(results)
      local o, b = results[1], results[2]
      local group = b.groups[1]
      -- On a node that is full otherwise, most of those who run are not who takes these.
      local clear = group and group.share_pct >= 50 and o.utilization_pct < FULL_PCT
      return {
        object = clear and group.app_function or kind.object, severity = "warning",
        confidence = clear and "high" or "medium",
        figures = cite(results, { { 1, kind.field }, { 1, kind.queue .. "_before" }, { 1, kind.queue },
          { 1, "seconds" }, { 1, "utilization_pct" }, { 2, "busy_min" }, { 2, "groups[1].app_function" },
          { 2, "groups[1].share_pct" } }),
        hypothesis = ("The %s were %d %% busy and %d more wait for one, before and after%s: whatever needs one waits "
          .. "behind %s."):format(kind.object, o[kind.field], math.min(o[kind.queue], o[kind.queue .. "_before"]), clear
          and (", %d %% of those looked at in %s"):format(group.share_pct, group.app_function) or "", kind.of),
        unlike = {
          cpu_saturation = ("the normal schedulers were %d %% busy"):format(o.utilization_pct),
          hot_process = ("%d processes run or wait at every look"):format(b.busy_min),
        },
        next_steps = {
          step(("find why %s takes so long, and how many do it at once"):format(clear and group.app_function
            or "this work")),
          step("limit how many do it at a time: a pool in front of it", "CAUTION"),
          step(("more of these schedulers (%s) help only where the work itself can go faster"):format(kind.flag),
            "CAUTION"),
        },
      }
    end,
  }
end

return { schedulers_limited, exhausted(KINDS[1]), exhausted(KINDS[2]) }
