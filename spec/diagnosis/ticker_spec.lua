-- How late a process of the target gets to run, over all runs.
local ticker = require "spec.diagnosis.ticker"

describe("the lateness of all ticks", function()
  it("is the one under which so many stayed, whichever run they are of", function()
    assert.equal(0.3, ticker.quantile({ { ["1"] = 90, ["3"] = 9 }, { ["40"] = 1 } }, 0.99))
  end)

  it("is told in milliseconds", function()
    assert.equal(4, ticker.quantile({ { ["1"] = 90 }, { ["40"] = 10 } }, 0.99))
  end)

  it("is nothing where nobody ticked", function() assert.is_nil(ticker.quantile({}, 0.99)) end)
end)
