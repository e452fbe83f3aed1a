-- The system skill against live nodes, with os_mon and without, beside what this machine says to us. What a
-- control group says is played from recorded files: to be put into one, a node would need root.
local uv = require "luv"
local at_work = require "spec.support.at_work"
local live = require "spec.support.live_node"
local skill = require "runtime.skill"

local system = assert(skill.open "system")

local function read(path)
  local file = assert(io.open(path))
  local text = file:read "*a"
  file:close()
  return text
end

local function meminfo(word) return tonumber(read("/proc/meminfo"):match("%f[%w]" .. word .. ":%s*(%d+)")) / 1024 end

local ATTEMPTS = 200

-- The machine moves under us, and other specs run on it: a figure is right that lies between one look before
-- and one after. A wrong one never does.
local function between(read_it, slack, ask)
  local before, value, after
  for _ = 1, ATTEMPTS do
    before, value, after = read_it(), ask(), read_it()
    if value >= math.min(before, after) - slack and value <= math.max(before, after) + slack then break end
  end
  assert.near((before + after) / 2, value, slack + math.abs(before - after) / 2)
end

local function agrees_with_proc(callback)
  for field, place in pairs { load_1m = 1, load_5m = 2, load_15m = 3 } do
    between(function()
      local loads = { read("/proc/loadavg"):match "^(%S+) (%S+) (%S+)" }
      return tonumber(loads[place])
    end, 0.02, function() return callback.system_get_cpu()[field] end)
  end
  between(function() return tonumber((read("/proc/loadavg"):match "/(%d+)")) end, 5,
    function() return callback.system_get_cpu().process_count end)
  local memory = callback.system_get_memory()
  assert.near(meminfo "MemTotal", memory.total_mb, 0.01)
  assert.near(100 * memory.used_mb / memory.total_mb, memory.used_pct, 0.01)
  between(function() return meminfo "MemFree" end, 2, function() return callback.system_get_memory().free_mb end)
  between(function() return meminfo "Cached" + meminfo "SReclaimable" end, 2,
    function() return callback.system_get_memory().cached_mb end)
  between(function() return meminfo "Buffers" end, 2, function() return callback.system_get_memory().buffered_mb end)
  between(function() return meminfo "MemTotal" - meminfo "MemAvailable" end, 2,
    function() return callback.system_get_memory().used_mb end)
end

local function descriptors(os_pid)
  local count, scan = 0, uv.fs_scandir(("/proc/%d/fd"):format(os_pid))
  while uv.fs_scandir_next(scan) do count = count + 1 end
  return count
end

-- Each holds a dirty IO scheduler as a call to a dead disk does, Ms at a time, until it is told to go; it is done
-- when so many wait for one.
local BLOCK = [=[
  L = [spawn(fun() -> (fun F() -> erts_debug:dirty_io(wait, Ms), F() end)() end) || _ <- lists:seq(1, N)],
  register(jam, spawn(fun() -> receive free -> [exit(P, kill) || P <- L] end end)),
  Busy = fun() -> length([P || P <- L, {_, {erts_debug, dirty_io, 2}} <- [process_info(P, current_function)]]) end,
  Full = fun F(0) -> slow;
             F(K) -> case {lists:last(erlang:statistics(run_queue_lengths_all)) >= Waiting, Busy()} of
                       {true, N} -> ok; _ -> receive after 10 -> F(K - 1) end end end,
  Full(3000).]=]

-- A node whose wall clock goes by a file of ours.
local STEPPED = 'head -c 8 /dev/zero > ahead; export STEPPED_CLOCK="$PWD/ahead" LD_PRELOAD="'
  .. uv.cwd() .. '/build/stepped_clock.so"; exec "$@"'

-- Megabytes of every mount, as df has them.
local function mounts()
  local df, sizes = io.popen "df -Pk", {}
  for kb, mount in df:read("*a"):gmatch "\n%S+%s+(%d+)%s+%d+%s+%d+%s+%d+%%%s+(%S+)" do sizes[mount] = kb / 1024 end
  df:close()
  return sizes
end

describe("system skill", function()
  after_each(live.stop_all)

  it("reads load and memory from /proc where os_mon does not run", live.test(function()
    local callback = skill.functions(system, live.start().node)
    agrees_with_proc(callback)
    assert.same({ "/proc", "/proc" }, { callback.system_get_cpu().source, callback.system_get_memory().source })
    assert.matches("^disks are known to disksup alone", callback.system_get_disks().unavailable)
  end))

  it("starts, loads and opens nothing there for it", live.test(function()
    local at = live.start()
    at.eval(at_work) -- what evaluates a question is there for whoever asks one
    local callback = skill.functions(system, at.node)
    local function state()
      return { at.eval "[length(erlang:ports()), length(code:all_loaded()), length(application:which_applications())].",
        descriptors(at.os_pid) }
    end
    local before = state()
    callback.system_get_cpu()
    callback.system_get_memory()
    callback.system_get_disks()
    skill.snapshot(system, at.node)
    assert.same(before, state())
    assert.is_true(skill.available(system, at.node))
  end))

  it("asks os_mon for load, memory and disks where it runs", live.test(function()
    local at = live.start { code = "{ok, _} = application:ensure_all_started(os_mon)." }
    local callback = skill.functions(system, at.node)
    agrees_with_proc(callback)
    assert.same({ "os_mon", "os_mon" }, { callback.system_get_cpu().source, callback.system_get_memory().source })
    local sizes, disks, both = mounts(), callback.system_get_disks(), nil
    for _, disk in ipairs(disks.disks) do both = both or sizes[disk.mount] and disk end -- a chroot has no / of its own
    assert.near(sizes[both.mount], both.total_mb, 0.01)
    assert.equal(disks.disks[1].used_pct, skill.snapshot(system, at.node).disk_max_used_pct)
    local snapshot = skill.snapshot(system, at.node)
    assert.equal(callback.system_get_cpu().load_15m, snapshot.load_15m)
  end))

  it("tells how far the machine's clock is from that of a node that follows it slowly", live.test(function()
    local at = live.start { within = { "sh", "-c", STEPPED, "sh" } }
    local callback = skill.functions(system, at.node)
    local calm = callback.system_get_clock()
    at.eval [==[
      {ok, F} = file:open("ahead", [read, write, raw, binary]),
      ok = file:pwrite(F, 0, [<<(-600000000000):64/signed-native>>]), file:close(F).]==]
    local stepped, truth = callback.system_get_clock(), at.eval("os:system_time(millisecond) - " ..
      "erlang:system_time(millisecond).")
    assert.near(0, calm.clock_ahead_ms, 20)
    assert.near(-600000, stepped.clock_ahead_ms, 1000)
    assert.near(truth, stepped.clock_ahead_ms, 100)
    assert.near(truth, skill.snapshot(system, at.node).clock_ahead_ms, 100)
    assert.same({ "no_time_warp", true }, { stepped.warp_mode, stepped.corrects })
  end))

  it("leaves files alone while others queue for the schedulers that read them", live.test(function()
    local at = live.start { code = "{ok, _} = application:ensure_all_started(os_mon)." }
    local callback = skill.functions(system, at.node)
    assert.equal("ok", tostring(at.eval(BLOCK, { N = 50, Ms = 100, Waiting = 20 })))
    assert.matches("^%d+ jobs wait for the node's dirty IO schedulers", callback.system_get_cpu().unavailable)
    assert.equal("os_mon", callback.system_get_memory().source) -- that one has a program of its own
    at.eval "jam ! free."
  end))

  it("says that file calls hang when its own hang", live.test(function()
    local at = live.start { args = { "+SDio", "2" } }
    local callback = skill.functions(system, at.node)
    assert.equal("ok", tostring(at.eval(BLOCK, { N = 2, Ms = 60000, Waiting = 0 })))
    assert.matches("^the node did not answer within 2 s: its file calls hang", callback.system_get_cpu().unavailable)
  end))

  it("is opened by its other name too", function()
    assert.equal("system", assert(skill.open "os").name)
  end)
end)

describe("system skill in a container", function()
  -- Files as the node would give them; os_mon does not run.
  local function played(files)
    return { query = function(text, variables)
      if text == system.queries.os_mon then return { logical_processors = 8 } end
      local found = {}
      for _, path in ipairs(variables.Paths) do found[path] = files[path] end
      return { files = found }
    end }
  end

  local PROC = { ["/proc/loadavg"] = "0.50 1.25 2.00 3/456 789\n",
    ["/proc/meminfo"] = "MemTotal:       16777216 kB\nMemFree:         4194304 kB\nMemAvailable:    8388608 kB\n"
      .. "Buffers:         1048576 kB\nCached:          2097152 kB\nSwapCached:            0 kB\n" }

  local function node(files) return played(setmetatable(files, { __index = PROC })) end

  local V2 = { ["/proc/self/cgroup"] = "0::/shop.slice/web.service\n",
    ["/sys/fs/cgroup/shop.slice/web.service/memory.max"] = "max\n",
    ["/sys/fs/cgroup/shop.slice/web.service/memory.current"] = "5000000\n",
    ["/sys/fs/cgroup/shop.slice/memory.max"] = "536870912\n",
    ["/sys/fs/cgroup/shop.slice/memory.current"] = "436207616\n",
    ["/sys/fs/cgroup/shop.slice/memory.stat"] = "anon 1048576\nactive_file 7\ninactive_file 33554432\n",
    ["/sys/fs/cgroup/shop.slice/web.service/cpu.max"] = "150000 100000\n",
    ["/sys/fs/cgroup/shop.slice/web.service/cpu.stat"] =
      "usage_usec 9\nnr_periods 1200\nnr_throttled 300\nthrottled_usec 4500000\n" }

  local V1 = { ["/proc/self/cgroup"] = "4:memory:/docker/abc\n3:cpu,cpuacct:/docker/abc\n0::/\n",
    ["/sys/fs/cgroup/memory/memory.limit_in_bytes"] = "268435456\n",
    ["/sys/fs/cgroup/memory/memory.usage_in_bytes"] = "201326592\n",
    ["/sys/fs/cgroup/memory/memory.stat"] = "inactive_file 1\ntotal_inactive_file 67108864\n",
    ["/sys/fs/cgroup/cpu/cpu.cfs_quota_us"] = "50000\n", ["/sys/fs/cgroup/cpu/cpu.cfs_period_us"] = "100000\n",
    ["/sys/fs/cgroup/cpu/cpu.stat"] = "nr_periods 40\nnr_throttled 30\nthrottled_time 2500000000\n" }

  it("takes the tightest limit of its group and those around it", function()
    local memory = assert(skill.call(system, "system_get_memory", {}, node(V2)))
    assert.same({ 512, 384, 75, 50 }, { memory.cgroup_limit_mb, memory.cgroup_used_mb, memory.cgroup_used_pct,
      memory.used_pct })
    local cpu = assert(skill.call(system, "system_get_cpu", {}, node(V2)))
    assert.same({ 1.5, 1200, 300, 4.5, 1.25, 456 }, { cpu.cgroup_cpus, cpu.cgroup_periods, cpu.cgroup_throttled,
      cpu.cgroup_throttled_seconds, cpu.load_5m, cpu.process_count })
  end)

  it("finds the old kind of group, whose path leads nowhere inside", function()
    local memory = assert(skill.call(system, "system_get_memory", {}, node(V1)))
    assert.same({ 256, 128, 50 }, { memory.cgroup_limit_mb, memory.cgroup_used_mb, memory.cgroup_used_pct })
    local cpu = assert(skill.call(system, "system_get_cpu", {}, node(V1)))
    assert.same({ 0.5, 40, 30, 2.5 }, { cpu.cgroup_cpus, cpu.cgroup_periods, cpu.cgroup_throttled,
      cpu.cgroup_throttled_seconds })
  end)

  it("has no limit where none is set", function()
    local free = { ["/proc/self/cgroup"] = "4:memory:/\n1:cpu:/\n",
      ["/sys/fs/cgroup/memory/memory.limit_in_bytes"] = "9223372036854771712\n",
      ["/sys/fs/cgroup/cpu/cpu.cfs_quota_us"] = "-1\n", ["/sys/fs/cgroup/cpu/cpu.cfs_period_us"] = "100000\n" }
    assert.is_nil(assert(skill.call(system, "system_get_memory", {}, node(free))).cgroup_limit_mb)
    assert.is_nil(assert(skill.call(system, "system_get_cpu", {}, node(free))).cgroup_cpus)
  end)

  it("says what would help where there is nothing to read", function()
    local nothing = played {}
    assert.matches("^this node has neither os_mon nor a /proc", skill.snapshot(system, nothing).unavailable)
    assert.matches("^this node has neither", assert(skill.call(system, "system_get_cpu", {}, nothing)).unavailable)
  end)
end)
