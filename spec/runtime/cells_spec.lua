-- Text in columns of a screen.

local cells = require "runtime.cells"

describe("text in columns", function()
  it("counts characters, not bytes", function()
    assert.same({ 4, 4 }, { cells.width "caf\195\169", cells.width "cafe" })
  end)

  it("is cut where it is longer, with a mark", function()
    assert.same({ "caf~", "caf\195\169", "~", "" }, { cells.cut("cafeteria", 4), cells.cut("caf\195\169", 4),
      cells.cut("cafe", 1), cells.cut("cafe", 0) })
  end)

  it("is filled to the left or the right", function()
    assert.same({ "ab  ", "  ab", "a~" }, { cells.fit("ab", 4), cells.fit("ab", 4, true), cells.fit("abc", 2) })
  end)

  it("has nothing that steers a terminal, and of what it cannot show a mark", function()
    assert.same({ "a\\x1bb", "?", "\195\169", "?" }, { cells.text("a\27b", true), cells.text("\195\169", false),
      cells.text("\195\169", true), cells.text("\226\130\172", true) })
  end)

  it("tells memory and counts in few columns", function()
    assert.same({ "9999 kB", "9.8 MB", "9.8 GB" }, { cells.memory(9999), cells.memory(10000),
      cells.memory(10000 * 1024) })
    assert.same({ "999999", "1.0 M", "2.5 G" }, { cells.count(999999), cells.count(1e6), cells.count(2.5e9) })
  end)

  for value, want in pairs { ["C.UTF-8"] = true, ["en_US.utf8"] = true, C = false, POSIX = false } do
    it(("takes a terminal of LANG=%s for %s"):format(value, want and "UTF-8" or "ASCII"), function()
      assert.equal(want, cells.is_utf8(function(name) return name == "LANG" and value or nil end))
    end)
  end
end)
