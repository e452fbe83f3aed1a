local retention = require "runtime.retention"

local DAY = 86400
local NOW = 1800000000
local KEPT = { runs_days = 90, events_days = 7 }

-- Runs of these days, in the order in which they were; 0 is today.
local function limits(days, now)
  local list = {}
  for i, day in ipairs(days) do list[i] = { number = i, at = NOW + day * DAY } end
  return retention.limits(list, now or NOW, KEPT)
end

local function every(days, from, to)
  local list = {}
  for day = from, to, days do list[#list + 1] = day end
  return list
end

describe("runtime.retention", function()
  it("lets go of runs, figures and events by their age", function()
    local before = limits(every(0.5, -100, 0))
    assert.same({ runs = NOW - 90 * DAY, events = NOW - 7 * DAY, number = 21 }, before)
  end)

  it("takes nothing for one run by a clock that is years ahead, nor for a second", function()
    local days = every(0.5, -60, 0)
    days[#days + 1] = 365
    local before = limits(days, NOW + 365 * DAY)
    assert.equal(0, before.number)
    assert.is_true(before.events < NOW - 5 * DAY)
  end)

  it("takes nothing for a clock that was years back, and does not wait for it afterwards", function()
    local days = every(0.5, -60, 0)
    days[#days + 1] = -20000
    assert.equal(0, limits(days, NOW - 20000 * DAY).number)
    assert.same({ runs = NOW - 90 * DAY, events = NOW - 7 * DAY, number = 0 }, limits(days))
  end)

  it("lets a run with a date of the future go when the runs around it do", function()
    local days = every(0.5, -100, 0)
    days[10] = 365
    assert.equal(21, limits(days).number)
  end)

  it("knows nothing to let go of where nothing is kept", function()
    assert.equal(0, limits({}).number)
  end)
end)
