local sentence = require "runtime.sentence"

describe("runtime.sentence", function()
  it("is what a notification comes to, else what was seen", function()
    local figures = "orders: queue_last = 9, queue_first = 1"
    assert.equal("The queue grows", sentence.of { observation = figures,
      notification = { hypothesis = "The queue grows" } })
    assert.equal(figures, sentence.of { observation = figures, notification = {} })
  end)

  it("names a node that went away once", function()
    assert.equal("lost a@h: it closed the connection",
      sentence.lost { node = "a@h", reason = "lost a@h: it closed the connection" })
    assert.equal("cannot reach a@h: no word from it", sentence.lost { node = "a@h", never = true })
  end)
end)
