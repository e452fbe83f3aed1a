-- What every mechanism's file says: it reads, its code compiles, and what it names is there.
local advice = require "runtime.advice"
local cited = require "spec.support.cited"
local edited = require "spec.support.edited"
local files = require "host.files"
local snippets = require "spec.support.snippets"

-- Ours, and those that the checks of all our skills bring.
local words = require("runtime.mechanism_words").of(cited.skills)

local function file_of(word) return ("prompts/mechanisms/%s.md"):format(word) end

local function text_of(word) return assert(files.read(file_of(word))) end

local function in_language(language)
  local list = {}
  for _, word in ipairs(words) do
    local a = assert(advice.of(word))
    if a[language] then
      list[#list + 1] = word
      list[#list + 1] = a[language]
    end
  end
  return list
end

describe("the knowledge of a mechanism", function()
  it("is there for every word, in its form", function()
    for _, word in ipairs(words) do
      local _, why = advice.read(text_of(word), word, file_of(word))
      assert.is_nil(why and tostring(why))
    end
  end)

  it("has no file for a word that there is not", function()
    assert.same(words, require("runtime.files").list("prompts/mechanisms", ".md"))
  end)

  it("is short", function()
    for _, word in ipairs(words) do
      local _, lines = text_of(word):gsub("\n", "")
      assert.is_true(lines <= 55, ("%s has %d lines"):format(word, lines))
    end
  end)

  it("has Erlang that compiles without a warning", function()
    assert.equal("", snippets.erlang(in_language "erlang"))
  end)

  it("has Elixir that compiles without a warning", function()
    assert.equal("all compile", snippets.elixir(in_language "elixir"))
  end)

  it("has snippets of at most twelve lines, each in both languages", function()
    for _, word in ipairs(words) do
      local a = advice.of(word)
      assert.equal(a.erlang == nil, a.elixir == nil, word)
      for _, language in ipairs { "erlang", "elixir" } do
        local _, breaks = (a[language] or ""):gsub("\n", "")
        assert.is_true(breaks < 12, ("%s: %s has %d lines"):format(word, language, breaks + 1))
      end
    end
  end)

  it("has snippets that fit the report's lines", function()
    for _, word in ipairs(words) do
      local a = advice.of(word)
      for line in ((a.erlang or "") .. "\n" .. (a.elixir or "")):gmatch "[^\n]+" do
        assert.is_true(#line <= 97, ("%s: %s"):format(word, line))
      end
    end
  end)

  it("names only callbacks that there are", function()
    for _, word in ipairs(words) do assert.same({}, cited.callbacks_missing(text_of(word)), word) end
  end)

  it("says of every word which callback shows that it is over", function()
    for _, word in ipairs(words) do
      local named = word == "other" or advice.of(word).verify:find "`%l+_[%l_]+`"
      assert.is_truthy(named, word)
    end
  end)

  it("names only commands and options of ours that there are", function()
    for _, word in ipairs(words) do assert.same({}, cited.words_missing(text_of(word)), word) end
  end)

  -- As the VM itself reads them: one that it does not know ends it before the expression.
  it("names only arguments of the VM that it takes", function()
    local flags = {}
    for _, word in ipairs(words) do
      for flag in text_of(word):gmatch "`([%+%-]%a[^`]*)`" do flags[flag:find " " and flag or ""] = true end
    end
    flags[""] = nil
    for flag in pairs(flags) do
      local pipe = io.popen(("erl %s -noshell -noinput -eval 'io:put_chars(\"up\"), halt().' 2>&1"):format(flag))
      assert.equal("up", pipe:read "*a", flag)
      pipe:close()
    end
  end)
end)

describe("runtime.advice", function()
  local GOOD = "# thing\n\nWhat it\nis.\n\n## Change\nThis.\n\nAnd that.\n\n"
    .. "## Erlang\n```erlang\nf() ->\n    ok.\n```\n\n"
    .. "## Configuration\n- one\n  more\n- two\n\n## Verify\nSo.\n\n## Undo\nSo.\n\n## Follow-up\n- next\n"

  it("reads paragraphs, code and lists", function()
    assert.same({ means = "What it is.", change = "This.\n\nAnd that.", erlang = "f() ->\n    ok.",
      configuration = { "one more", "two" }, verify = "So.", undo = "So.", follow_up = { "next" } },
      advice.read(GOOD, "thing", "thing.md"))
  end)

  local BROKEN = {
    { "another word", "# thing", "# thnig", "x.md:1: it begins with another word; begin it with: # thing" },
    { "a heading that there is not", "## Undo", "## Undoo", "x.md:25: there is no heading Undoo; did you mean Undo?" },
    { "a heading in the wrong place", "## Verify\nSo.\n\n## Undo", "## Undo\nSo.\n\n## Verify",
      "x.md:25: Verify stands too late; the order is Change, Erlang, Elixir, Configuration, Verify, Undo, Follow-up" },
    { "a heading too few", "## Undo\nSo.\n\n", "", "x.md:25: the heading Undo is missing; add it" },
    { "no snippet", "```erlang\n", "", "x.md:11: Erlang wants one snippet between ``` and ```; mend it" },
    { "no list", "- next", "next", 'x.md:28: Follow-up wants lines that begin with "- "; mend it' },
    { "no meaning", "What it\nis.\n", "", "x.md:1: it does not say what the word means; say it below the first line" },
  }
  for _, case in ipairs(BROKEN) do
    it("says where a file is not in the form: " .. case[1], function()
      local first, last = GOOD:find(case[2], 1, true)
      local _, err = advice.read(GOOD:sub(1, first - 1) .. case[3] .. GOOD:sub(last + 1), "thing", "x.md")
      assert.equal(case[4], tostring(err))
    end)
  end

  describe("with a file of the user's", function()
    before_each(edited.open)
    after_each(edited.close)

    it("takes that", function()
      edited.save("prompts/mechanisms/slow_consumer.md", (GOOD:gsub("thing", "slow_consumer")))
      assert.equal("What it is.", advice.of("slow_consumer").means)
    end)

    it("takes ours where that does not read, and says why", function()
      local path = edited.save("prompts/mechanisms/slow_consumer.md", "# slow_consumer\n\nIt.\n")
      local ours = advice.of "slow_consumer"
      assert.equal(path .. ":1: the heading Change is missing; add it", ours.fault)
      assert.matches("^More messages come", ours.means)
    end)

    it("takes one for a word of the user's own checks", function()
      edited.save("prompts/mechanisms/tools_left.md", (GOOD:gsub("thing", "tools_left")))
      assert.equal("So.", advice.of("tools_left").verify)
    end)
  end)

  it("knows nothing of a word that is a path", function()
    assert.is_nil(advice.of "../operator")
  end)

  it("tells all of it as Markdown", function()
    assert.equal("What it is.\n\n## Change\nThis.\n\nAnd that.\n\n## Erlang\n```erlang\nf() ->\n    ok.\n```\n\n"
      .. "## Configuration\n- one more\n- two\n\n## Verify\nSo.\n\n## Undo\nSo.\n\n## Follow-up\n- next",
      advice.markdown(advice.read(GOOD, "thing", "thing.md")))
  end)

  it("tells all of it as text", function()
    local text = advice.text(advice.read(GOOD, "thing", "thing.md"))
    assert.equal("What it is.\nChange: This.\n\nAnd that.\nErlang:\nf() ->\n    ok.\nConfiguration:\n- one more\n"
      .. "- two\nVerify: So.\nUndo: So.\nFollow-up:\n- next", text)
  end)
end)
