local events = require "runtime.events"
local json = require "runtime.json"
local live = require "spec.support.live_node"
local program = require "spec.support.program"

describe("help events", function()
  it("names every event with what it measures and tells", live.test(function()
    local text = program.run({ "help", "events" }).stdout
    for name, e in pairs(events) do
      assert.is_truthy(text:find("\n  " .. name .. (e.of == "run" and " *\n" or "\n"), 1, true), name)
    end
    assert.matches("\n  anomaly.anomaly_detected\n      measures value, median, spread, z\n      tells metric, ", text,
      1, true)
    assert.matches("\n  operator.notification_sent *\n      tells id, severity, observation, ", text, 1, true)
  end))

  it("fits where it is shown", live.test(function()
    for line in program.run({ "help", "events" }).stdout:gmatch "[^\n]+" do
      assert.is_true(#line <= 80, line)
    end
  end))

  it("has them as JSON for programs", live.test(function()
    local told = json.decode(program.run({ "help", "events", "--json" }).stdout)
    assert.same({ 1, "run" }, { told.schema, told.events["llm.stop"].of })
  end))
end)
