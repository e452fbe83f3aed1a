local columns = require "runtime.columns"
local filled = require "runtime.filled"

describe("text at a width", function()
  it("has no line that is longer, and goes on below where it began", function()
    local words = ("word "):rep(40)
    local lines = {}
    for line in ((" "):rep(16) .. filled.text(words, 16, 60) .. "\n"):gmatch "(.-)\n" do lines[#lines + 1] = line end
    assert.equal((" "):rep(16) .. ("word "):rep(8) .. "word", lines[1]:sub(1, 60))
    assert.equal(5, #lines)
    for _, line in ipairs(lines) do assert.is_true(#line <= 60, line) end
    assert.matches("^" .. (" "):rep(16) .. "word", lines[2])
  end)

  it("shows what would steer a terminal", function()
    assert.equal("a\\x1b[2J b", filled.text("a\27[2J\nb", 4, 60))
  end)

  it("cuts what stands last in a row, where there is a width, and else nothing", function()
    local rows = { { "r1", ("long "):rep(20) }, { "r2", "short" } }
    local cut, whole = columns.text(rows, nil, 50), columns.text(rows)
    assert.matches("^r1  long [^\n]*…\nr2  short\n$", cut)
    assert.is_nil(whole:find("…", 1, true))
  end)
end)
