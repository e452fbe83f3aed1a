-- What a node was like: time is passed in, so nothing waits.
local async = require "runtime.async"
local history = require "runtime.history"
local left_open = require "spec.support.left_open"
local live = require "spec.support.live_node"
local node = require "runtime.node"
local skill = require "runtime.skill"

local function ages(entries)
  local list = {}
  for i, entry in ipairs(entries) do list[i] = entry.age end
  return list
end

describe("history", function()
  local past

  before_each(function() past = history.new() end)

  it("gives back what was kept within the minutes asked for, oldest first, with its age in seconds", function()
    for at = 0, 120, 40 do past:remember("beam", "atoms", at, at) end
    assert.same({ { age = 81, value = 40 }, { age = 41, value = 80 }, { age = 1, value = 120 } },
      past:look("beam", "atoms", 1.5, 121))
  end)

  it("keeps the figures of a snapshot each by its own name", function()
    past:figures("beam", { atom_count = 7, total_mb = 3 }, 10)
    assert.same({ { age = 0, value = 7 } }, past:look("beam", "atom_count", 1, 10))
    assert.same({ { age = 0, value = 3 } }, past:look("beam", "total_mb", 1, 10))
  end)

  it("shows a skill what is its own, and nothing of another", function()
    past:remember("beam", "sizes", 1)
    assert.same({}, past:of "ets"("sizes", 60))
    assert.equal(1, past:of "beam"("sizes", 60)[1].value)
  end)

  it("has nothing for a metric that nobody kept", function()
    assert.same({}, past:look("beam", "unheard_of", 60))
  end)

  it("keeps a hundred entries of a metric and no more, the first and the last among them", function()
    for at = 0, 5000 do past:remember("beam", "atoms", at, at) end
    local kept = past:look("beam", "atoms", 1440, 5000)
    assert.equal(100, #kept)
    assert.same({ 0, 5000 }, { kept[1].value, kept[100].value })
  end)

  it("keeps new entries close together and thins out the old ones, by no more than a third of their age", function()
    for at = 0, 86400, 10 do past:remember("beam", "atoms", at, at) end
    local kept = ages(past:look("beam", "atoms", 1440, 86400))
    local worst = 0
    for i = 1, #kept - 1 do
      if kept[i + 1] > 100 then worst = math.max(worst, (kept[i] - kept[i + 1]) / kept[i]) end
    end
    assert.is_true(worst < 1 / 3, "a gap of " .. worst)
    assert.same({ 10, 0 }, { kept[#kept - 1], kept[#kept] })
  end)

  it("forgets what is older than a day", function()
    past:remember("beam", "atoms", "old", 0)
    past:remember("beam", "atoms", "new", 86401)
    assert.same({ { age = 0, value = "new" } }, past:look("beam", "atoms", 1e6, 86401))
  end)

  it("forgets a metric that is no longer told, as one named after a process that came and went", function()
    local before = left_open.memory()
    for at = 0, 30 * 86400, 100 do past:figures("mine", { ["of_" .. at] = at }, at) end
    local kept = left_open.memory() - before
    assert.is_true(kept < 1024 * 1024, ("%d bytes"):format(kept))
    assert.equal(30 * 86400, past:look("mine", "of_" .. 30 * 86400, 60, 30 * 86400)[1].value)
  end)

  it("is bounded in what it holds, however large the answers", function()
    for at = 1, 90 do
      local large = {}
      for i = 1, 10000 do large[i] = i + at end
      past:remember("ets", "sizes", large, at)
    end
    for at = 1, 90 do past:remember("beam", "atoms", at, at) end
    assert.equal(29, #past:look("ets", "sizes", 60, 90)) -- of 10,001 values each, within 300,000
    assert.equal(90, #past:look("beam", "atoms", 60, 90))
  end)

  it("keeps once what did not change from look to look", function()
    for at = 1, 90 do
      local rows = {}
      for i = 1, 10000 do rows[i] = { id = i, size = 7 } end
      rows[5].size = at
      past:remember("ets", "sizes", rows, at)
    end
    local kept = past:look("ets", "sizes", 60, 90)
    local last, before = kept[#kept].value, kept[#kept - 1].value
    assert.equal(before[4], last[4])
    assert.same({ { id = 4, size = 7 }, { id = 5, size = 89 }, { id = 5, size = 90 } }, { last[4], before[5], last[5] })
    assert.equal(27, #kept) -- a row that did not change counts as one value in place of three
  end)

  it("keeps a value that is the same again whole, and counts it once", function()
    for at = 1, 90 do
      local rows = {}
      for i = 1, 10000 do rows[i] = i end
      past:remember("ets", "sizes", rows, at)
    end
    local kept = past:look("ets", "sizes", 60, 90)
    assert.equal(90, #kept)
    assert.equal(kept[1].value, kept[90].value)
  end)

  it("sees a field that went, and a list that became shorter", function()
    past:remember("ets", "sizes", { { id = 1, name = "a" }, { id = 2 } }, 1)
    past:remember("ets", "sizes", { { id = 1 } }, 2)
    assert.same({ { id = 1 } }, past:look("ets", "sizes", 60, 2)[2].value)
  end)

  it("does not keep what is too large by itself", function()
    local huge = {}
    for i = 1, 300001 do huge[i] = i end
    past:remember("ets", "sizes", huge, 1)
    assert.equal(0, #past:look("ets", "sizes", 60, 1))
  end)
end)

describe("history of a live node", function()
  local at

  setup(function() at = live.start() end)
  teardown(function() live.stop_all() end)

  it("remembers every snapshot that was taken, field by field", live.test(function()
    local ets = assert(skill.open "ets")
    local figures = assert(skill.snapshot(ets, at.node))
    local kept = skill.history(ets, at.node)("table_count", 1)
    assert.equal(figures.table_count, kept[#kept].value)
    assert.is_true(kept[#kept].age < 60)
  end))

  it("is handed to a skill that uses it", live.test(function()
    local text = [[return { name = "looker", title = "t", about = "a", prompt = "p", uses = { "history" },
      queries = { one = "1." }, keep = { "one" }, snapshot = "one",
      callbacks = { first = { doc = "d", class = "SAFE", returns = { "value" },
        run = function(node) return node.history("one", 5)[1] end } } }]]
    local looker = assert(skill.load(text, "looker.lua"))
    at.node.past:remember("looker", "one", 17, async.now() - 60)
    local first = assert(skill.call(looker, "first", {}, at.node))
    assert.equal(17, first.value)
    assert.near(60, first.age, 5)
  end))
end)

describe("history of a node that was started anew", function()
  teardown(function() live.stop_all() end)

  it("begins from nothing, as the old one's figures compare with nothing", live.test(function()
    local first, second = live.start { cookie = "again" }, os.time()
    local n = assert(node.connect { name = first.name, cookie_file = first.cookie_file })
    n.past:remember("beam", "atoms", 17)
    local heard = {}
    n:on_change(function(state) heard[state] = true end)
    first.stop()
    local deadline = async.now() + 30
    -- Each has an epmd of its own, which tells one start of a name from another by the clock's seconds.
    while (not heard.down or os.time() <= second) and async.now() < deadline do async.sleep(0.02) end
    live.start { cookie = "again" }
    while n.state ~= "up" and async.now() < deadline do async.sleep(0.02) end
    assert.same({ "up", {} }, { n.state, n.past:look("beam", "atoms", 60) })
    n:close()
  end))
end)
