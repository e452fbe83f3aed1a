--- What an expert looks for on the machine: a quota that stops the node, a disk that is full, a clock that was set.

local words = ...
local cite, step = words.cite, words.step

local REST = 3           -- seconds
local LEAST_PERIODS = 10 -- between the looks
local THROTTLED = 0.25   -- of them

local FULL_PCT = 97
-- Of a large disk the last three per cent last for weeks: above this it is told, and accuses nobody.
local ROOM_MB = 2048
-- Read-only by nature, full from the day they were made; or the machine's own.
local NOT_WRITTEN = { "^/snap/", "^/boot", "^/sys/", "^/proc/", "^/dev/", "^/run/", "^/media/", "^/mnt/cdrom",
  "^/etc/" }

local CPU, AGAIN = { "system_get_cpu" }, { "system_get_cpu", after = REST }

local cpu_throttled = {
  id = "cpu_throttled", mechanism = "cpu_throttled",
  expert = "A container whose quota stopped it in a quarter of the periods between two looks.",
  suspect = function(snapshot) return (snapshot.cgroup_throttled or 0) > 0 end,
  look = { CPU, AGAIN },
  confirm = function(results)
    local was, now = results[1], results[2]
    if not (was.cgroup_periods and now.cgroup_periods and was.cgroup_throttled and now.cgroup_throttled) then return end
    local periods, stopped = now.cgroup_periods - was.cgroup_periods, now.cgroup_throttled - was.cgroup_throttled
    if periods < LEAST_PERIODS or stopped < THROTTLED * periods then return end
    return {
      object = "the container's CPU quota",
      figures = cite(results, { { 1, "cgroup_periods" }, { 2, "cgroup_periods" }, { 1, "cgroup_throttled" },
        { 2, "cgroup_throttled" }, { 2, "cgroup_throttled_seconds" }, { 2, "cgroup_cpus" }, { 2, "load_1m" } }),
      severity = "warning", confidence = "high",
      hypothesis = ("The container's quota of %.2f CPUs stopped the node in %d of %d periods while we looked: its "
        .. "schedulers have work and are not let."):format(now.cgroup_cpus, stopped, periods),
      unlike = {
        cpu_saturation = "there the schedulers have no time left; here they are stopped before they are done",
        once_throttled = ("the counter never falls; between the looks it rose by %d"):format(stopped),
      },
      next_steps = {
        step "compare the quota with the schedulers online: as many as it allows CPUs are of use",
        step("raise the quota, or start the node with +S for what it allows", "CAUTION"),
      },
    }
  end,
}

-- At the least, for df rounds its percentage up.
local function left_mb(disk) return disk.total_mb * (100 - disk.used_pct) / 100 end

local function gravity(disk)
  if left_mb(disk) < ROOM_MB then return disk.used_pct >= 99 and "critical" or "warning" end
  return "info"
end

local function written(mount)
  for _, pattern in ipairs(NOT_WRITTEN) do
    if mount:find(pattern) then return false end
  end
  return true
end

local disk_full = {
  id = "disk_full", mechanism = "disk_full", look = { { "system_get_disks" } },
  expert = "A disk that is full: who writes there fails, logs and databases first. Read-only images are always full.",
  suspect = function(snapshot) return (snapshot.disk_max_used_pct or 0) >= FULL_PCT end,
  confirm = function(results)
    for i, disk in ipairs(results[1].disks) do
      if disk.used_pct >= FULL_PCT and written(disk.mount) then
        local at = ("disks[%d]."):format(i)
        return {
          object = disk.mount,
          figures = cite(results, { { 1, at .. "mount" }, { 1, at .. "used_pct" }, { 1, at .. "total_mb" },
            { 1, "total" } }),
          severity = gravity(disk), confidence = "medium",
          hypothesis = ("The disk %s (%.0f MB) is %d %% full, some %.0f MB are left: what the node writes there "
            .. "fails, or will when they are used up."):format(disk.mount, disk.total_mb, disk.used_pct, left_mb(disk)),
          unlike = { read_only_image = ("an image that nobody writes to is full by nature; %s is none of those known")
            :format(disk.mount) },
          next_steps = {
            step(("see what takes the room of %s: du on its machine; os_mon looks every half hour"):format(disk.mount)),
            step("delete or move what is old: logs, dumps", "DANGEROUS"),
          },
        }
      end
    end
  end,
}

-- Daemons that keep time stay within some milliseconds and set the clock by more than 128 of them at once only where it
-- was wrong; the node makes up for as much in 13 s. What is two seconds off was set by somebody, or the machine slept.
local JUMP = 2000 -- milliseconds
local CLOCK, CLOCK_AGAIN = { "system_get_clock" }, { "system_get_clock", after = 1 }

local function apart(result) return math.abs(result.clock_ahead_ms) >= JUMP end

local clock_jump = {
  id = "clock_jump", mechanism = "clock_jump",
  expert = "The machine's clock is seconds from the node's: it was set while the node ran, which follows by 1 %.",
  suspect = function(snapshot) return math.abs(snapshot.clock_ahead_ms or 0) >= JUMP end,
  look = { CLOCK, function(results) return apart(results[1]) and CLOCK_AGAIN or nil end },
  confirm = function(results)
    local now = results[2]
    local off = now.clock_ahead_ms
    if not apart(now) or off * results[1].clock_ahead_ms < 0 then return end
    local seconds, follows = math.abs(off) / 1000, now.corrects and now.warp_mode == "no_time_warp"
    return {
      object = "system clock", severity = "warning", confidence = "high",
      figures = cite(results, { { 2, "clock_ahead_ms" }, { 1, "clock_ahead_ms" }, { 2, "warp_mode" },
        { 2, "corrects" }, { 2, "uptime_seconds" } }),
      hypothesis = ("The machine's clock is %.1f s %s the node's: it was set while the node ran, or the machine stood "
        .. "still. %s Times in its log, in what it stores and of what expires are wrong against other machines by "
        .. "as much; its timers go by another clock."):format(seconds, off > 0 and "ahead of" or "behind",
        follows and ("The node follows by 1 %%, so for another %.0f minutes."):format(seconds * 100 / 60)
          or "The node does not follow."),
      unlike = {
        kept_clock = ("a daemon that keeps time moves a clock by milliseconds; this is %d ms"):format(off),
        long_pause = "a pause of the node leaves its clock where the machine's is; the two differ at both looks",
      },
      next_steps = {
        step "see what set it: the log of chrony or ntpd, a machine that was paused or moved",
        step("let the daemon slew, not step; +C multi_time_warp lets the node follow, where its code can take it",
          "CAUTION"),
        step("a restart takes the new time over at once, and loses what the node holds", "DANGEROUS"),
      },
    }
  end,
}

return { cpu_throttled, disk_full, clock_jump }
