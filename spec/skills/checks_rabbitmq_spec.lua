-- The checks of rabbitmq on played answers: that they find what is really there, `make real-nodes` shows.
local played = require "spec.support.played_checks"
local with = played.with
local find, suspects = played.of "rabbitmq"

describe("the check for a memory alarm", function()
  local HERE = { resource = "memory", node = "rabbit@a", here = true }
  local THERE = { resource = "memory", node = "rabbit@b", here = false }
  local ANSWER = { alarms = { HERE }, memory_mb = 110, memory_limit_mb = 57, connections = 3, blocked = 1, blocking = 2,
    stopped = { { name = "10.0.0.4:4000 -> 10.0.0.1:5672", user = "shop" } } }

  it("names the node, the limit and a publisher that is stopped", function()
    local finding = find("memory_alarm", { ANSWER, ANSWER })
    assert.same({ "memory alarm of rabbit@a", "critical" }, { finding.object, finding.severity })
    assert.matches("counts 110 MB, the limit is 57 MB.*10%.0%.0%.4:4000 %-> 10%.0%.0%.1:5672 of the user shop",
      finding.hypothesis)
  end)

  it("is milder where nobody publishes", function()
    local calm = with(ANSWER, { blocked = 0, stopped = {} })
    assert.equal("warning", find("memory_alarm", { calm, calm }).severity)
  end)

  it("names the alarm of this node, where others have one too", function()
    local both = with(ANSWER, { alarms = { THERE, HERE } })
    assert.equal("memory alarm of rabbit@a", find("memory_alarm", { both, both }).object)
  end)

  it("says nothing of our own memory where the alarm is another node's", function()
    local far = with(ANSWER, { alarms = { THERE } })
    local finding = find("memory_alarm", { far, far })
    assert.equal("memory alarm of rabbit@b", finding.object)
    assert.is_nil(finding.hypothesis:find "57 MB")
  end)

  it("finds nothing in an alarm that passed, nor in one of another resource", function()
    assert.is_nil((find("memory_alarm", { ANSWER, with(ANSWER, { alarms = {} }) })))
    assert.is_nil((find("memory_alarm", { ANSWER, with(ANSWER, { alarms = { THERE } }) })))
    assert.is_nil((find("disk_alarm", { ANSWER, ANSWER })))
  end)

  it("is not suspect without an alarm", function()
    assert.same({ true, false }, { suspects("memory_alarm", { alarm_count = 1 }),
      suspects("memory_alarm", { alarm_count = 0 }) })
  end)
end)

describe("the check for channels that are never closed", function()
  local ROW = { pid = "<0.90.0>", name = "10.0.0.4:4000 -> 10.0.0.1:5672", user = "shop", channel_max = 2047,
    channels = 200, before = 190, opened = 10, closed = 0, idle = 190, consuming = 0 }

  local function looks(first, second)
    return { { seconds = 1.5, connections = { with(ROW, first) } },
      { seconds = 1.5, connections = { with(ROW, second or first) } } }
  end

  it("names the connection, with its user, while they become more", function()
    local finding = find("channel_leak", looks())
    assert.same({ ROW.name, "critical", "high" }, { finding.object, finding.severity, finding.confidence })
    assert.matches("of the user shop holds 200 channels, 190 of them idle", finding.hypothesis)
  end)

  it("names it by what its client calls it, where it says that", function()
    assert.equal("orders", find("channel_leak", looks { given_name = "orders" }).object)
  end)

  it("names it once they stand, a thousand or more", function()
    local stands = { channels = 1900, before = 1900, opened = 0, idle = 1900 }
    assert.same({ ROW.name, "warning" }, { find("channel_leak", looks(stands)).object,
      find("channel_leak", looks(stands)).severity })
    assert.same({ nil, 1 }, { find("channel_leak", looks { channels = 400, before = 400, opened = 0, idle = 400 }) })
  end)

  it("finds nothing in channels that consume, or work", function()
    assert.same({ nil, 1 }, { find("channel_leak", looks { consuming = 200 }) })
    assert.same({ nil, 1 }, { find("channel_leak", looks { idle = 20 }) })
  end)

  it("finds nothing where as many are closed, or few are open", function()
    assert.same({ nil, 1 }, { find("channel_leak", looks { channels = 190, closed = 10, idle = 180 }) })
    assert.same({ nil, 1 }, { find("channel_leak", looks { channels = 60, before = 50, idle = 50 }) })
  end)

  it("finds nothing where they stop at the second look", function()
    assert.is_nil((find("channel_leak", looks({}, { channels = 200, before = 200, opened = 0, idle = 200 }))))
  end)
end)
