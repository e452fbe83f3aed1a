local async = require "runtime.async"
local turns = require "runtime.turns"

local function task(body) return function() async.run(body) end end

-- Starts one that writes its name down when it has the turn, and keeps it until it is told.
local function one(queue, log, name, deadline)
  local held = {}
  held.task = async.spawn(function()
    return queue:run(function()
      log[#log + 1] = name
      async.await(function(resume) held.let = resume end)
      return name
    end, deadline)
  end)
  return held
end

describe("turns", function()
  it("are taken one at a time, in the order of coming", task(function()
    local queue, log, held = turns.new(), {}, {}
    for i, name in ipairs { "a", "b", "c" } do held[i] = one(queue, log, name) end
    assert.same({ "a" }, log)
    assert.equal(2, queue:length())
    for i = 1, 3 do held[i].let(true) end
    assert.same({ "a", "b", "c" }, log)
    assert.same({ true, "c" }, { held[3].task:join() })
  end))

  it("are refused when there is no room to wait", task(function()
    local queue, log = turns.new(1), {}
    local first, second = one(queue, log, "a"), one(queue, log, "b")
    assert.same({ true, nil, "full" }, { one(queue, log, "c").task:join() })
    first.let(true)
    second.let(true)
    assert.same({ "a", "b" }, log)
  end))

  it("are left by who was cancelled or waited too long", task(function()
    local queue, log = turns.new(), {}
    local first, second, third = one(queue, log, "a"), one(queue, log, "b"), one(queue, log, "c", async.now() + 0.01)
    assert.same({ true, nil, "timeout" }, { third.task:join() })
    second.task:cancel "enough"
    assert.same({ true, nil, "enough" }, { second.task:join() })
    assert.equal(0, queue:length())
    first.let(true)
    assert.same({ true, "free" }, { async.spawn(queue.run, queue, function() return "free" end):join() })
  end))

  it("are passed on by who fails", task(function()
    local queue = turns.new()
    local ok, why = pcall(queue.run, queue, function() error("a bug", 0) end)
    assert.same({ false, "a bug" }, { ok, why })
    assert.equal("next", queue:run(function() return "next" end))
  end))
end)
