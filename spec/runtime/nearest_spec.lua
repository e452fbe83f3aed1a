local nearest = require "runtime.nearest"

local WORDS = { "--node", "--no-color", "--cookie-file", "--provider", "health", "runs", "skills", "beam_get_memory",
  "beam_top_processes", "beam_top_reducers_window", "ets", "BEAMLENS_NODE" }

describe("the nearest word", function()
  for slip, meant in pairs {
    helth = "health", healht = "health", rnus = "runs", est = "ets", Health = "health", EtS = "ets",
    ["--ndoe"] = "--node", beam_get_memori = "beam_get_memory", skill = "skills", health = "health",
    BEAMLENS_NDOE = "BEAMLENS_NODE",
  } do
    it(("is %s for %s, a slip of the fingers"):format(meant, slip), function()
      assert.equal(meant, nearest(slip, WORDS))
    end)
  end

  for part, meant in pairs { ["--cookie"] = "--cookie-file", ["--prov"] = "--provider", ["--color"] = "--no-color",
    beam_top = "beam_top_processes", processes = "beam_top_processes" } do
    it(("is %s for %s, a part of it"):format(meant, part), function() assert.equal(meant, nearest(part, WORDS)) end)
  end

  it("is none for what is like none, for a letter or two, and for a text that nobody typed", function()
    assert.same({}, { nearest("frobnicate", WORDS), nearest("x", { "health" }), nearest("he", WORDS),
      nearest(("a"):rep(201), WORDS), nearest("health", {}) })
  end)
end)
