-- Against figures of the literature: 81 of 263, and the ends of the scale.
local wilson = require "spec.diagnosis.wilson"

local function rounded(low, high) return { ("%.3f"):format(low), ("%.3f"):format(high) } end

describe("the interval of a share", function()
  it("is Wilson's", function()
    assert.same({ "0.255", "0.366" }, rounded(wilson(81, 263)))
  end)

  it("is more than a point where none was counted", function()
    assert.same({ "0.000", "0.025" }, rounded(wilson(0, 150)))
  end)

  it("is more than a point where all were counted", function()
    assert.same({ "0.722", "1.000" }, rounded(wilson(10, 10)))
  end)

  it("is none where nothing was looked at", function() assert.is_nil(wilson(0, 0)) end)
end)
