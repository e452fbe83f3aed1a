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

  it("tells for how long as people do", function()
    local told = {}
    for i, s in ipairs { 0, 59.9, 60, 61, 3599, 3600, 86399, 86400, 864000 } do told[i] = counted.span(s) end
    assert.same({ "0 s", "59 s", "1 min", "1 min 1 s", "59 min 59 s", "1 h", "23 h 59 min", "1 d", "10 d" }, told)
  end)
end)
