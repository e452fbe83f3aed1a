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

  it("goes on when a listener fails", function()
    local heard
    local written = {}
    local stderr = io.stderr
    io.stderr = { write = function(_, ...) written[#written + 1] = table.concat { ... } end } -- luacheck: ignore 122
    local off = telemetry.on("x", function() error "listener" end)
    local off_second = telemetry.on("x", function() heard = true end)
    telemetry.emit "x"
    io.stderr = stderr -- luacheck: ignore 122
    off()
    off_second()
    assert.is_true(heard)
    assert.matches("a listener of x failed", written[1])
  end)
end)
