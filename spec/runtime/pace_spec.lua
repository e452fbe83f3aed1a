local async = require "runtime.async"
local pace = require "runtime.pace"
local telemetry = require "runtime.telemetry"

describe("the pace of a watch", function()
  it("is a day's requests, tokens and dollars at what was seen between two looks", function()
    assert.same({ calls_per_day = 2880, tokens_per_day = 1440000, usd_per_day = 18 },
      pace.of({ at = 100, calls = 10, tokens = 1000, usd = 1 }, { at = 700, calls = 30, tokens = 11000, usd = 1.125 }))
  end)

  it("has no dollars where a price is not known", function()
    assert.is_nil(pace.of({ at = 0, calls = 0, tokens = 0, usd = 0 }, { at = 1, calls = 1, tokens = 5 }).usd_per_day)
  end)

  describe("once it is known", function()
    local usual = { look_s = pace.look_s, enough_s = pace.enough_s }
    local told, off
    before_each(function()
      pace.look_s, pace.enough_s, told = 0.005, 1000, {}
      off = telemetry.on("cost.estimate", function(_, figures) told[#told + 1] = figures end)
    end)
    after_each(function()
      off()
      pace.look_s, pace.enough_s = usual.look_s, usual.enough_s
    end)

    -- Looks until it was asked so often what was spent.
    local function looks(times, spent)
      async.run(function()
        local asked = 0
        local task
        task = async.spawn(pace.tell, function() return 2 end, function()
          asked = asked + 1
          if asked == times then task:cancel() end
          return spent(asked)
        end)
        task:join()
      end)
    end

    it("is told after three requests of each watcher, and then not for an hour", function()
      looks(20, function(n) return { calls = n, tokens = n * 100, usd = 0 } end)
      assert.equal(1, #told)
      assert.is_true(told[1].tokens_per_day > 0)
    end)

    it("is told after the longest time, with fewer requests", function()
      pace.enough_s = 0.02
      local stop = async.now() + 30
      looks(200, function(n) return { calls = 1, tokens = async.now() < stop and n or 0, usd = 0 } end)
      assert.equal(1, #told)
    end)

    it("is not told where nothing was spent", function()
      looks(20, function(n) return { calls = n, tokens = 0, usd = 0 } end)
      assert.same({}, told)
    end)
  end)
end)
