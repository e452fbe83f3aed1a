local prices = require "runtime.llm.prices"

local USAGE = { input = 1e6, cache_write = 1e6, cache_read = 1e6, output = 1e6 }

describe("prices", function()
  it("are what the providers publish, for a million tokens of each kind", function()
    assert.near(1 + 1.25 + 0.1 + 5, prices.cost("claude-haiku-4-5", USAGE), 1e-9)
    assert.near(3 + 3.75 + 0.3 + 15, prices.cost("claude-sonnet-4-5", USAGE), 1e-9)
    assert.near(5 + 6.25 + 0.5 + 25, prices.cost("claude-opus-4-5", USAGE), 1e-9)
    assert.near(4 + 5 + 0.2 + 20, prices.cost("claude-opus-5-5", USAGE), 1e-9)
    assert.near(2 + 2.5 + 0.1 + 10, prices.cost("claude-sonnet-5-5", USAGE), 1e-9)
    assert.near(0.1 + 0.125 + 0.01 + 0.5, prices.cost("claude-haiku-5-5", USAGE), 1e-9)
    assert.near(0.15 + 0.15 + 0.075 + 0.6, prices.cost("gpt-4o-mini", USAGE), 1e-9)
  end)

  it("know a model by its name with a date, too, and no other by the beginning of its name", function()
    assert.equal(prices.cost("claude-haiku-4-5", USAGE), prices.cost("claude-haiku-4-5-20251001", USAGE))
    assert.equal(prices.cost("gpt-4o", USAGE), prices.cost("gpt-4o-2024-08-06", USAGE))
    assert.equal(prices.cost("claude-3-5-haiku", USAGE), prices.cost("claude-3-5-haiku-latest", USAGE))
    for _, model in ipairs { "claude-haiku-4-5-fast", "gpt-4o-audio", "my-gpt-4o", "llama3", "claude-haiku-5" } do
      assert.is_nil(prices.cost(model, USAGE))
    end
  end)

  it("are the config's first, and a cache without a price of its own counts as input", function()
    local own = { ["gpt-4o"] = { input = 1, output = 2 }, mine = { input = 1, output = 2, cache_read = 0.5 } }
    assert.equal(1 + 1 + 1 + 2, prices.cost("gpt-4o", USAGE, own))
    assert.equal(1 + 1 + 0.5 + 2, prices.cost("mine", USAGE, own))
  end)

  it("are nothing for a model at home, and unknown where another serves one of the same name", function()
    assert.equal(0, prices.of_client({ model = "llama3", free = true }, USAGE))
    assert.equal(4, prices.of_client({ model = "llama3", free = true, prices = { llama3 = { input = 1, output = 1 } } },
      USAGE))
    assert.near(16.25, prices.of_client({ model = "gpt-4o-2024-08-06", free = true }, USAGE), 1e-9) -- a proxy
    assert.is_nil(prices.of_client({ model = "gpt-4o" }, USAGE))
    assert.near(16.25, prices.of_client({ model = "gpt-4o", priced = true }, USAGE), 1e-9)
  end)

  it("of a config are refused with a sentence where they make no sense", function()
    for text, given in pairs {
      ["prices wants a table for each model; as in [\"my-model\"] = { input = 0.5, output = 1.5 }"] = { m = 5 },
      ["prices[\"m\"] has no inpt; did you mean input?"] = { m = { inpt = 1, output = 1 } },
      ["prices[\"m\"].input must be USD for a million tokens; for example 0.5"] = { m = { input = "1", output = 1 } },
      ["prices[\"m\"] needs input and output; give both in USD for a million tokens"] = { m = { input = 1 } },
    } do
      assert.equal(text, tostring(prices.fault(given)))
    end
    assert.is_nil(prices.fault { m = { input = 1, output = 2, cache_read = 0, cache_write = 1 } })
  end)
end)
