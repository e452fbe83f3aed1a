local plain = require "runtime.plain"

describe("plain text", function()
  it("shows escapes of a terminal instead of obeying them", function()
    assert.equal("\\x1b[31mred\\x1b]0;title\\x07", plain.text "\27[31mred\27]0;title\7")
  end)

  it("shows the 8-bit escapes too, as characters and as bare bytes", function()
    assert.equal("\\u009b31m \239\191\18931m", plain.text "\194\15531m \15531m")
  end)

  it("takes out what would turn the direction of the text or hide in it", function()
    assert.equal("a?b?c?d", plain.text "a\226\128\174b\226\129\166c\226\128\139d")
  end)

  it("shows neither tag letters nor blanks that are letters, and drops what only changes how a sign looks", function()
    assert.equal("a?b?c?d", plain.text "a\243\160\129\161b\227\133\164c\216\156d")
    assert.equal("❤!", plain.text "❤\239\184\143!")
  end)

  it("is one line", function() assert.equal("a b c", plain.text "a\nb\tc") end)

  it("leaves every other character as it is", function() assert.equal("é → 漢 😀", plain.text "é → 漢 😀") end)

  it("cuts between characters and says that it cut", function()
    assert.equal("ab…", plain.cut("abéééé", 6))
    assert.equal("abé", plain.cut("abé", 4))
  end)
end)
