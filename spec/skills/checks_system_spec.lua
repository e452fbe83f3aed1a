-- The checks of system on played answers: no spec may stop its own machine, or fill its disk.
local played = require "spec.support.played_checks"
local find, suspect = played.of "system"

local function cpu(periods, throttled)
  return { load_1m = 2, cgroup_cpus = 0.5, cgroup_periods = periods, cgroup_throttled = throttled,
    cgroup_throttled_seconds = throttled / 10 }
end

local function disks(mount, pct, total_mb)
  return { { total = 1, showing = 1, disks = { { mount = mount, total_mb = total_mb or 1000, used_pct = pct } } } }
end

describe("the checks of system", function()
  it("find a quota that stops the node while we look", function()
    local finding = find("cpu_throttled", { cpu(1000, 500), cpu(1030, 520) })
    assert.matches("quota of 0.50 CPUs stopped the node in 20 of 30 periods", finding.hypothesis, 1, true)
  end)

  it("find nothing where it stopped the node once, or there is no quota any more", function()
    assert.is_nil((find("cpu_throttled", { cpu(1000, 500), cpu(1030, 503) })))
    assert.is_nil((find("cpu_throttled", { cpu(1000, 500), { load_1m = 2 } })))
    assert.is_nil((find("cpu_throttled", { cpu(1000, 500), cpu(1005, 505) })))
  end)

  it("are suspect of a quota that stopped the node before only", function()
    assert.same({ true, false, false }, { suspect("cpu_throttled", { cgroup_throttled = 3 }),
      suspect("cpu_throttled", { cgroup_throttled = 0 }), suspect("cpu_throttled", {}) })
  end)

  it("find a disk that is full", function()
    local finding = find("disk_full", disks("/var/log", 99))
    assert.same({ "/var/log", "critical" }, { finding.object, finding.severity })
  end)

  it("tell of a large disk with gigabytes left, and raise no alarm", function()
    assert.equal("info", find("disk_full", disks("/data", 97, 4000000)).severity)
    assert.equal("warning", find("disk_full", disks("/data", 97, 40000)).severity)
  end)

  local function clock(ms) return { clock_ahead_ms = ms, warp_mode = "no_time_warp", corrects = true } end

  it("find a clock that was set, forwards or back", function()
    assert.matches("60.0 s behind the node's", find("clock_jump", { clock(-60010), clock(-60000) }).hypothesis, 1, true)
    assert.matches("for another 100 minutes", find("clock_jump", { clock(60010), clock(60000) }).hypothesis, 1, true)
  end)

  it("find nothing in a clock that is kept, nor where one look was late", function()
    assert.same({ nil, 1 }, { find("clock_jump", { clock(128) }) })
    assert.is_nil((find("clock_jump", { clock(5000), clock(0) })))
  end)

  it("find nothing in an image that is full by nature, nor in a disk with room", function()
    assert.is_nil((find("disk_full", disks("/snap/core20/1974", 100))))
    assert.is_nil((find("disk_full", disks("/var/log", 96))))
  end)
end)
