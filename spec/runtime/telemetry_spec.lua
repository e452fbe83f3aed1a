local telemetry = require "runtime.telemetry"

describe("telemetry", function()
  it("tells an event to those who asked for it and to those who want all", function()
    local heard = {}
    local off = telemetry.on("operator.done", function(_, m, d) heard[#heard + 1] = { m.n, d.skill } end)
    local off_all = telemetry.on("*", function(event) heard[#heard + 1] = event end)
    telemetry.emit("operator.done", { n = 1 }, { skill = "beam" })
    telemetry.emit("operator.started", {}, {})
    off()
    off_all()
    telemetry.emit("operator.done", { n = 2 }, {})
    assert.same({ { 1, "beam" }, "operator.done", "operator.started" }, heard)
  end)

  it("tells the events of a kind to who asked for the kind", function()
    local heard = {}
    local off = telemetry.on("operator.*", function(event) heard[#heard + 1] = event end)
    telemetry.emit "operator.done"
    telemetry.emit "coordinator.done"
    telemetry.emit "operator.wait"
    off()
    assert.same({ "operator.done", "operator.wait" }, heard)
  end)

  it("takes no event here that the catalogue does not know", function()
    assert.has_error(function() telemetry.emit "operator.dnoe" end,
      "unknown event operator.dnoe: add it to runtime/events.lua")
  end)

  it("goes on when a listener fails", function()
    local heard
    local written = {}
    local stderr = io.stderr
    io.stderr = { write = function(_, ...) written[#written + 1] = table.concat { ... } end } -- luacheck: ignore 122
    local off = telemetry.on("operator.think", function() error "listener" end)
    local off_second = telemetry.on("operator.think", function() heard = true end)
    telemetry.emit "operator.think"
    io.stderr = stderr -- luacheck: ignore 122
    off()
    off_second()
    assert.is_true(heard)
    assert.matches("a listener of operator.think failed", written[1])
  end)
end)
