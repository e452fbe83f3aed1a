-- The check of gc on played answers: collections of half a second are not made in a spec.
local played = require "spec.support.played_checks"
local find, suspect = played.of "gc"

local function look(seconds, ...)
  local events = {}
  for i, ms in ipairs { ... } do
    events[i] = { pid = "<0.9.0>", name = "store", duration_ms = ms, heap_size = 60000000 }
  end
  return { listened_seconds = seconds, total = #events, events = events }
end

describe("the check of gc", function()
  it("tells of a process that collects for long at both looks, and accuses nobody", function()
    local finding = find("long_collections", { look(2, 900), look(5, 800, 900) })
    assert.same({ "store", "warning", "low" }, { finding.object, finding.severity, finding.confidence })
    assert.matches("2 times, 1.7 s in all, in the 5.0 s", finding.hypothesis, 1, true)
  end)

  it("finds nothing in one long collection, nor in two of a long time", function()
    assert.is_nil((find("long_collections", { look(2, 900), look(5, 900) })))
    assert.is_nil((find("long_collections", { look(200, 900), look(203, 800, 900) })))
  end)

  it("looks no further where there is none", function()
    assert.same({ nil, 1 }, { find("long_collections", { look(2) }) })
  end)
end)

describe("the check for garbage of those that wait", function()
  local function idle(count, changes)
    local rows = {}
    for i = 1, count do
      rows[i] = played.with({ pid = ("<0.%d.0>"):format(i), current_function = "m:rest/0", used_kb = 3000,
        total_heap_size_kb = 5000, message_queue_len = 0, unreferenced = true }, changes)
    end
    return { seconds = 1.5, total = count, showing = count, processes = rows }
  end

  it("names where they wait, and how much it is", function()
    local finding = find("idle_garbage", { idle(50), idle(50) })
    assert.equal("m:rest/0", finding.object)
    assert.matches("50 processes wait in m:rest/0 on 146 MB of garbage", finding.hypothesis, 1, true)
  end)

  it("says nothing of heaps that something refers to, or that a message is to be read into", function()
    assert.same({ nil, 1 }, { find("idle_garbage", { idle(50, { unreferenced = false }) }) })
    assert.same({ nil, 1 }, { find("idle_garbage", { idle(50, { message_queue_len = 1 }) }) })
  end)

  it("says nothing of a few, of little, or of what is gone at the second look", function()
    assert.same({ nil, 1 }, { find("idle_garbage", { idle(3, { used_kb = 30000 }) }) })
    assert.same({ nil, 1 }, { find("idle_garbage", { idle(50, { used_kb = 30 }) }) })
    assert.is_nil((find("idle_garbage", { idle(50), idle(0) })))
  end)

  it("looks where heaps take more than their processes need", function()
    assert.is_true(suspect("idle_garbage", { processes_mb = 300, process_count = 100 }))
    assert.is_false(suspect("idle_garbage", { processes_mb = 300, process_count = 100000 }))
  end)
end)

describe("the check for large messages", function()
  local STATS = { reclaimed_mb_per_sec = 80, seconds = 1 }

  local function once(changes, of_giver, of_taker)
    return played.with({ seconds = 0.7, samples = 220, quiet_samples = 150, collections = 33, words_per_gc = 200000,
      reclaimed_mb = 50.4, total = 2, showing = 2, processes = {
        played.with({ pid = "<0.8.0>", name = "giver", current_function = "timer:sleep/1", used_kb = 1560,
          share_pct = 96, reductions_delta = 103000 }, of_giver),
        played.with({ pid = "<0.9.0>", name = "taker", current_function = "m:take/0", used_kb = 0, share_pct = 98,
          reductions_delta = 1100 }, of_taker) } }, changes)
  end

  local function of(...) return find("large_message_copying", { STATS, ... }) end

  it("names who sends, and says to whom, how often and how much", function()
    local finding = of(once(), once(), once())
    assert.same({ "giver", "warning", "medium" }, { finding.object, finding.severity, finding.confidence })
    assert.matches("giver sends large terms to taker: 47 times a second 1.5 MB are thrown away", finding.hypothesis, 1,
      true)
  end)

  it("needs the same two at two of three looks", function()
    local none = once { processes = {} }
    assert.equal("giver", of(once(), none, once()).object)
    assert.is_nil((of(none, once(), none)))
    assert.is_nil((of(once(), once(nil, { pid = "<0.7.0>" }), none)))
  end)

  it("says nothing of who builds what it throws away, or of two of whom none holds it", function()
    local builds, empty = once(nil, nil, { reductions_delta = 660000 }), once(nil, { used_kb = 20 })
    assert.is_nil((of(builds, builds, builds)))
    assert.is_nil((of(empty, empty, empty)))
  end)

  it("says nothing of a large row that is read: who holds much there sends nothing", function()
    local read = once(nil, { reductions_delta = 900 })
    assert.is_nil((of(read, read, read)))
  end)

  it("looks no further where it is little, seldom, or comes all the time", function()
    assert.same({ nil, 1 }, { find("large_message_copying", { { reclaimed_mb_per_sec = 9 } }) })
    assert.same({ nil, 2 }, { of(once { reclaimed_mb = 20 }) })
    assert.same({ nil, 2 }, { of(once { collections = 3 }) })
    assert.same({ nil, 2 }, { of(once { quiet_samples = 10 }) })
  end)
end)
