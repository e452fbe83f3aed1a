local words = require "runtime.check_words"

describe("runtime.check_words", function()
  describe("says since when", function()
    local CASES = { { 50, 100, "1 s" }, { 8900, 100, "89 s" }, { 18000, 100, "3 min" }, { 3 * 3600, 1, "3 h" },
      { 4 * 86400, 1, "4 days" } }
    for _, case in ipairs(CASES) do
      it(("for %d, %d a second"):format(case[1], case[2]), function()
        assert.equal(("about %s before it was seen, at that rate"):format(case[3]), words.since(case[1], case[2]))
      end)
    end

    it("unless it does not grow, or nothing is there", function()
      assert.is_nil(words.since(100, 0))
      assert.is_nil(words.since(100, -3))
      assert.is_nil(words.since(0, 3))
    end)

    it("unless that is longer ago than rates stay as they are", function()
      assert.is_nil(words.since(8 * 86400, 1))
    end)
  end)
end)
