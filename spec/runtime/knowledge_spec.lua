-- What every topic says: it reads, its code compiles, and what it names is there and does what is said of it.
local actions = require "runtime.actions"
local cited = require "spec.support.cited"
local edited = require "spec.support.edited"
local eval = require "runtime.eval"
local files = require "host.files"
local knowledge = require "runtime.knowledge"
local live = require "spec.support.live_node"
local mechanisms = require "runtime.mechanisms"
local snippets = require "spec.support.snippets"
local topic_search = require "runtime.topic_search"

local function file_of(name) return ("prompts/knowledge/%s.md"):format(name) end

-- Those with a file of their own, which are ours.
local names = {}
for _, path in ipairs(require("runtime.files").list("prompts/knowledge", ".md")) do names[#names + 1] = path end

local function text_of(name) return assert(files.read(file_of(name))) end

local function in_language(language)
  local list = {}
  for _, name in ipairs(names) do
    for i, s in ipairs(snippets.of(text_of(name))) do
      if s.language == language then
        list[#list + 1] = ("%s_%d"):format(name, i)
        list[#list + 1] = s.code
      end
    end
  end
  return list
end

-- The rows of all tables of a text, without their heads.
local function rows_of(text)
  local rows = {}
  for line in text:gsub("\\|", "\1"):gmatch "[^\n]+" do
    local cells = {}
    for cell in line:sub(2):gmatch "%s*(.-)%s*|" do cells[#cells + 1] = (cell:gsub("\1", "|")) end
    if line:find "^|" and not line:find "^|%-" then rows[#rows + 1] = cells end
  end
  return rows
end

describe("what there is to know", function()
  it("reads, topic by topic", function()
    for _, name in ipairs(names) do
      local _, why = knowledge.read(text_of(name), name, file_of(name))
      assert.is_nil(why and tostring(why))
    end
  end)

  it("is all in the list, with every mechanism behind it", function()
    local listed = {}
    for i, t in ipairs(knowledge.all()) do listed[i] = t.topic end
    table.sort(listed)
    local wanted = { unpack(names) }
    for _, word in ipairs(require("runtime.mechanism_words").of(cited.skills)) do wanted[#wanted + 1] = word end
    table.sort(wanted)
    assert.same(wanted, listed)
  end)

  it("has a name that help gives to nothing else", function()
    local taken = {}
    for _, e in ipairs(actions.entries()) do taken[e.name] = true end
    for _, s in ipairs(cited.skills) do
      for _, callback in ipairs(require("runtime.skill").callable(s)) do taken[callback] = true end
    end
    for word in pairs(mechanisms) do taken[word] = true end
    for _, name in ipairs(names) do assert.is_nil(taken[name], name) end
  end)

  -- A model's answer is cut to texts of 4,000 bytes first, where it is too long.
  it("is short, and said in one line of the list", function()
    for _, name in ipairs(names) do
      local text = text_of(name)
      local _, lines = text:gsub("\n", "")
      assert.is_true(lines <= 90 and #text <= 4000, ("%s has %d lines, %d bytes"):format(name, lines, #text))
      assert.is_true(#knowledge.of(name).about <= 56, name)
    end
  end)

  it("has Erlang that compiles without a warning", function()
    assert.equal("", snippets.erlang(in_language "erlang"))
  end)

  it("has Elixir that compiles without a warning", function()
    assert.equal("all compile", snippets.elixir(in_language "elixir"))
  end)

  it("has each snippet in both languages", function()
    for _, name in ipairs(names) do
      local count = { erlang = 0, elixir = 0, text = 0 }
      for _, s in ipairs(snippets.of(text_of(name))) do count[s.language] = count[s.language] + 1 end
      assert.equal(count.erlang, count.elixir, name)
    end
  end)

  it("has code that fits a terminal of 80 columns", function()
    for _, name in ipairs(names) do
      for _, s in ipairs(snippets.of(text_of(name))) do
        for line in s.code:gmatch "[^\n]+" do assert.is_true(#line <= 76, ("%s: %s"):format(name, line)) end
      end
    end
  end)

  it("names only callbacks that there are", function()
    for _, name in ipairs(names) do assert.same({}, cited.callbacks_missing(text_of(name)), name) end
  end)

  it("names only commands and options of ours that there are", function()
    for _, name in ipairs(names) do assert.same({}, cited.words_missing(text_of(name)), name) end
  end)

  it("calls callbacks with what they take", function()
    for _, name in ipairs(names) do assert.same({}, cited.calls_refused(text_of(name)), name) end
  end)

  it("sends on only to topics that there are", function()
    for _, name in ipairs(names) do
      for word in text_of(name):gmatch "`beamlens%-run explain (.-)`" do
        assert.is_truthy(knowledge.of(word), ("%s: %s"):format(name, word))
      end
    end
  end)

  it("names in a route only what callbacks answer, topics, actions and functions", function()
    local known = { NAME = true, OWNER = true, high = true, max = true, normal = true, bag = true, size = true,
      sustained = true, critical = true, public = true, protected = true, receive = true, file = true, gen_tcp = true,
      prim_inet = true, map_size = true, born = true, died = true }
    for word in pairs(cited.fields) do known[word] = true end
    for _, s in ipairs(cited.skills) do
      for name in pairs(s.callbacks) do known[name] = true end
    end
    for _, e in ipairs(actions.entries()) do known[e.name] = true end
    for _, t in ipairs(knowledge.all()) do known[t.topic] = true end
    for _, name in ipairs(names) do
      if knowledge.of(name).group == "routes" then
        for word in text_of(name):gmatch "`([%w_]+)[^`:]*`" do
          assert.is_true(known[word] or word == "beamlens", ("%s: %s"):format(name, word))
        end
      end
    end
  end)

  it("has one-liners of iex that compile", function()
    local list = {}
    for i, row in ipairs(rows_of(text_of "one_liners")) do
      local code = row[1]:match "^`([^`]+)`"
      if code then
        list[#list + 1] = "line_" .. i
        list[#list + 1] = ("def f(pid, name, port) do\n_ = {pid, name, port}\n%s\nend"):format(code)
      end
    end
    assert.is_true(#list > 50)
    assert.equal("all compile", snippets.elixir(list))
  end)

  describe("of safety", function()
    local at

    setup(function() at = live.start {} end)
    teardown(live.stop_all)

    it("gives each expression the class that it has", live.test(function()
      local said, judged = {}, {}
      for _, row in ipairs(rows_of(text_of "safety")) do
        local code = row[1]:match "^`([^`]+)`"
        if code then
          said[code] = row[2]
          judged[code] = assert(eval.read(at.node, code)).class
        end
      end
      assert.is_truthy(said["init:stop()"])
      assert.same(said, judged)
    end))
  end)
end)

describe("runtime.knowledge", function()
  local GOOD = "---\ngroup: live\nabout: it is so\nalso: one word, another\n---\n# A thing\n\nSo.\n"

  it("reads the head and the text", function()
    assert.same({ topic = "thing", title = "A thing", group = "live", about = "it is so",
      also = { "one word", "another" }, text = "So." }, knowledge.read(GOOD, "thing", "thing.md"))
  end)

  local BROKEN = {
    { "no head", "---\ngroup", "group", "x.md:1: it does not begin with ---; "
      .. "begin with ---, then group: and about:, and --- again" },
    { "a line that is none of the head", "also:", "alas:", 'x.md:4: "alas: one word, another" is no line of the head; '
      .. "it has group:, about: and also:, and ends with ---" },
    { "a head that does not end", "---\n# A", "# A", 'x.md:5: "# A thing" is no line of the head; '
      .. "it has group:, about: and also:, and ends with ---" },
    { "another group", "live", "lives", "x.md:2: there is no group lives; did you mean live?" },
    { "no group", "group: live\n", "", "x.md:2: the head has no group:; "
      .. "groups are routes, choices, workings, live, mechanisms" },
    { "nothing for the list", "it is so", "", "x.md:2: the head has no about:; say it in one line" },
    { "no title", "# A thing\n", "", "x.md:6: there is no title; put # and the title below the head" },
    { "no text", "So.\n", "", "x.md:6: it says nothing; say it below the title" },
    { "code without an end", "So.", "```erlang\nok.", "x.md:8: the code is not closed; close it with ```" },
  }
  for _, case in ipairs(BROKEN) do
    it("says where a file is not in the form: " .. case[1], function()
      local first, last = GOOD:find(case[2], 1, true)
      local _, err = knowledge.read(GOOD:sub(1, first - 1) .. case[3] .. GOOD:sub(last + 1), "thing", "x.md")
      assert.equal(case[4], tostring(err))
    end)
  end

  it("knows a mechanism by its word", function()
    local topic = knowledge.of "monitor_leak"
    assert.same({ "mechanisms", "a process sets monitors and never removes them" }, { topic.group, topic.about })
    assert.matches("^A process sets monitors .*\n\n## Change\n", topic.text)
  end)

  it("knows nothing of a name that is a path", function()
    assert.is_nil(knowledge.of "../operator")
  end)

  describe("with a file of the user's", function()
    before_each(edited.open)
    after_each(edited.close)

    it("takes that", function()
      edited.save("prompts/knowledge/memory.md", GOOD)
      assert.equal("A thing", knowledge.of("memory").title)
    end)

    it("takes ours where that does not read, and says why", function()
      local path = edited.save("prompts/knowledge/memory.md", "# Memory\n")
      local topic = knowledge.of "memory"
      assert.equal("Memory", topic.title)
      assert.equal(path .. ":1: it does not begin with ---; begin with ---, then group: and about:, and --- again",
        topic.fault)
    end)

    it("has one more topic, in its group", function()
      edited.save("prompts/knowledge/our_shop.md", GOOD)
      local found
      for _, t in ipairs(knowledge.all()) do found = t.topic == "our_shop" and t or found end
      assert.equal("live", found.group)
    end)

    it("tells of one more that does not read", function()
      local path = edited.save("prompts/knowledge/our_shop.md", "so\n")
      local _, broken = knowledge.all()
      assert.equal(1, #broken)
      assert.equal(path .. ":1", broken[1].message:match "^.-:%d+")
    end)
  end)
end)

describe("runtime.topic_search", function()
  local topics = knowledge.all()

  -- What somebody types, and what is shown at once.
  local MEANT = {
    ["links"] = "links_or_monitors", ["link"] = "links_or_monitors", ["Monitors"] = "links_or_monitors",
    ["genserver timeout"] = "genserver", ["handle_continue"] = "genserver", ["supervision strategy"] = "supervision",
    ["one_for_all"] = "supervision", ["ets types"] = "ets_tables", ["recon"] = "one_liners",
    ["message queue"] = "mailbox", ["run queue"] = "schedulers", ["oom"] = "memory",
    ["what is the process registry"] = "registry",
    ["how do I use a task"] = "concurrency", ["brutal_kill"] = "child_specs", ["permission"] = "safety",
    ["get_state"] = "genserver_state", ["backpressure"] = "concurrency", ["reductions"] = "mental_model",
    ["gen_server"] = "genserver",
  }
  for asked, meant in pairs(MEANT) do
    it(("shows %s for %q"):format(meant, asked), function()
      local found, clear = topic_search.find(asked, topics)
      assert.same({ meant, true }, { found[1] and found[1].topic, clear })
    end)
  end

  it("lists them where it is not clear which was meant", function()
    local found, clear = topic_search.find("netsplit lock", topics)
    assert.is_false(clear)
    assert.is_true(#found >= 1 and #found <= 8)
  end)

  it("finds nothing where one of the words is nowhere", function()
    assert.same({}, (topic_search.find("mailbox frobnicate", topics)))
  end)

  it("is near to a slip of the fingers, of a name or of another word for it", function()
    assert.equal("supervision", topic_search.near("supervison", topics))
    assert.equal("links_or_monitors", topic_search.near("trap exits", topics))
    assert.equal("mailbox", topic_search.near("a mailbx frobnicates", topics))
    assert.is_nil(topic_search.near("frobnicate", topics))
  end)
end)
