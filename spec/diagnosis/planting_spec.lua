-- What is planted is there, and a node is started within what a case wants: told by another road than the analyst's.
local cases = require "spec.faults.cases.init"
local live = require "spec.support.live_node"
local planting = require "spec.diagnosis.planting"
local program = require "spec.diagnosis.program"
local ticker = require "spec.diagnosis.ticker"

local function part_of(name)
  for _, case in ipairs(cases) do
    if case.name == name then return case.parts[1] end
  end
end

describe("a node of the gallery", function()
  local at, drawn

  setup(live.test(function()
    local parts = { part_of "fd_limit", part_of "clock_jump", ticker.part }
    drawn = program.draw(parts, false, "planted")
    at = planting.start(drawn)
  end))
  teardown(live.stop_all)

  local function value(text) return at.eval(text) end

  it("may have as many files as was drawn", live.test(function()
    local files = tonumber(drawn[1].within[3]:match "ulimit %-n (%d+)")
    local file = assert(io.open(("/proc/%d/limits"):format(at.os_pid)))
    local soft = tonumber(file:read("*a"):match "Max open files%s+(%d+)")
    file:close()
    assert.equal(files, soft)
  end))

  it("sees another time than everybody else, and by as much as was drawn", live.test(function()
    local step = tonumber(drawn[2].source:match "%* (%d+) %* 1000000")
    local off = math.abs(value "os:system_time(millisecond)." - os.time() * 1000)
    assert.is_true(math.abs(off - step) < 5000)
  end))

  it("has a ticker that ticked", live.test(function() assert.is_not_nil(next(ticker.take(at, drawn))) end))
end)
