-- The check of atoms on played answers: the edges that a live node does not hit twice the same way. That it finds what
-- is really there, the gallery shows (spec/faults_spec.lua).
local played = require "spec.support.played_checks"
local with = played.with
local check = played.confirming "beam"

describe("the check of atoms", function()
  local OVERVIEW = { seconds = 1.5, atom_count_before = 10000, atom_count = 16000 }
  local ATOMS = { seconds = 2, atom_count_before = 16000, atom_count = 24000, atoms_per_sec = 4000,
    atom_limit = 1048576, modules_loaded = 0, shapes = { { shape = "user_#", count = 100 } }, makers = {
      { pid = "<0.8.0>", name = "parser", share_pct = 99 }, { pid = "<0.4.0>", name = "clock", share_pct = 5 } } }
  local RATE = { growth_per_minute = 240000 }
  local function atoms(o, earlier)
    return check("atom_leak").confirm { OVERVIEW, RATE, with(ATOMS, earlier), with(ATOMS, o) }
  end

  it("name the limit, and who fills it where one stands out", function()
    assert.equal("atom_table (made by parser)", atoms().object)
    assert.equal("critical", atoms().severity)
  end)

  it("name the limit alone where several ran whenever atoms came", function()
    local both = { { pid = "<0.8.0>", name = "parser", share_pct = 90 },
      { pid = "<0.4.0>", name = "web", share_pct = 85 } }
    assert.equal("atom_table", atoms({ makers = both }).object)
  end)

  it("do not take modules that are loaded for a leak of atoms, nor what stopped again", function()
    assert.is_nil(atoms { modules_loaded = 2000 })
    assert.is_nil(atoms { atoms_per_sec = 0 })
    assert.is_nil(atoms({}, { atoms_per_sec = 5 }))
    assert.is_nil(check("atom_leak").look[2] { with(OVERVIEW, { atom_count = 10010 }) })
    assert.is_nil(check("atom_leak").look[4] { OVERVIEW, RATE, with(ATOMS, { atoms_per_sec = 5 }) })
  end)

  it("do not ask who makes atoms once none come any more, which would be dear", function()
    assert.is_nil(check("atom_leak").look[3] { OVERVIEW, { growth_per_minute = 600 } })
  end)

  it("do not take the atoms of our own questions for a leak", function()
    assert.is_nil(atoms { makers = { { pid = "<0.8.0>", current_function = "prim_eval:receive/2", share_pct = 99 } } })
  end)
end)
