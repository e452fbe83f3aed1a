local async = require "runtime.async"
local condition = require "runtime.sinks.condition"
local live = require "spec.support.live_node"
local outbox = require "runtime.sinks.outbox"
local stderr = require "spec.support.stderr"
local telemetry = require "runtime.telemetry"
local until_true = require "spec.support.until_true"

local said, heard, off

describe("the queue before a sink", function()
  before_each(function()
    said, heard = stderr.catch(), {}
    off = telemetry.on("sink.*", function(event, m, d) heard[#heard + 1] = { event, d.sink, m.count } end)
  end)
  after_each(function()
    off()
    stderr.release()
  end)

  it("carries everything, in the order in which it came", live.test(function()
    local got = {}
    local box = outbox.new(condition.new "webhook 1", function(item)
      async.sleep(0)
      got[#got + 1] = item
      return true
    end)
    for i = 1, 20 do box:put(i) end
    box:close(async.now() + 30)
    assert.same({ 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20 }, got)
    assert.equal("", said())
  end))

  it("takes a storm without waiting, and counts what there was no room for", live.test(function()
    local hold = true
    local box = outbox.new(condition.new "webhook 1", function()
      while hold do async.sleep(0.005) end
      return true
    end)
    for i = 1, 1000 do box:put(i) end -- the first is being carried
    hold = false
    box:close(async.now() + 30)
    assert.same({ { "sink.dropped", "webhook 1", 1000 - outbox.room - 1 } }, heard)
    assert.equal("the sink webhook 1 cannot keep up: 200 events wait, those that follow are left out\n", said())
  end))

  it("tells once that a sink fails, and once that it works again", live.test(function()
    local works, tried = false, 0
    local box = outbox.new(condition.new "webhook 1", function()
      tried = tried + 1
      if works then return true end
      return nil, "no way"
    end)
    for i = 1, 3 do box:put(i) end
    until_true("the tries", function() return tried == 3 end)
    works = true
    box:put(4)
    box:close(async.now() + 30)
    assert.same({ { "sink.failed", "webhook 1" }, { "sink.recovered", "webhook 1" } }, heard)
    assert.equal("the sink webhook 1 fails: no way\nthe sink webhook 1 works again\n", said())
  end))

  it("goes on when a sink raises", live.test(function()
    local got = {}
    local box = outbox.new(condition.new "webhook 1", function(item)
      if item == 1 then error "a bug" end
      got[#got + 1] = item
      return true
    end)
    box:put(1)
    box:put(2)
    box:close(async.now() + 30)
    assert.same({ 2 }, got)
    assert.matches("fails: .*a bug", said())
  end))

  it("gives a sink a time to take the rest, and tells what it did not take", live.test(function()
    local box = outbox.new(condition.new "webhook 1", function()
      async.sleep(3600)
      return true
    end)
    for i = 1, 3 do box:put(i) end
    box:close(async.now() + 0.05)
    assert.is_true(box.task.finished)
    assert.equal("the sink webhook 1 did not take 3 events in time\n", said())
  end))
end)
