-- The checks of monitors and timers on played answers: that they find what is really there, the gallery shows.
local played = require "spec.support.played_checks"
local with = played.with
local find = played.of "beam"

-- What has one size each, before and after.
local function fixed(before, after, more)
  return with({ seconds = 1.5, fixed_kb_before = before, fixed_kb = after, process_count_before = 60,
    process_count = 60, port_count_before = 8, port_count = 8, queued_messages_before = 0,
    queued_messages = 0, makers = {} }, more)
end

describe("the check for monitors that pile up", function()
  local MOVES = fixed(300, 1200)
  local ROW = { pid = "<0.9.0>", name = "desk", monitor_count = 9000, monitor_growth = 8000, link_count = 0,
    beside_heap_kb = 900 }
  local function holders(row) return { seconds = 2, processes = { with(ROW, row) } } end

  it("names who sets them", function()
    local finding = find("monitor_leak", { MOVES, MOVES, holders(), holders { monitor_count = 17000 } })
    assert.equal("desk", finding.object)
    assert.matches("sets 4000 monitors a second and gives none back: it has 17000", finding.hypothesis)
  end)

  it("wakes nobody while monitors cannot have become more, at either look", function()
    assert.same({ nil, 1 }, { find("monitor_leak", { fixed(300, 305) }) })
    assert.same({ nil, 2 }, { find("monitor_leak", { MOVES, fixed(1200, 1203) }) })
  end)

  it("wakes nobody where processes, ports or messages account for it", function()
    assert.same({ nil, 1 }, { find("monitor_leak", { fixed(300, 1200, { process_count = 1000 }) }) })
    assert.same({ nil, 1 }, { find("monitor_leak", { fixed(300, 1200, { port_count = 1000 }) }) })
    assert.same({ nil, 2 }, { find("monitor_leak", { MOVES, fixed(300, 1200, { queued_messages = 6000 }) }) })
  end)

  it("finds nothing in many monitors that are given back", function()
    assert.same({ nil, 3 }, { find("monitor_leak", { MOVES, MOVES, holders { monitor_growth = 3 } }) })
    assert.same({ nil, 4 }, { find("monitor_leak", { MOVES, MOVES, holders(), holders { monitor_growth = -9 } }) })
  end)
end)

describe("the check for timers that pile up", function()
  local MAKER = { pid = "<0.9.0>", name = "desk", share_pct = 97, beside_heap_growth_kb = 0 }
  local function look(maker, other)
    return fixed(1200, 1500, { makers = { with(MAKER, maker), other } })
  end

  it("names who sets them", function()
    local finding = find("timer_leak", { fixed(300, 600), look(), look() })
    assert.equal("desk", finding.object)
    assert.matches("200 kB more of what has one size each every second (about 1365 timers", finding.hypothesis, 1, true)
  end)

  it("leaves what lies beside a heap to the check for monitors", function()
    assert.same({ nil, 2 }, { find("timer_leak", { fixed(300, 600), look { beside_heap_growth_kb = 200 } }) })
  end)

  it("accuses nobody where two worked whenever they came, or another one each time", function()
    assert.same({ nil, 2 }, { find("timer_leak", { fixed(300, 600), look({}, with(MAKER, { share_pct = 80 })) }) })
    assert.is_nil((find("timer_leak", { fixed(300, 600), look(), look { pid = "<0.8.0>" } })))
  end)
end)

describe("the check for what rises and nobody alone sets", function()
  local TWO = { makers = { { pid = "<0.9.0>", name = "desk", share_pct = 100 }, { pid = "<0.8.0>", share_pct = 100 } } }

  it("accuses nobody, and tells what rises and who was at work", function()
    local finding = find("unexplained_timers", { fixed(300, 480), fixed(480, 620), fixed(620, 800, TWO) })
    assert.same({ "timers", "warning", "low" }, { finding.object, finding.severity, finding.confidence })
    assert.matches("grows by 120 kB a second at three looks, as 819 timers a second would", finding.hypothesis, 1, true)
    assert.matches("at work whenever they came were desk, <0.8.0>. Who sets them", finding.hypothesis, 1, true)
  end)

  it("looks no further where it rises little", function()
    assert.same({ nil, 1 }, { find("unexplained_timers", { fixed(300, 320) }) })
    assert.same({ nil, 2 }, { find("unexplained_timers", { fixed(300, 480), fixed(480, 500) }) })
  end)

  it("finds nothing in what comes and goes", function()
    assert.is_nil((find("unexplained_timers", { fixed(300, 480), fixed(480, 620), fixed(620, 600) })))
    assert.is_nil((find("unexplained_timers", { fixed(300, 900), fixed(900, 950), fixed(950, 1000) })))
  end)
end)

describe("the check for timers that fire without end", function()
  local function top(rate)
    return { seconds = 1.5, processes = { { pid = "<0.9.0>", name = "timer_server", rate_per_sec = rate,
      share_pct = 40 } } }
  end
  local function watched(rate)
    return { seconds = 1, reductions_per_sec = rate, queue_max = 9,
      statuses = { { status = "waiting", share_pct = 80 } } }
  end

  it("tells by the timer server that works at both looks", function()
    local finding = find("timer_storm", { top(5000000), watched(5400000) })
    assert.equal("timer_server", finding.object)
    assert.matches("about 300000 timers that fire", finding.hypothesis, 1, true)
  end)

  it("finds nothing in one that works a little, or for a moment", function()
    assert.same({ nil, 1 }, { find("timer_storm", { top(55000) }) })
    assert.is_nil((find("timer_storm", { top(5000000), watched(55000) })))
  end)
end)
