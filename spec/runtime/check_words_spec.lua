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

  it("call servers between two messages by what they were started as, and others by where they are", function()
    assert.same({ "chat:init/1", true }, { words.kind { current_function = "gen_server:loop/7",
      initial_call = "chat:init/1" } })
    assert.same({ "app:wait/0", false }, { words.kind { current_function = "app:wait/0", initial_call = "app:go/0" } })
  end)

  it("find whose code a stack is in", function()
    local stack = { "erlang:spawn/1", "lists:foreach/2", "app:start/1" }
    assert.same({ "app:start/1", 3 }, { words.own_function(stack, { erlang = true, lists = true }) })
    assert.is_nil((words.own_function({ "erlang:spawn/1" }, { erlang = true })))
  end)
end)
