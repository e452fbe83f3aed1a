local words = require "runtime.check_words"

describe("runtime.check_words", function()
  describe("says since when", function()
    local CASES = {
      { 50, 100, "about 1 s before it was seen, at that rate" }, { 8900, 100, "about 89 s before it was seen, at that rate" },
      { 18000, 100, "about 3 min before it was seen, at that rate" }, { 3 * 3600, 1, "about 3 h before it was seen, at that rate" },
      { 4 * 86400, 1, "about 4 days before it was seen, at that rate" },
    }
    for _, case in ipairs(CASES) do
      it(("for %d, %d a second"):format(case[1], case[2]), function()
        assert.equal(case[3], words.since(case[1], case[2]))
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
