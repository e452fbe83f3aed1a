-- The checks of what was left behind on played answers: that they find what is really there, the gallery shows.
local played = require "spec.support.played_checks"
local with = played.with
local find = played.of "beam"

describe("the check for old code", function()
  local function overview(count) return { seconds = 1.5, old_code_count = count } end
  local function users(...) return { old_code_count = 1, looked_at = 60, users = { ... } } end
  local ROW = { module = "desk", process_count = 12, pid = "<0.9.0>", name = "desk:start/0" }

  it("names the module that processes still run the old version of", function()
    local finding = find("old_code", { overview(1), users(ROW), users(ROW) })
    assert.equal("desk", finding.object)
    assert.matches("12 processes still run its old version", finding.hypothesis, 1, true)
  end)

  it("finds nothing in old code that nobody runs, or that is left a moment later", function()
    assert.same({ nil, 2 }, { find("old_code", { overview(3), users() }) })
    assert.is_nil((find("old_code", { overview(3), users(ROW), users() })))
    assert.is_nil((find("old_code", { overview(3), users(ROW), users(with(ROW, { module = "lamp" })) })))
  end)

  it("wakes nobody where there is none", function()
    assert.same({ nil, 1 }, { find("old_code", { overview(0) }) })
  end)
end)

describe("the check for dead group leaders", function()
  local function overview(count) return { seconds = 1.5, led_by_the_dead_count = count } end
  local function led(...) return { led_by_the_dead_count = select("#", ...), led_by_the_dead = { ... } } end
  local DESK = { pid = "<0.9.0>", name = "desk", reductions = 1000 }
  local NAMELESS = { pid = "<0.8.0>", current_function = "m:f/0", reductions = 1000 }

  it("names who works all the same, by a name where there is one", function()
    local finding = find("dead_group_leader", { overview(2), led(NAMELESS, DESK),
      led(with(NAMELESS, { reductions = 9000 }), with(DESK, { reductions = 5000 })) })
    assert.equal("desk", finding.object)
  end)

  it("finds nothing in one that only waits", function()
    assert.is_nil((find("dead_group_leader", { overview(1), led(DESK), led(with(DESK, { reductions = 1020 })) })))
  end)

  it("looks no further where all leaders live", function()
    assert.same({ nil, 1 }, { find("dead_group_leader", { overview(0) }) })
    assert.same({ nil, 2 }, { find("dead_group_leader", { overview(1), led() }) })
  end)
end)

describe("the check for names of nodes", function()
  local function overview(before, after)
    return { seconds = 1.5, known_nodes_before = before, known_nodes = after, atom_limit = 1048576, atom_count = 20000 }
  end
  local function atoms(rate, shape)
    return { seconds = 2, atoms_per_sec = rate, atom_count_before = 19000, atom_count = 20000,
      shapes = { { shape = shape, count = 9 } } }
  end

  it("names them by what they have in common", function()
    local finding = find("node_name_atoms", { overview(10, 30), atoms(12, "probe#@host"), overview(60, 80) })
    assert.equal("probe#@host", finding.object)
    assert.matches("13.3 a second (80 are known now)", finding.hypothesis, 1, true)
  end)

  it("finds nothing in nodes that come once", function()
    assert.same({ nil, 1 }, { find("node_name_atoms", { overview(10, 11) }) })
    assert.same({ nil, 2 }, { find("node_name_atoms", { overview(10, 30), atoms(0, "x#") }) })
    assert.is_nil((find("node_name_atoms", { overview(10, 30), atoms(12, "probe#@host"), overview(60, 61) })))
  end)
end)
