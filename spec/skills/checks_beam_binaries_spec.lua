-- The check of binaries that are pinned, on played answers: that it finds what is really there, the gallery shows.
local played = require "spec.support.played_checks"
local with = played.with
local find = played.of "beam"

describe("the check for slices of large binaries", function()
  local RISES = { seconds = 1.5, binary_mb_before = 40, binary_mb = 70 }
  local ROW = { pid = "<0.9.0>", name = "desk", memory_kb = 100, binary_count = 200, binary_memory_kb = 80000 }
  local MORE = { binary_count = 330, binary_memory_kb = 132000 }
  local function holders(row) return { processes = { with(ROW, row) } } end
  local function watched(collections) return { seconds = 1.5, collections = collections } end

  it("names who keeps them", function()
    local finding = find("sub_binary_pins_parent", { RISES, holders(), watched(20), holders(MORE) })
    assert.equal("desk", finding.object)
    assert.matches("refers to 330 binaries of 400 kB each (129 MB), 130 more than 1.5 s before", finding.hypothesis, 1,
      true)
  end)

  it("looks no further where binaries stand still, or nobody alone holds them", function()
    assert.same({ nil, 1 }, { find("sub_binary_pins_parent", { { seconds = 1.5, binary_mb_before = 40,
      binary_mb = 40.2 } }) })
    assert.same({ nil, 2 }, { find("sub_binary_pins_parent", { RISES, holders { binary_memory_kb = 9000 } }) })
  end)

  it("leaves small binaries, and those of a large heap, to the check for states", function()
    assert.same({ nil, 2 }, { find("sub_binary_pins_parent", { RISES, holders { binary_count = 20000 } }) })
    assert.same({ nil, 2 }, { find("sub_binary_pins_parent", { RISES, holders { memory_kb = 9000 } }) })
  end)

  it("finds nothing where no garbage was collected meanwhile, or where they are let go", function()
    assert.same({ nil, 3 }, { find("sub_binary_pins_parent", { RISES, holders(), watched(0) }) })
    assert.is_nil((find("sub_binary_pins_parent", { RISES, holders(), watched(20), holders() })))
  end)
end)

describe("the check for binaries that no process refers to", function()
  local RISES = { seconds = 1.5, binary_mb_before = 40, binary_mb = 46, ets_mb_before = 2, ets_mb = 2 }
  local LATER = with(RISES, { binary_mb_before = 58, binary_mb = 64 })
  local function held(kb) return { processes = { { pid = "<0.9.0>", name = "desk", binary_memory_kb = kb } } } end

  it("accuses nobody, and tells how much it is and what to look at", function()
    local finding = find("unreferred_binaries", { RISES, held(300), LATER, held(375) })
    assert.same({ "binaries", "low" }, { finding.object, finding.confidence })
    assert.matches("take 64 MB and 4.0 MB more each second, at two looks, and the five processes with most refer to "
      .. "0.4 MB of them", finding.hypothesis, 1, true)
  end)

  it("looks no further where they are few, or a process refers to them", function()
    assert.same({ nil, 1 }, { find("unreferred_binaries", { with(RISES, { binary_mb_before = 4 }) }) })
    assert.same({ nil, 2 }, { find("unreferred_binaries", { RISES, held(30000) }) })
  end)

  it("finds nothing where they went in between, stand now, or are those of somebody who came", function()
    assert.is_nil((find("unreferred_binaries", { RISES, held(300), with(LATER, { binary_mb_before = 30,
      binary_mb = 36 }), held(300) })))
    assert.same({ nil, 3 }, { find("unreferred_binaries", { RISES, held(300), with(LATER, { binary_mb = 58 }) }) })
    assert.is_nil((find("unreferred_binaries", { RISES, held(300), LATER, held(40000) })))
  end)
end)
