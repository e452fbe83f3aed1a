--- What a control group of Linux, by which containers are made, allows the node: memory and CPU. Both versions of
--- them, from the texts of their files.

local MB = 1024 * 1024
local FOLDERS = 8 -- of a control group within another, so many are looked at

local function round(x) return math.floor(x * 100 + 0.5) / 100 end

-- The control groups of the node that may be limited, innermost first: a limit of an outer one holds too. In
-- a container the path of the outside leads nowhere, and its own group lies at the top.
local function folders(text, controller)
  local version, path
  for line in text:gmatch "[^\n]+" do
    local names, own = line:match "^%d+:([^:]*):(.*)$"
    if names == "" and not version then version, path = 2, own end
    if names and ("," .. names .. ","):find("," .. controller .. ",", 1, true) then version, path = 1, own end
  end
  if not version then return end
  local top, list = version == 2 and "/sys/fs/cgroup" or "/sys/fs/cgroup/" .. controller, {}
  while path:find "[^/]" and #list < FOLDERS do
    list[#list + 1] = top .. path
    path = path:match "^(.*)/[^/]*$"
  end
  list[#list + 1] = top
  return version, list
end

local NAMES = {
  memory = { { limit = "memory.limit_in_bytes", used = "memory.usage_in_bytes", stat = "memory.stat" },
    { limit = "memory.max", used = "memory.current", stat = "memory.stat" } },
  cpu = { { limit = "cpu.cfs_quota_us", period = "cpu.cfs_period_us", stat = "cpu.stat" },
    { limit = "cpu.max", stat = "cpu.stat" } },
}

local function stat(text, word) return tonumber((text or ""):match("%f[^%z\n]" .. word .. " (%d+)")) end

-- The tightest of the groups: { limit, and what else NAMES has }, numbers or texts. `read` gives texts of files by
-- path; `amount` makes a number of a limit, or nothing where there is none.
local function tightest(read, controller, cgroups, amount)
  local version, list = folders(cgroups or "", controller)
  if not version then return end
  local names, paths = NAMES[controller][version], {}
  for _, folder in ipairs(list) do
    for _, name in pairs(names) do paths[#paths + 1] = folder .. "/" .. name end
  end
  local found, err = read(paths)
  if not found then return nil, err end
  local best
  for _, folder in ipairs(list) do
    local group = {}
    for key, name in pairs(names) do group[key] = found[folder .. "/" .. name] end
    group.limit = group.limit and amount(group)
    if group.limit and (not best or group.limit < best.limit) then best = group end
  end
  return best
end

-- Version 1 says a huge number where it means no limit.
local function bytes(group)
  local limit = tonumber(group.limit)
  return limit and limit < 2 ^ 60 and limit or nil
end

local function cpus(group)
  local quota, period = group.limit:match "^(%d+)%s+(%d+)"
  if group.period then quota, period = group.limit:match "^%d+", group.period end
  quota, period = tonumber(quota), tonumber(period)
  return quota and period and period > 0 and quota / period or nil
end

-- Files that nobody used of late would be let go first, so they do not count as used.
local function memory(read, cgroups)
  local group, err = tightest(read, "memory", cgroups, bytes)
  if not group then return nil, err end
  local used, kept = tonumber(group.used), stat(group.stat, "total_inactive_file") or stat(group.stat, "inactive_file")
  used = used and math.max(0, used - (kept or 0))
  return { cgroup_limit_mb = round(group.limit / MB), cgroup_used_mb = used and round(used / MB),
    cgroup_used_pct = used and round(100 * used / group.limit) }
end

local function cpu(read, cgroups)
  local group, err = tightest(read, "cpu", cgroups, cpus)
  if not group then return nil, err end
  local micro, nano = stat(group.stat, "throttled_usec"), stat(group.stat, "throttled_time")
  local seconds = micro and micro / 1e6 or nano and nano / 1e9
  return { cgroup_cpus = round(group.limit), cgroup_periods = stat(group.stat, "nr_periods"),
    cgroup_throttled = stat(group.stat, "nr_throttled"), cgroup_throttled_seconds = seconds and round(seconds) }
end

-- Each: fun(read: fun(paths: string[]): table<string, string>?, any; cgroups: string?): table?, any?  `cgroups` is the
-- node's /proc/self/cgroup. Nothing where there is no limit.
return { cgroup = { memory = memory, cpu = cpu } }
