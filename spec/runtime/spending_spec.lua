local async = require "runtime.async"
local json = require "runtime.json"
local spending = require "runtime.spending"

local HUNDRED = { input = 80, cache_write = 5, cache_read = 5, output = 10, cost_usd = 0.01 }

describe("runtime.spending", function()
  local function of(limits, more)
    local o = { provider = "p", limits = limits, worked = function() return 0 end }
    for key, value in pairs(more or {}) do o[key] = value end
    return spending.new(o)
  end

  local function spend(purse, usage)
    purse:begin()
    purse:settle(usage or HUNDRED)
  end

  local function why(purse)
    local may, reason = purse:may()
    assert.is_nil(may)
    return reason
  end

  -- How many agents may begin their first request, all at once, when one of another agent's has ended.
  local function side_by_side(limits)
    local all = of(limits)
    spend(all:purse())
    local began = 0
    for _ = 1, 11 do
      local purse = all:purse()
      if purse:may() then
        purse:begin()
        began = began + 1
      end
    end
    return began
  end

  it("counts a request from its beginning, so that those side by side stay within the limit together", function()
    assert.equal(2, side_by_side { calls = 3 })
    assert.equal(4, side_by_side { tokens = 500 })
    assert.equal(1, side_by_side { usd = 0.02 })
    assert.equal(11, side_by_side {})
  end)

  it("makes one request at a time until the first has ended, where what it takes counts", function()
    async.run(function()
      local all, began = of { usd = 0.02 }, 0
      local function ask()
        local purse = all:purse()
        if not purse:may() then return end
        began = began + 1
        local reply = began > 1 and HUNDRED or nil -- the very first fails, which tells nobody anything
        purse:begin()
        async.sleep(0.01)
        purse:settle(reply)
      end
      local tasks = {}
      for i = 1, 11 do tasks[i] = async.spawn(ask) end
      assert.equal(1, began)
      for _, task in ipairs(tasks) do task:join() end
      assert.same({ 3, 2 }, { began, all:told().calls })
    end)
  end)

  it("waits for the first no longer than it is told, and not at all where requests alone count", function()
    async.run(function()
      local all = of { usd = 0.02 }
      all:purse():begin()
      assert.is_true(all:purse():may(async.now() + 0.01))
      all = of { calls = 2 }
      all:purse():begin()
      assert.is_true(all:purse():may())
    end)
  end)

  it("takes the last request of an agent for what its next one takes", function()
    local all = of { tokens = 1000 }
    local small, large = all:purse(), all:purse()
    spend(large, { input = 500, output = 0 })
    spend(small, { input = 100, output = 0 })
    assert.is_true(small:may())
    assert.equal("limits.tokens is 1000; 600 are used, and the next request takes about 500", why(large))
  end)

  it("gives back what was held for a request that brought no reply", function()
    local all = of { calls = 1 }
    local purse = all:purse()
    purse:begin()
    assert.equal("limits.calls is 1, and 1 were made", why(all:purse()))
    purse:settle(nil)
    assert.is_true(all:purse():may())
    assert.equal(0, all:told().calls)
  end)

  it("lets nobody begin where there is nothing to spend, and says so of money and of the node's work", function()
    assert.equal("limits.usd is 0.0000; 0.0000 are spent, and the next request takes about 0.0000",
      why(of({ usd = 0 }):purse()))
    assert.equal("limits.node_reductions is 10, and the node worked 11 for us",
      why(of({ node_reductions = 10 }, { worked = function() return 11 end }):purse()))
  end)

  it("tells what was used, with no sum where a price was missing", function()
    local all = of({}, { priced = true })
    local purse = all:purse()
    spend(purse)
    assert.same({ provider = "p", calls = 1, input_tokens = 85, cache_read_tokens = 5, output_tokens = 10,
      cost_usd = 0.01 }, all:told())
    spend(purse, { input = 1, output = 1 })
    assert.equal(json.null, all:told().cost_usd)
  end)
end)
