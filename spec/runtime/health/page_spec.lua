-- The screen of `health`, of figures that are given: what stands where, and within which width.

local figures = require "spec.support.health_figures"
local page = require "runtime.health.page"
local rules = require "runtime.health.rules"

local NODE = { name = "shop@10.0.0.7", load = { calls = 6, reductions = 538373, bytes = 8448, max_ms = 437 } }

local function shown(change, screen, o, unanswered)
  local of = figures()
  change(of)
  return page.text(NODE, of, unanswered or {}, rules.judge(of), o or {}, screen or { width = 80 })
end

local function same() end

local function well(of)
  of.machine, of.oban = { used_pct = 41.26, total_mb = 16000 }, nil
  of.processes.process_count, of.atoms.atom_count, of.schedulers.utilization_pct = 100, 10000, 5
  of.top_by_memory.processes[1].memory_kb, of.top_by_mailbox.processes[1].message_queue = 100, 0
end

describe("the page of health", function()
  it("begins with the node, its releases and since when it is up", function()
    assert.equal("shop@10.0.0.7  OTP 27, Elixir 1.17.3, up 1 d 2 h", shown(same):match "^[^\n]+")
  end)

  it("tells a small process in kilobytes", function()
    local text = shown(same)
    assert.matches("\n  <0.5.0>      585.9 MB  ", text)
    assert.matches("\n  <0.12345.0>     90 kB  ", text)
  end)

  it("shows of mailboxes those that hold something, and nothing where none does", function()
    assert.matches("\ntop by mailbox\n  <0.9.0>  1,234,567  sink %([^\n]*waits for a message\n\noverloaded%? yes",
      shown(same))
    assert.is_nil(shown(well):find("top by mailbox", 1, true))
  end)

  it("tells each broken rule with its figure and its limits", function()
    local text = shown(same)
    assert.matches("\noverloaded%? yes, by rules of thumb\n  bad        memory of the container 92.4%%; ", text)
    assert.matches("\n  bad        processes 91.6%%; attention from 80, bad from 90\n", text)
    assert.matches("\n  attention  the oldest job that waits 75 s; attention from 60, bad from 600\n", text)
  end)

  it("tells what it rests on that a node is not overloaded", function()
    assert.matches("\noverloaded? no, by rules of thumb: memory of the machine 41.3% (80%), run\n"
      .. "  queue of a scheduler 0 (2), schedulers 5% (70%), dirty CPU schedulers 0%\n"
      .. "  (70%), dirty IO schedulers 3.1% (70%), the longest mailbox 0 (1,000)\n", shown(well), 1, true)
  end)

  it("stands on a terminal of 24 lines where the node is well, with the next prompt", function()
    local text, count = shown(well):gsub("\n", "\n")
    assert.is_true(count <= 23, text)
    assert.matches("\nmachine     ok  16,000 MB, 41%% in use   processes  ok  100 of 262,144 %(0%%%)\n", text)
  end)

  it("says of a part that was not answered why, and shows the rest", function()
    local text = shown(function(of) of.ets = nil end, nil, nil, { { part = "ets", why = "no answer after 10 s" } })
    assert.matches("\nets         unknown    not answered: no answer after 10 s\n", text)
    assert.matches("\n  unknown    ETS tables\n", text)
    assert.matches("\nmailboxes   bad  ", text)
  end)

  it("tells what to run next for this node, the worst first", function()
    local text = shown(same, { width = 100 }, { cookie_file = "/c" })
    assert.matches("\nwhat to look at next\n  beamlens%-run call beam_top_processes 5 memory %-%-node shop@10.0.0.7 "
      .. "%-%-cookie%-file /c\n", text)
    assert.matches("\n  beamlens%-run coordinator.lua %-%-node shop@10.0.0.7 %-%-cookie%-file /c\nasked of", text)
  end)

  it("says so where every figure is within its limit", function()
    assert.matches("\nevery figure is within its limit; if something is wrong all the same:\n  beamlens%-run coord",
      shown(well))
    for _, lacks in ipairs { function(of) of.ets = nil end,
      function(of) of.machine = { unavailable = "no /proc, no os_mon" } end } do
      assert.matches("\nevery figure that is known is within its limit; ", shown(function(of)
        well(of)
        lacks(of)
      end))
    end
  end)

  it("has of a terminal without UTF-8 nothing that it cannot show", function()
    local function named(of) of.top_by_memory.processes[1].name = "caf\195\169" .. ("x"):rep(60) end
    assert.matches("caf\195\169x+~  waits", shown(named, { width = 80, utf8 = true }))
    assert.is_nil(shown(named):find "[\128-\255]")
  end)

  it("colours the words of states and nothing of the node, where there may be colour", function()
    local painted, colours = shown(same, { width = 80, color = true }), {}
    local text = painted:gsub("\27%[([%d;]+)m([^\27]*)\27%[0m", function(code, word)
      colours[word:match "^%S+"] = code
      return word
    end)
    assert.equal(shown(same), text)
    assert.same({ ["shop@10.0.0.7"] = "1", ok = "32", attention = "1;33", bad = "1;31", asked = "2" }, colours)
  end)

  for _, width in ipairs { 60, 80, 100, 200 } do
    it(("is no wider than %d columns, and no longer than can be read"):format(width), function()
      local text = shown(same, { width = width }, { cookie_file = "/home/somebody/.cookies/shop.production" })
      local lines, long = 0, {}
      for line in text:gmatch "[^\n]*\n" do
        lines = lines + 1
        if #line:gsub("[\128-\191]", "") - 1 > width then long[#long + 1] = line end
      end
      assert.same({}, long)
      assert.is_true(lines <= (width >= 80 and 44 or 60), text) -- where all of it is bad
    end)
  end

  it("shows text of a node harmless", function()
    local text = shown(function(of)
      of.top_by_mailbox.processes[1].name, of.system.otp_release = "a\27[2Jb", "2\27c7"
    end)
    assert.is_nil(text:find "[%z\1-\9\11-\31\127]")
  end)
end)
