-- The gallery as data: drawn by seed, under names that tell nothing.
local cases = require "spec.faults.cases.init"
local jobs = require "spec.diagnosis.jobs"
local mechanisms = require "runtime.mechanisms"
local program = require "spec.diagnosis.program"
local shop = require "spec.faults.cases.shop"

local function drawn(case, twin, seed) return program.draw({ shop, unpack(case.parts) }, twin, seed) end

local function set(names)
  local found = {}
  for _, name in ipairs(names) do found[name] = true end
  return found
end

local function each(tell)
  for _, case in ipairs(cases) do
    for _, twin in ipairs(case.sick and { false, true } or { false }) do tell(case, drawn(case, twin, "s"), twin) end
  end
end

describe("a program of the gallery", function()
  it("is the same for the same seed", function()
    assert.same(drawn(cases[1], false, "7"), drawn(cases[1], false, "7"))
  end)

  it("is another for another seed", function()
    assert.are_not.equal(drawn(cases[1], false, "7")[2].source, drawn(cases[1], false, "8")[2].source)
  end)

  it("has everything drawn", function()
    local open = {}
    each(function(case, programs)
      for _, p in ipairs(programs) do
        if p.source:find "%$%l" then open[#open + 1] = case.name end
      end
    end)
    assert.same({}, open)
  end)

  it("names what is wrong by a name that stands in it, or by what every node has", function()
    local EVERYWHERE = set { "binary_alloc", "max_heap_size", "schedulers_online", "persistent_term", "code_server",
      "timer_server", "logger", "primary", "level", "dirty_io*", "dirty IO*", "dirty_cpu*", "dirty CPU*", "fd*",
      "max_fds", "file descriptors", "open files*", "file_descriptors", "quota*", "cgroup*",
      "the container's CPU quota", "node names", "mnesia*", "clock*", "system clock", "wall clock",
      "system time*", "time offset", "time_offset",
      "os_system_time" }
    local unknown = {}
    each(function(case, programs)
      for _, p in ipairs(programs) do
        for _, t in ipairs(p.truth) do
          for _, object in ipairs(t.objects) do
            local name = object:gsub("%*$", ""):gsub("^.*:", ""):gsub("/%d$", "")
            if not EVERYWHERE[object] and not p.source:find(name, 1, true) then
              unknown[#unknown + 1] = case.name .. " " .. object
            end
          end
        end
      end
    end)
    assert.same({}, unknown)
  end)

  it("says its mechanism in no word of its own", function()
    local telling = {}
    each(function(case, programs)
      for _, p in ipairs(programs) do
        for word in pairs(mechanisms) do
          if word ~= "other" and p.source:find(word, 1, true) then telling[#telling + 1] = case.name .. " " .. word end
        end
      end
    end)
    assert.same({}, telling)
  end)

  it("has a truth with a known word where something is wrong", function()
    local without = {}
    each(function(case, programs, twin)
      local truths = 0
      for _, p in ipairs(programs) do
        for _, t in ipairs(p.truth) do truths = truths + (mechanisms[t.mechanism] and #t.objects > 0 and 1 or 0) end
      end
      local expected = case.sick and not twin and #case.parts or 0
      if truths ~= expected then without[#without + 1] = case.name end
    end)
    assert.same({}, without)
  end)
end)

describe("the gallery", function()
  it("has a case of its own for every word for a mechanism", function()
    local found, missing = {}, {}
    for _, case in ipairs(cases) do
      for _, t in ipairs(#case.parts == 1 and case.parts[1].truth or {}) do found[t.mechanism] = true end
    end
    for word in pairs(mechanisms) do
      if word ~= "other" and not found[word] then missing[#missing + 1] = word end
    end
    assert.same({}, missing)
  end)

  it("has at least five cases with two causes at once", function()
    local two = 0
    for _, case in ipairs(cases) do two = two + (#case.parts == 2 and 1 or 0) end
    assert.is_true(two >= 5)
  end)

  it("has nothing wrong in at least one third of its cases", function()
    local calm = 0
    for _, case in ipairs(cases) do calm = calm + (case.sick and 0 or 1) end
    assert.is_true(calm * 3 >= #cases)
  end)
end)

describe("the runs of a bench", function()
  local function list(o)
    local keys, asked = {}, { cases = o.cases or "", seed = o.seed or "1", rounds = o.rounds or 1 }
    for i, job in ipairs(assert(jobs.list(cases, asked))) do keys[i] = job.key end
    return keys
  end

  it("are the cases that were named, the sick ones with their twins", function()
    assert.same({ "slow_consumer:sick 1.1", "slow_consumer:twin 1.1", "idle:healthy 1.1" },
      list { cases = "idle,slow_consumer" })
  end)

  it("are one side of a case where that was asked for", function()
    assert.same({ "slow_consumer:twin 1.1" }, list { cases = "slow_consumer:twin" })
  end)

  it("draw anew in each round", function()
    assert.same({ "idle:healthy 3.1", "idle:healthy 3.2" }, list { cases = "idle", seed = "3", rounds = 2 })
  end)

  it("are as many as were asked for, one in three with nothing wrong", function()
    local keys, sick = list { cases = "12" }, 0
    for _, key in ipairs(keys) do sick = sick + (key:find(":sick", 1, true) and 1 or 0) end
    assert.same({ 12, 8 }, { #keys, sick })
  end)

  it("are by lot none that some machine could not plant", function()
    local needy = {}
    for _, job in ipairs(assert(jobs.list(cases, { cases = "999", seed = "1", rounds = 1 }))) do
      needy[#needy + 1] = job.case.needs and job.key
    end
    assert.same({}, needy)
  end)

  it("are at least one third with nothing wrong", function()
    local keys, sick = list {}, 0
    for _, key in ipairs(keys) do sick = sick + (key:find(":sick", 1, true) and 1 or 0) end
    assert.is_true(sick * 3 <= #keys * 2)
  end)

  it("tell of a case that is none", function()
    local _, why = jobs.list(cases, { cases = "slow_consumr", seed = "1", rounds = 1 })
    assert.equal("there is no case slow_consumr", why)
  end)
end)
