-- Files of prompts/mechanisms that nobody meant to write so. Where a text is read again for each of its characters, the
-- first of these takes hours.
local advice = require "runtime.advice"

local FILE = "# kettle\nIt boils%s.\n\n## Change%s\nx\n\ny\n## Verify\nx\n## Undo\nx\n## Follow-up\n- a\n"
local LONG = 400000

describe("a file of a mechanism", function()
  it("is read once, however long it is", function()
    local gap = (" "):rep(LONG)
    local read = assert(advice.read(FILE:format(gap .. "over", gap), "kettle", "f"))
    assert.equal(#"It boilsover." + LONG, #read.means)
  end)

  it("is read once, however many empty lines it has", function()
    local read = assert(advice.read(FILE:format(("\n"):rep(LONG) .. "over", ""), "kettle", "f"))
    assert.equal("It boils\n\nover.", read.means)
  end)

  it("has the paragraphs that it was written with", function()
    assert.equal("x\n\ny", assert(advice.read(FILE:format("", ""), "kettle", "f")).change)
  end)

  for _, word in ipairs { "../../etc/passwd", "a/b", "", "..", "a\0b", ("a"):rep(100000) } do
    it("is none for a word that is no word: " .. word:sub(1, 20):gsub("%z", "\\0"), function()
      assert.is_nil(advice.of(word))
    end)
  end
end)
