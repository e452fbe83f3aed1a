local mechanism_words = require "runtime.mechanism_words"

local WORDS = mechanism_words.of { { checks = { { mechanism = "oban_backlog" }, { mechanism = "ets_growth" } } }, {} }

describe("runtime.mechanism_words", function()
  it("knows the program's words and those of the checks, each once and sorted", function()
    local seen = {}
    for i, word in ipairs(WORDS) do
      assert.is_nil(seen[word])
      assert.is_true(i == 1 or WORDS[i - 1] < word)
      seen[word] = true
    end
    assert.same({ true, true, true }, { seen.oban_backlog, seen.ets_growth, seen.other })
  end)

  it("finds nothing wrong with one of them", function()
    assert.is_nil(mechanism_words.fault("oban_backlog", WORDS))
  end)

  it("answers a slip with the word that was meant, and what it says", function()
    assert.matches('^"ets_growht" is none of the words; near are\nets_growth: a table is inserted into and nobody ',
      mechanism_words.fault("ets_growht", WORDS))
  end)

  it("answers a word of somebody's own with those that mean the like", function()
    assert.same("timer_leak", mechanism_words.near("leaking_timers", WORDS)[1])
    local near = mechanism_words.near("mailbox_overflow", WORDS)
    assert.is_true(#near >= 1 and #near <= 6)
    assert.matches("active_socket_flood", table.concat(near, " "), 1, true)
  end)

  it("lists them all where none is near, and shows no more of the word than fits a line", function()
    local why = mechanism_words.fault(("zqx"):rep(1000), WORDS)
    assert.matches('^"zqxzqx[zqx]*" is none of the words, which are active_socket_flood, .*oban_backlog', why)
    assert.is_true(#why < 2000)
  end)
end)
