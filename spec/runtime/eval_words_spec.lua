local words = require "runtime.eval_words"

describe("the words that would be atoms", function()
  it("are atoms and variables, quoted or not, each once", function()
    assert.same({ "foo", "Bar", "_", "a b", "x@y", "größe" }, words.of "foo(Bar, _, 'a b', x@y, foo, größe)")
  end)

  it("are not inside texts, characters and comments", function()
    assert.same({ "a", "b", "c", "d" }, words.of 'a, "not \\" this", b, $x, $\\n, $", c % nor this\n, d')
  end)

  it("are found behind a character that is a quote", function()
    assert.same({ "a", "b" }, words.of "[$', a, $\\', b]")
  end)

  it("are not numbers", function() assert.same({}, words.of "1 + 2.5 * 16#1F") end)
end)
