local counted = require "runtime.counted"

describe("runtime.counted", function()
  it("says one of a thing, and many", function()
    assert.equal("1 call", counted.of(1, "call"))
    assert.equal("0 calls", counted.of(0, "call"))
    assert.equal("1,234,567 tokens", counted.of(1234567, "token"))
  end)

  it("sets thousands apart, also below nought", function()
    assert.equal("-12,345", counted.grouped(-12345))
    assert.equal("999", counted.grouped(999))
  end)
end)
