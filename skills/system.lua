--- The machine under the node: load, memory, disks, and what its container may use of them. Where os_mon
--- runs on the node it is asked; else /proc is read there, and control groups always are.

local texts = ...
local cgroup = texts.cgroup

-- A file call waits for a dirty IO scheduler. Where these are what is stuck, a call would wait with them
-- and cpu_sup, which reads files too, would be brought to a halt: so nothing is read while others queue for
-- them at four looks, and what happens to wait all the same is ended after PATIENCE.
local GUARDED = texts.words .. [=[
  Q = fun() -> lists:last(erlang:statistics(run_queue_lengths_all)) end,
  W = lists:foldl(fun(_, 0) -> 0; (N, _) -> receive after N -> Q() end end, Q(), [20, 40, 80]),
  Number = fun(X) when is_number(X) -> X; (_) -> undefined end,
]=]
local PATIENCE = 2 -- seconds

-- Milliseconds that the machine's clock is ahead of the node's, which follows it slowly (by 1 % at most) unless it was
-- started to warp. Read before and after: what time passes between the two is no difference.
local AHEAD = [=[
  Ahead = fun() -> A = erlang:system_time(millisecond), X = os:system_time(millisecond),
    B = erlang:system_time(millisecond), if X < A -> X - A; X > B -> X - B; true -> 0 end end,
]=]

local MB = 1024 * 1024

local function round(x) return math.floor(x * 100 + 0.5) / 100 end
local function pct(part, of) return of > 0 and round(100 * part / of) or nil end

local function hung(err)
  if not tostring(err):find("no answer after", 1, true) then return nil, err end
  return { unavailable = ("the node did not answer within %d s: its file calls hang, or it has no time for us; "
    .. "beam_scheduler_utilization shows its dirty IO schedulers, and its machine can be looked at"):format(PATIENCE) }
end

local function busy(waiting)
  return { unavailable = ("%d jobs wait for the node's dirty IO schedulers, so its files are left alone; "
    .. "beam_scheduler_utilization shows these, ask again when they are free"):format(waiting) }
end

-- Texts of files by path; of those that cannot be read there are none.
local function files(node, paths)
  local seen, err = node.ask("files", { paths = paths }, PATIENCE)
  if not seen then return hung(err) end
  if seen.waiting then return busy(seen.waiting) end
  return seen.files
end

-- What os_mon says, as far as it runs.
local function os_mon(node)
  local seen, err = node.ask("os_mon", nil, PATIENCE)
  if not seen then return hung(err) end
  return seen
end

-- Adds what the node's control group allows. Files that hang now hide nothing of what is known already.
local function with_limits(node, found, into, ...)
  local function read(paths)
    local texts_of, err = files(node, paths)
    if texts_of and texts_of.unavailable then return {} end
    return texts_of, err
  end
  for _, limits in ipairs { ... } do
    local group, err = limits(read, found["/proc/self/cgroup"])
    if err then return nil, err end
    for key, value in pairs(group or {}) do into[key] = value end
  end
  return into
end

local function load_of(known, found)
  if known.load then
    local l = known.load
    return { load_1m = round(l[1] / 256), load_5m = round(l[2] / 256), load_15m = round(l[3] / 256),
      process_count = known.process_count, source = "os_mon" }
  end
  local a, b, c, count = (found["/proc/loadavg"] or ""):match "^(%S+) (%S+) (%S+) %d+/(%d+)"
  if not a then return end
  return { load_1m = tonumber(a), load_5m = tonumber(b), load_15m = tonumber(c), process_count = tonumber(count),
    source = "/proc" }
end

-- `available` counts what the kernel would give without swapping; older kernels do not say it.
local function memory_of(known, found)
  local figures, source = known.memory, "os_mon"
  if not figures then
    local info = found["/proc/meminfo"]
    if not info then return end
    local function kb(word) return tonumber(info:match("%f[^%z\n]" .. word .. ":%s*(%d+)")) end
    figures, source = {}, "/proc"
    for key, word in pairs { total = "MemTotal", free = "MemFree", available = "MemAvailable", buffered = "Buffers",
      cached = "Cached" } do
      figures[key] = kb(word) and kb(word) * 1024
    end
    if figures.cached then figures.cached = figures.cached + (kb "SReclaimable" or 0) * 1024 end -- as os_mon does
  end
  local total = figures.total
  if not total or not figures.free then return end
  local spare = figures.available or figures.free + (figures.buffered or 0) + (figures.cached or 0)
  local function mb(x) return x and round(x / MB) end
  return { total_mb = mb(total), used_mb = mb(total - spare), free_mb = mb(figures.free), used_pct = pct(total - spare,
    total), buffered_mb = mb(figures.buffered), cached_mb = mb(figures.cached), source = source }
end

local function disks_of(known)
  if not known.disks then return end
  local rows = {}
  for i, disk in ipairs(known.disks) do
    rows[i] = { mount = disk.mount, total_mb = round(disk.kb / 1024), used_pct = disk.used_pct }
  end
  table.sort(rows, function(a, b)
    if a.used_pct ~= b.used_pct then return a.used_pct > b.used_pct end
    return a.mount < b.mount
  end)
  return rows
end

local PROC = { "/proc/loadavg", "/proc/meminfo", "/proc/self/cgroup" }
local NOWHERE = { unavailable = "this node has neither os_mon nor a /proc that it may read; start os_mon there "
  .. "(name it among the applications), or look at its machine" }

local function first_reason(known, found)
  return known.unavailable and known or found.unavailable and found or NOWHERE
end

-- What both sources say of one thing, and of the container. Files that hang hide no figure of os_mon.
local function figures(node, of, limits)
  local known, found, value, err
  known, err = os_mon(node)
  if not known then return nil, err end
  found, err = files(node, PROC)
  if not found then return nil, err end
  value = of(known, found)
  if not value then return first_reason(known, found) end
  if found.unavailable then return value end
  return with_limits(node, found, value, limits)
end

local COST = "reads up to 30 small files of /proc and /sys/fs/cgroup on a dirty IO scheduler, unless others queue "
  .. "for these; asks %s of os_mon where it runs; 2 s at most each"

---@type Skill
return {
  name = "system",
  also = { "os" },
  title = "The machine",
  about = "Load, memory, disks and clock of the node's machine, and the limits of its container.",

  prompt = [[
You look after the machine under one BEAM node: its load, memory, disks and clock, and the limits of its container.
Load counts what runs or waits, also for disks: 1.0 is one CPU's worth, so compare it with logical_processors,
and with cgroup_cpus where there is one. Worth a notification: a load well above the CPUs at each look; memory over
90 % of the machine, or of the control group, whose limit ends the node without a word; cgroup_throttled that rises
between two looks; a disk over 90 %; a clock that was set by seconds while the node ran. Not worth one: memory that
files are cached in, a load that is falling.]],

  needs = "Linux (its /proc), or os_mon on the node; disks need os_mon",
  available = function(node)
    local seen, err = node.ask "present"
    if not seen then return tostring(err) end
    if seen.linux or #seen.running > 0 then return true end
    return ("%s has no /proc, and os_mon does not run on the node: start it there"):format(seen.os)
  end,

  snapshot = function(node)
    local known, found, err
    known, err = os_mon(node)
    if not known then return nil, err end
    found, err = files(node, PROC)
    if not found then return nil, err end
    local load, memory, disks = load_of(known, found), memory_of(known, found), disks_of(known)
    if not (load or memory or disks) then return first_reason(known, found) end
    load, memory = load or {}, memory or {}
    local seen = { load_1m = load.load_1m, load_5m = load.load_5m, load_15m = load.load_15m,
      logical_processors = known.logical_processors, memory_used_pct = memory.used_pct,
      clock_ahead_ms = known.clock_ahead_ms,
      disk_max_used_pct = disks and disks[1] and disks[1].used_pct }
    if found.unavailable then return seen end
    return with_limits(node, found, seen, cgroup.memory, cgroup.cpu)
  end,

  queries = {
    present = [=[
  {_, N} = erlang:system_info(os_type),
  #{linux => N =:= linux, os => atom_to_binary(N),
    running => [atom_to_binary(X) || X <- [cpu_sup, memsup, disksup], whereis(X) =/= undefined]}.]=],

    -- prim_file is part of the emulator, and asks no file server.
    files = GUARDED .. [=[
  case W of
    0 -> #{files => maps:from_list([{P, X} || P <- Paths, {ok, X} <- [prim_file:read_file(P)], size(X) < 65536])};
    _ -> #{waiting => W} end.]=],

    -- disksup tells what it saw at its last round.
    os_mon = GUARDED .. AHEAD .. [=[
  On = fun(X) -> whereis(X) =/= undefined end,
  L = case On(cpu_sup) andalso W =:= 0 of
    true -> case catch [cpu_sup:avg1(), cpu_sup:avg5(), cpu_sup:avg15(), cpu_sup:nprocs()] of
              [A, B, D, N] when is_integer(A), is_integer(B), is_integer(D) ->
                [{load, [A, B, D]}, {process_count, Number(N)}];
              _ -> [] end;
    false -> [] end,
  M = case On(memsup) andalso (catch memsup:get_system_memory_data()) of
    [_ | _] = X -> [{memory, Some([{K, Number(Get(I, X))} || {K, I} <- [{total, total_memory}, {free, free_memory},
                     {available, available_memory}, {buffered, buffered_memory}, {cached, cached_memory}]])}];
    _ -> [] end,
  H = case On(disksup) andalso (catch disksup:get_disk_data()) of
    [_ | _] = Y -> [{disks, [#{mount => unicode:characters_to_binary(I), kb => K, used_pct => P}
                             || {I, K, P} <- Y, K > 0]}];
    _ -> [] end,
  Some([{logical_processors, Number(erlang:system_info(logical_processors))}, {clock_ahead_ms, Ahead()}
        | L ++ M ++ H]).]=],

    clock = AHEAD .. [=[
  #{clock_ahead_ms => Ahead(), warp_mode => atom_to_binary(erlang:system_info(time_warp_mode)),
    corrects => erlang:system_info(time_correction),
    uptime_seconds => element(1, erlang:statistics(wall_clock)) div 1000}.]=],
  },

  callbacks = {
    system_get_cpu = {
      brief = "Load, and the CPUs that the container may use",
      doc = "The machine's load, and where the node's control group is limited, how many CPUs it may use, and how "
        .. "often it was stopped for having used them.",
      class = "SAFE",
      cost = COST:format "cpu_sup",
      returns = { "load_1m", "load_5m", "load_15m (1.0 is one CPU)", "process_count (on Linux threads, of the machine)",
        "logical_processors", "source (os_mon or /proc)", "cgroup_cpus (its quota)", "cgroup_periods",
        "cgroup_throttled (of the periods, those in which it was stopped)", "cgroup_throttled_seconds" },
      run = function(node)
        return figures(node, function(known, found)
          local load = load_of(known, found)
          if load then load.logical_processors = known.logical_processors end
          return load
        end, cgroup.cpu)
      end,
    },

    system_get_memory = {
      doc = "The machine's memory, and the limit of the node's control group where it has one.",
      class = "SAFE",
      cost = COST:format "memsup",
      returns = { "total_mb", "used_mb", "free_mb", "used_pct", "buffered_mb",
        "cached_mb (with what the kernel can reclaim)", "source (os_mon or /proc)",
        "cgroup_limit_mb", "cgroup_used_mb (without cached files that nobody used of late)", "cgroup_used_pct" },
      run = function(node) return figures(node, memory_of, cgroup.memory) end,
    },

    system_get_clock = {
      doc = "How far the clock of the machine is from the node's own, which follows a clock that was set only slowly.",
      class = "SAFE",
      cost = "two clocks are read",
      returns = { "clock_ahead_ms (of the machine's clock; negative: behind)",
        "warp_mode (no_time_warp: the node catches up by 1 % at most)", "corrects (false: not at all)",
        "uptime_seconds" },
      query = "clock",
    },

    system_get_disks = {
      doc = "The machine's disks as os_mon saw them in its last round (every half hour by default), fullest first.",
      class = "SAFE",
      cost = "one call to disksup, which answers from its state",
      returns = { "total", "showing", "disks[]: mount, total_mb, used_pct" },
      run = function(node)
        local known, err = os_mon(node)
        if not known then return nil, err end
        if known.unavailable then return known end
        local rows = disks_of(known)
        if not rows then
          return { unavailable = "disks are known to disksup alone, a part of os_mon that does not run on this node: "
            .. "start os_mon there (name it among the applications), or run df on its machine" }
        end
        local first = { unpack(rows, 1, 50) }
        return { total = #rows, showing = #first, disks = first }
      end,
    },
  },
}
