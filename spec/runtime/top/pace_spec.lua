-- How often top may look, by what its looks cost.

local pace = require "runtime.top.pace"

local function paid(every, there_s, here_s, walked)
  local p = pace.new(every)
  p:paid { there_s = there_s, here_s = here_s, walked = walked }
  return p
end

describe("the pace of top", function()
  it("is the one asked for where looks cost little", function()
    assert.equal(2, paid(2, 0.01, 0.004, 1000).wait)
  end)

  it("is stretched until a look is less than 5 % of a scheduler of the node", function()
    local p = paid(2, 0.2, 0.004, 100000)
    assert.near(5, p.wait, 1e-9)
    assert.is_true(p.there_pct < 5)
  end)

  it("is stretched until a look is less than 5 % of a core here", function()
    local p = paid(1, 0.001, 0.1, 1000)
    assert.near(2.5, p.wait, 1e-9)
    assert.is_true(p.here_pct < 5)
  end)

  for _, there_s in ipairs { 0.001, 0.08, 0.3, 2, 30 } do
    it(("keeps to its share where a look costs %g s, whatever was asked for"):format(there_s), function()
      local p = paid(1, there_s, there_s / 3, 100000)
      assert.is_true(p.there_pct < 5 and p.here_pct < 5)
      assert.is_true(p.wait >= 1)
    end)
  end

  it("says how soon somebody who cannot wait may have the next look", function()
    assert.near(0.25, paid(10, 0.01, 0.001, 1000).least, 1e-9)
  end)

  it("is at a part of the processes where looks at all of them would be too far apart", function()
    local p = paid(2, 2, 0.01, 1000000)
    assert.equal(100000, p.most)
    assert.is_true(2 / 1000000 * p.most / pace.share <= pace.longest_s)
  end)

  it("keeps the size of a part where a look costs somewhat more or less", function()
    local p = paid(2, 2, 0.01, 1000000)
    for _, there_s in ipairs { 0.11, 0.22, 0.24 } do
      p:paid { there_s = there_s, here_s = 0.01, walked = 100000 }
      assert.equal(100000, p.most)
    end
    p:paid { there_s = 0.4, here_s = 0.01, walked = 100000 }
    assert.equal(50000, p.most)
  end)

  it("never walks through fewer than makes sense, and fewer after a look without an answer", function()
    assert.equal(pace.least, paid(2, 10, 0.01, 1000).most)
    local p = paid(2, 2, 0.01, 1000000)
    p:failed()
    assert.equal(50000, p.most)
  end)

  it("makes no more than ten parts of all that there are", function()
    local p = pace.new(2)
    p:paid { there_s = 10, here_s = 0.01, walked = 1000000, total = 1000000 }
    assert.equal(100000, p.most)
  end)

  it("knows nothing of parts from a look at one process", function()
    assert.equal(pace.first, paid(2, 10, 0.01, nil).most)
  end)

  it("counts the time that a look took as its cost, as long as nothing says that it is less", function()
    assert.near(0.1, pace.new(2):cost(0.1, 4e6, "memory"), 1e-9)
  end)

  it("does not count the time that a look waited for its turns", function()
    local p = pace.new(2)
    p:cost(0.02, 2e6, "memory")
    assert.near(0.025, p:cost(3, 2e6, "memory"), 1e-9)
  end)

  it("counts the time again where looks have become slower for good", function()
    local p = pace.new(2)
    p:cost(0.02, 2e6, "memory")
    for _ = 1, pace.looks do p:cost(0.2, 2e6, "memory") end
    assert.near(0.2, p:cost(0.2, 2e6, "memory"), 1e-9)
  end)

  it("compares looks of one kind", function()
    local p = pace.new(2)
    p:cost(0.02, 2e6, "mailbox")
    assert.near(0.2, p:cost(0.2, 2e6, "memory"), 1e-9)
  end)

  it("believes no time of more than a reduction can take", function()
    assert.near(0.12, pace.new(2):cost(60, 1e6, "memory"), 1e-9)
  end)

  it("goes by steps that somebody asks for", function()
    local p = paid(2, 0.001, 0.001, 1000)
    p:step(1)
    assert.equal(5, p.wait)
    p:step(-1)
    p:step(-1)
    assert.equal(1, p.wait)
    p:step(-1)
    assert.equal(1, p.wait)
  end)

  it("goes from an odd pace to the next step on either side", function()
    local p = paid(3, 0.001, 0.001, 1000)
    p:step(-1)
    assert.equal(2, p.wait)
    p = paid(3, 0.001, 0.001, 1000)
    p:step(1)
    assert.equal(5, p.wait)
  end)

  it("watches for half of its time, for a second at most, and less the first time", function()
    assert.equal(0.3, pace.new(5):window())
    assert.equal(0.5, paid(1, 0.001, 0.001, 1000):window())
    assert.equal(1, paid(5, 0.001, 0.001, 1000):window())
  end)
end)
