-- The clock of a replay: it is turned forward to what would come next, and nobody waits for it.

local uv = require "luv"
local async = require "runtime.async"
local deadlines = require "runtime.deadlines"

local function hours_later(n)
  local woken = {}
  local function sleeper(seconds, name)
    return async.spawn(function()
      if async.sleep(seconds) then woken[#woken + 1] = name end
    end)
  end
  local first, second = sleeper(3600, "first"), sleeper(7200, "second")
  for _ = 1, n do
    deadlines.skip()
    async.sleep(0)
  end
  for _, task in ipairs { first, second } do
    task:cancel()
    task:join()
  end
  return woken
end

describe("deadlines.skip", function()
  it("wakes who waits for the earliest moment, and nobody else", function()
    local real = uv.hrtime()
    assert.same({ "first" }, (async.run(function() return hours_later(1) end)))
    assert.is_true((uv.hrtime() - real) / 1e9 < 1800)
  end)

  it("goes on from there", function()
    assert.same({ "first", "second" }, (async.run(function() return hours_later(2) end)))
  end)

  it("has moved the clock for everybody", function()
    async.run(function()
      local before = async.now()
      local waits = async.spawn(async.sleep, 1000)
      assert.is_true(deadlines.skip())
      waits:join()
      assert.is_true(async.now() - before >= 1000)
    end)
  end)

  it("stays where it is when the next moment lies too far, or there is none", function()
    async.run(function()
      local waits = async.spawn(async.sleep, 1000)
      local before = async.now()
      assert.is_false(deadlines.skip(before + 10))
      assert.is_true(async.now() - before < 900)
      waits:cancel()
      waits:join()
      assert.is_false(deadlines.skip())
    end)
  end)
end)

describe("deadlines", function()
  it("refuse what is no time, and all others are met", function()
    async.run(function()
      local later = async.spawn(async.sleep, 0.05)
      for _, wrong in ipairs { "5", 0 / 0, {} } do
        local ok, why = pcall(async.await, function() end, wrong)
        assert.is_false(ok)
        assert.matches("a deadline must be a number, not ", why, 1, true)
        assert.is_false((pcall(deadlines.add, { deadline = wrong })))
      end
      assert.equal(1, deadlines.pending())
      assert.is_true((later:join(async.now() + 30)))
    end)
  end)

  it("may be without an end, and do not hold up the others", function()
    async.run(function()
      local for_ever = async.spawn(async.sleep, math.huge)
      assert.is_false(deadlines.skip())
      assert.is_true(async.sleep(0.01))
      assert.is_false(for_ever.finished)
      for_ever:cancel()
      for_ever:join()
    end)
  end)
end)
