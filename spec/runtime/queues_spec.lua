local async = require "runtime.async"
local queues = require "runtime.queues"

local function task(body) return function() async.run(body) end end

local function soon() return async.now() + 10 end

describe("runtime.queues", function()
  -- Somebody who has the turn until he is told.
  local function busy(name)
    local let_go
    local going = async.spawn(queues.run, name, soon(), function()
      async.await(function(resume) let_go = resume end)
      return "first"
    end)
    return function()
      let_go(true)
      return select(2, going:join())
    end
  end

  it("gives back what the function gave, nils and all", task(function()
    assert.same({ nil, "why" }, { queues.run("a", soon(), function() return nil, "why" end) })
  end))

  it("makes whoever has the same name wait, in the order of coming", task(function()
    local let_go, order = busy "ets on shop", {}
    for i = 1, 3 do
      async.spawn(queues.run, "ets on shop", soon(), function() order[#order + 1] = i end)
    end
    assert.equal("elsewhere", (queues.run("beam on shop", soon(), function() return "elsewhere" end)))
    assert.equal(3, queues.length "ets on shop")
    assert.equal("first", let_go())
    assert.same({ 1, 2, 3 }, order)
    assert.equal(0, queues.length "ets on shop")
  end))

  it("refuses who comes when sixteen wait, in words", task(function()
    local let_go = busy "x"
    for _ = 1, 16 do async.spawn(queues.run, "x", soon(), function() end) end
    local value, err, why = queues.run("x", soon(), function() return true end)
    assert.same({ "full", 4 }, { why, err.exit })
    assert.is_nil(value)
    assert.equal("16 runs of x wait already; try again when one has ended", tostring(err))
    let_go()
  end))

  it("tells whose turn did not come in time, and whose wait was cancelled", task(function()
    local let_go, ran = busy "x", false
    local _, err, why = queues.run("x", async.now() + 0.01, function() ran = true end)
    assert.same({ "timeout", 4 }, { why, err.exit })
    local waiting = async.spawn(function() return { queues.run("x", soon(), function() ran = true end) } end)
    waiting:cancel "interrupted"
    local _, told = waiting:join()
    assert.same({ "cancelled", 130 }, { told[3], told[2].exit })
    let_go()
    assert.is_false(ran)
  end))

  it("passes the turn on where the function raised", task(function()
    assert.is_false((async.spawn(queues.run, "x", soon(), function() error "a bug" end):join()))
    assert.equal("on", (queues.run("x", soon(), function() return "on" end)))
  end))
end)
