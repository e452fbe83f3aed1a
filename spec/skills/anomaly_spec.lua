local anomaly = require "runtime.anomaly"
local live = require "spec.support.live_node"
local skill = require "runtime.skill"

local SETTINGS = {
  collection_interval_ms = 30000, learning_duration_ms = 300000, z_threshold = 3, consecutive_required = 3,
  cooldown_ms = 900000, auto_trigger = true, max_triggers_per_hour = 3,
}
local NOBODY = { unavailable = "nobody watches this node: `beamlens-run watch` does" }

describe("skill anomaly", function()
  local at, s, monitor

  setup(function()
    at = live.start()
    s = assert(skill.open "anomaly")
    monitor = assert(anomaly.new { node = at.node, skills = {}, settings = SETTINGS })
    local now = os.time()
    for round = 1, 20 do monitor:take(now - 1800 + 30 * round, { ["ets.table_count"] = round <= 16 and 20 or 500 }) end
  end)
  teardown(live.stop_all)

  before_each(function() at.node.uses.monitor = function() return monitor:view() end end)

  it("says what the monitor does, and since when", live.test(function()
    local answer = assert(skill.call(s, "monitor_get_state", {}, at.node))
    assert.equal("cooldown", answer.state)
    assert.matches("^%d%d%d%d%-%d%d%-%d%dT%d%d:%d%d:%d%dZ$", answer.since)
  end))

  it("says what left the usual, with figures", live.test(function()
    local answer = assert(skill.call(s, "monitor_get_status", {}, at.node))
    assert.same({ 1, 1, 1 }, { answer.metrics_watched, answer.metrics_learned, answer.anomalies_last_hour })
    local told = answer.anomalies[1]
    assert.same({ "ets.table_count", "above", 500, 20 }, { told.metric, told.shape, told.value, told.usual })
  end))

  it("has a small snapshot", live.test(function()
    assert.same({ state = "cooldown", metrics_watched = 1, anomalies_last_hour = 1 }, skill.snapshot(s, at.node))
  end))

  it("says that nobody watches, and who would", live.test(function()
    at.node.uses.monitor = nil
    for _, name in ipairs { "monitor_get_state", "monitor_get_status" } do
      assert.same(NOBODY, (skill.call(s, name, {}, at.node)))
    end
    assert.same(NOBODY, skill.snapshot(s, at.node))
    assert.equal(NOBODY.unavailable, skill.available(s, at.node))
  end))
end)
