-- The page of a bench says what it is worth.
local results = require "spec.diagnosis.results"

local ABOUT = { provider = "analyst", commit = "abc", version = "v", seed = "2001", rounds = 1, under = "", asked = 2,
  date = "2026-11-21" }

local function run(busy)
  return { case = "idle", kind = "healthy", truth = {}, verdict = "healthy", insights = {}, busy = busy, seconds = 2 }
end

local function page(runs, more, beside)
  local about = setmetatable(more or {}, { __index = ABOUT })
  return results.page(runs, about, beside or {})
end

local function says(text, part) return text:find(part, 1, true) ~= nil end

describe("the page of a bench", function()
  it("is quiet where nobody disturbed", function()
    assert.is_false(says(page { run(0.01), run(0.02) }, "Not measured quietly"))
  end)

  it("is not called quiet where others took the machine", function()
    assert.is_true(says(page { run(0.01), run(0.6) }, "at 1 of 2 runs others took more than 10 %"))
  end)

  it("is not called quiet where nobody knows", function()
    assert.is_true(says(page { run(nil) }, "at 1 of 1 runs others took more"))
  end)

  it("says of a seed that rules are made with that its figures are not the final ones", function()
    assert.is_true(says(page({ run(0) }, { seed = "7" }), "final figures come from others"))
  end)

  it("sets beside it how others saw the same", function()
    local other = { name = "thresholds", runs = { run(0) } }
    assert.is_true(says(page({ run(0), run(0) }, nil, { other }), "| what | analyst, 2 runs | thresholds, 1 runs |"))
  end)

  it("counts a run that broke as wrong, and says how", function()
    local broken = { case = "idle", kind = "healthy", truth = {}, insights = {}, broke = "no node\ntrace", busy = 0 }
    assert.is_true(says(page { broken }, "| idle | 0 of 1 | - | broke: no node |"))
  end)

  it("has every case with how many were right of each column", function()
    local missed = { case = "idle", kind = "healthy", truth = {}, verdict = "cannot_tell", insights = {}, busy = 0 }
    local other = { name = "thresholds", runs = { missed } }
    assert.is_true(says(page({ run(0), run(0) }, nil, { other }), "| idle | 2 of 2 | 0 of 1 | 2.0 s |  |"))
  end)

  it("is not called quiet where what stands beside was not measured quietly", function()
    local other = { name = "thresholds", runs = { run(0.9) } }
    assert.is_true(says(page({ run(0) }, nil, { other }), "at 1 of 2 runs others took more"))
  end)

  it("says what could not be planted, and what it needs", function()
    assert.is_true(says(page({ run(0) }, { left_out = { cold = "cgroups" } }), "cold (needs cgroups)"))
  end)

  it("tells how late the target's own process came, without us and with us", function()
    local ticked = run(0)
    ticked.late_alone, ticked.late = { ["4"] = 100 }, { ["12"] = 100 }
    local text = page { ticked }
    assert.same({ true, true }, { says(text, "without us | 0.4 ms |"), says(text, "and with us | 1.2 ms |") })
  end)

  it("tells the CPU that was taken as a share of one scheduler", function()
    local taken = run(0)
    taken.cpu_ms = 30
    assert.is_true(says(page { taken }, "for as long as it took | 1.5 % |"))
  end)
end)
