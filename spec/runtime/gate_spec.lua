local gate = require "runtime.gate"

describe("the gate", function()
  it("lets what only reads run", function()
    assert.is_true(gate.new({}):permit("beam_get_memory", "SAFE"))
  end)

  it("refuses a side effect that nobody allowed, and says what would allow it", function()
    local ok, err = gate.new({}):permit("beam_binary_leak", "CAUTION")
    assert.is_nil(ok)
    assert.matches("--allow beam_binary_leak (or --allow caution)", tostring(err), 1, true)
  end)

  it("lets a side effect run when the class was allowed", function()
    assert.is_true(gate.new({ allow = { "caution" } }):permit("beam_binary_leak", "CAUTION"))
  end)

  it("lets the one callback run that was allowed by name, and no other", function()
    local g = gate.new { allow = { "beam_binary_leak" } }
    assert.is_true(g:permit("beam_binary_leak", "CAUTION"))
    assert.is_nil((g:permit("beam_trace_calls", "CAUTION")))
  end)

  it("refuses what changes the node, whatever was allowed", function()
    local g = gate.new { allow = { "caution", "dangerous", "DANGEROUS", "kill_process" } }
    local ok, err = g:permit("kill_process", "DANGEROUS")
    assert.is_nil(ok)
    assert.matches("a person confirmed exactly this action", tostring(err), 1, true)
  end)

  it("knows the word of a class and the callbacks in use, and names the nearest for another", function()
    local skills = { { callbacks = { beam_get_memory = {}, beam_binary_leak = {} } }, { callbacks = { ets_get = {} } } }
    local function said(...) return tostring(select(2, gate.check({ ... }, skills))) end
    assert.is_true(gate.check({}, skills))
    assert.is_true(gate.check({ "caution", "beam_binary_leak", "ets_get" }, skills))
    assert.equal("--allow knows no cautoin; did you mean caution?", said "cautoin")
    assert.equal("--allow knows no beam_binary_leek; did you mean beam_binary_leak?",
      said("caution", "beam_binary_leek"))
    assert.equal("--allow knows no everything; it takes caution, or a callback of the skills in use", said "everything")
    local _, err = gate.check({ "dangerous" }, skills)
    assert.same({ "usage", 2 }, { err.stage, err.exit })
  end)

  it("asks about side effects only: what reads needs no question, and for what changes a yes is not enough", function()
    assert.equal("has a side effect on the running system", gate.question("beam_binary_leak", "CAUTION"))
    assert.is_nil(gate.question("beam_get_memory", "SAFE"))
    assert.is_nil(gate.question("kill_process", "DANGEROUS"))
    assert.is_nil(gate.question("thing", "HARMLESS"))
  end)

  it("takes a class that it does not know for the most dangerous one", function()
    local g = gate.new { allow = { "caution", "thing" } }
    assert.is_nil((g:permit("thing", "HARMLESS")))
    assert.is_nil((g:permit("thing", nil)))
  end)
end)
