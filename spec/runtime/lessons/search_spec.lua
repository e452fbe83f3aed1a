local search = require "runtime.lessons.search"

local function knob(value) return { name = "GROWS", value = value } end
local function from(least) return function(value) return value >= least end end
local function below(most) return function(value) return value <= most end end
local function never() end
local function lost_from(least) return function(value) return value >= least and "r1 would lose it" or nil end end

describe("a limit that is moved", function()
  it("ends just beyond what was wrong, where nothing right says how far", function()
    local move = search.move(knob(20), true, from(39), never)
    assert.same({ 39, nil, 40 }, { move.solved_at, move.harmed_at, move.to })
  end)

  it("ends between what was wrong and what was right", function()
    local move = search.move(knob(20), true, from(39), lost_from(150))
    assert.equal(39, move.solved_at)
    assert.is_true(move.harmed_at >= 150 and move.harmed_at <= 153)
    assert.is_true(move.to > 39 and move.to < 150)
  end)

  it("is no proposal where what was right is lost before, and says what", function()
    local move, why = search.move(knob(20), true, from(39), lost_from(30))
    assert.same({ nil, "GROWS = 39 would do, but r1 would lose it" }, { move, why })
  end)

  it("goes down as well, and stays above nothing", function()
    local move = search.move(knob(20), false, below(15), never)
    assert.same({ 15, 14 }, { move.solved_at, move.to })
    assert.is_nil(search.move(knob(2), false, below(0), never))
  end)

  it("stays a fraction where it is one", function()
    local move = search.move(knob(0.1), true, from(0.33), never)
    assert.equal(0.4, move.to)
  end)

  it("is not moved more than tenfold", function()
    assert.is_nil(search.move(knob(20), true, from(201), never))
  end)
end)
