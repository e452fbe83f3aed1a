local pattern_cost = require "runtime.pattern_cost"

describe("the cost of a search", function()
  -- Steps for a text of a thousand characters, as a power of a thousand.
  local function power(pattern) return math.floor(math.log(pattern_cost.of(pattern, 999)) / math.log(1000) + 0.01) end

  it("grows with the text where nothing repeats", function()
    assert.same({ 1, 1, 1 }, { power "abc", power "%d%d", power "[^%]]b" })
  end)

  it("is small where the pattern begins at one place", function()
    assert.same({ 0, 1 }, { power "^abc", power "^%s*b" })
  end)

  it("is no power of what repeats and ends at a certain character", function()
    assert.equal(1, power "^(%S+) (%S+) (%S+) %[([^%]]+)%] (%d+)$")
    assert.equal(1, power "^%s*(%a+)%.?x")
  end)

  it("is a power of what repeats and may end anywhere", function()
    assert.same({ 2, 3, 5 }, { power "^.-.-x", power "^.*.*.*x", power(("a*"):rep(5) .. "b") - 1 })
  end)

  it("is one power more where something that repeats comes after", function()
    assert.same({ 2, 1 }, { power "^.-a*b", power "^a*b.-$" })
  end)

  it("counts no repeat at the end, which takes what it can", function()
    assert.same({ 1, 1 }, { power "%d+", power "^a(.*)b+" })
  end)

  it("doubles with all that may be there or not", function()
    assert.is_true(pattern_cost.of(("a?"):rep(40) .. "b", 10) > 1e12)
  end)

  it("reads sets, escapes, frontiers and captures as the matcher does", function()
    assert.equal(1, power "^[]a]+b")
    assert.equal(1, power "^[%]a]+%f[b]b" - 0)
    assert.equal(1, power "^()%a+()%d")
    assert.equal(2, power "^(.-)%1(.-)x")
    assert.equal(2, power "%b()x")
  end)
end)
