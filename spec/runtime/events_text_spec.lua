local events = require "runtime.events"
local json = require "runtime.json"
local live = require "spec.support.live_node"
local program = require "spec.support.program"

describe("help events", function()
  it("names every event with what it measures and tells", live.test(function()
    local text = program.run({ "help", "events" }).stdout
    for name in pairs(events) do
      assert.is_truthy(text:find("\n  " .. name .. " ", 1, true), name)
    end
    assert.matches("operator.notification_sent %* +tells id, severity, observation, notification, operator\n", text)
  end))

  it("has them as JSON for programs", live.test(function()
    local told = json.decode(program.run({ "help", "events", "--json" }).stdout)
    assert.same({ 1, "run" }, { told.schema, told.events["llm.stop"].of })
  end))
end)
