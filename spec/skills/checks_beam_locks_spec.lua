-- The check of a table that many fight for, on played answers: whether two threads really meet at a lock, a machine
-- decides anew each second.
local played = require "spec.support.played_checks"
local with = played.with
local find = played.of "beam"

local BUSY = { seconds = 1.5, schedulers_online = 2, utilization_pct = 100, reductions_per_sec = 2400000 }
local WANT = { seconds = 0.25, schedulers_online = 2, max_before = 0, max = 0, high_before = 0, high = 0,
  normal_before = 4, normal = 4, groups = { { app_function = "hits:count/0", process_count = 4, share_pct = 100 } } }

local function waits(ns, o)
  return with({ seconds = 0.6, looks = 5, looked_at = 6, usual_ns = 200, reductions_per_cpu_sec = 2400000,
    tables = { { name = "hits", owner_pid = "<0.9.0>", looks = 5, read_ns = ns } } }, o)
end

describe("the check for a table that is fought for", function()
  it("names the table, and who is seen", function()
    local finding = find("ets_contention", { BUSY, WANT, waits(7000) })
    assert.equal("hits", finding.object)
    assert.matches("a read of it takes 7.0 us, where 0.2 us is usual", finding.hypothesis, 1, true)
    assert.matches("hits:count/0", finding.hypothesis, 1, true)
  end)

  it("needs no overview where more want to run than there are schedulers", function()
    local want = with(WANT, { reductions_per_sec = 900000, run_queue = 4 })
    assert.equal("hits", find("ets_contention_first", { want, waits(7000) }).object)
    assert.same({ nil, 1 }, { find("ets_contention_first", { with(want, { normal = 2 }) }) })
    assert.same({ nil, 1 }, { find("ets_contention_first", { with(want, { reductions_per_sec = 90000000 }) }) })
  end)

  it("looks no further where work gets done, or schedulers rest", function()
    assert.same({ nil, 1 }, { find("ets_contention", { with(BUSY, { reductions_per_sec = 90000000 }) }) })
    assert.same({ nil, 1 }, { find("ets_contention", { with(BUSY, { utilization_pct = 60 }) }) })
  end)

  it("takes one writer for nobody's fight", function()
    assert.same({ nil, 2 }, { find("ets_contention", { BUSY, with(WANT, { normal = 1 }) }) })
  end)

  it("finds nothing where all tables read alike, or CPU time is worked in", function()
    assert.is_nil((find("ets_contention", { BUSY, WANT, waits(300) })))
    assert.is_nil((find("ets_contention", { BUSY, WANT, waits(7000, { reductions_per_cpu_sec = 22000000 }) })))
  end)
end)
