-- The checks of what is left behind on played answers: that they find what is really there, the gallery shows.
local played = require "spec.support.played_checks"
local find = played.of "beam"

describe("the check for modules that are made", function()
  local MOVES = { seconds = 1.5, modules_before = 400, modules = 460 }
  local function look(names, gone)
    return { seconds = 2, modules_before = 460, modules = 460 + #names, born = #names, gone = gone or 0, code_mb = 9,
      code_mb_before = 8, names = names }
  end
  local NUMBERED = { "tpl_1", "tpl_2", "tpl_3", "tpl_4", "tpl_5", "tpl_6" }

  it("names them by what they have in common", function()
    assert.equal("tpl_#", find("module_leak", { MOVES, look(NUMBERED) }).object)
    local hashes = { "tpl_5fa2", "tpl_cafe01", "tpl_0b1e9", "tpl_77", "tpl_e3", "tpl_9ac4" }
    assert.equal("tpl_#", find("module_leak", { MOVES, look(hashes) }).object)
  end)

  it("finds nothing in modules that are loaded as they are first called, or go again", function()
    local lazy = look { "gen_tcp", "inet_tcp", "ssl", "public_key", "asn1", "crypto" }
    assert.is_nil((find("module_leak", { MOVES, lazy })))
    assert.is_nil((find("module_leak", { MOVES, look(NUMBERED, 6) })))
  end)

  it("looks no further where their number stands", function()
    assert.same({ nil, 1 }, { find("module_leak", { { seconds = 1.5, modules_before = 400, modules = 401 } }) })
  end)
end)

describe("the check for persistent terms that are written anew", function()
  local function top(rate)
    return { processes = { { pid = "<0.9.0>", name = "erts_literal_area_collector:start/0", rate_per_sec = rate,
      share_pct = 30 } } }
  end
  local function literals(rate, purger)
    return { seconds = 2, count_before = 20, count = 20, memory_mb = 0.1, collector_reductions_per_sec = rate,
      purger_reductions_per_sec = purger or 0 }
  end

  it("tells by the collector that works at both looks", function()
    assert.equal("persistent_term", find("persistent_term_churn", { top(400000), literals(400000) }).object)
  end)

  it("finds nothing in modules that are loaded anew, whose purger works as much", function()
    assert.is_nil((find("persistent_term_churn", { top(400000), literals(400000, 390000) })))
    assert.is_nil((find("persistent_term_churn", { top(400000), literals(400000, 300000) })))
  end)

  it("finds nothing in one that was written once", function()
    assert.is_nil((find("persistent_term_churn", { top(400000), literals(0) })))
    assert.same({ nil, 1 }, { find("persistent_term_churn", { top(100) }) })
  end)
end)

describe("the check for persistent terms that become more", function()
  local function overview(before, after)
    return { seconds = 1.5, persistent_terms_before = before, persistent_terms = after }
  end
  local function literals(before, after)
    return { seconds = 1.5, count_before = before, count = after, memory_mb_before = 0.1, memory_mb = 0.2 }
  end

  it("tells their rate", function()
    local finding = find("persistent_term_growth", { overview(20, 50), literals(50, 80), literals(80, 110) })
    assert.matches("^20%.0 persistent terms more every second %(110 now", finding.hypothesis)
  end)

  it("finds nothing in those that are put at a start", function()
    assert.same({ nil, 1 }, { find("persistent_term_growth", { overview(20, 21) }) })
    assert.same({ nil, 2 }, { find("persistent_term_growth", { overview(20, 50), literals(50, 51) }) })
    assert.is_nil((find("persistent_term_growth", { overview(20, 50), literals(50, 80), literals(80, 80) })))
  end)
end)

describe("the check for a trace left on", function()
  local QUEUES = { seconds = 1.5, processes = { { pid = "<0.9.0>", name = "watcher", queue_growth = 900,
    final_queue = 5000 } } }

  it("names the tracer whose mailbox grows", function()
    local all = { tracer = "<0.9.0>", trace_flags_of_new = { "send" }, traced_count = 40, traced_of = 40, traced = {} }
    assert.equal("watcher", find("tracing_left_on", { QUEUES, all }).object)
    local one = { traced_count = 1, traced_of = 40, traced = { { pid = "<0.3.0>", tracer = "<0.9.0>" } } }
    assert.matches("the tracer of 1 of the 40", find("tracing_left_on", { QUEUES, one }).hypothesis)
  end)

  it("finds nothing where somebody else traces", function()
    local other = { tracer = "<0.4.0>", traced_count = 40, traced_of = 40, traced = {} }
    assert.is_nil((find("tracing_left_on", { QUEUES, other })))
  end)

  it("looks no further while no mailbox grows", function()
    assert.same({ nil, 1 }, { find("tracing_left_on", { { seconds = 1.5, processes = {} } }) })
  end)
end)
