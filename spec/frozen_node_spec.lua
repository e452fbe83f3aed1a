-- A node that takes connections and answers nothing: its processes are stopped by the system, as under a debugger, in
-- a frozen container or on a machine that pages.
local async = require "runtime.async"
local beamlens = require "runtime.beamlens"
local config = require "runtime.config"
local live = require "spec.support.live_node"
local node = require "runtime.node.init"

describe("a node that answers nothing", function()
  local report

  setup(live.test(function()
    local at = live.start {}
    beamlens.options = assert(config.settle({}, function() end))
    local link = assert(node.connect { name = at.name, cookie_file = at.cookie_file, deadline = async.now() + 30 })
    os.execute("kill -STOP " .. at.os_pid)
    report = assert(beamlens.coordinator.run { node = link, skills = { "beam", "logger" }, provider = "analyst",
      quiet = true, store = ":memory:" })
    os.execute("kill -CONT " .. at.os_pid)
    link:close()
  end))
  teardown(live.stop_all)

  it("is not told to be healthy", function()
    assert.equal("cannot_tell", report.verdict)
  end)

  it("is given up by each question in its own time, not when the connection is", function()
    local beam, log = unpack(report.would_tell) -- a machine under load takes some seconds more
    assert.equal("no snapshot of beam was taken: the query had no answer after 5 s: the node did not even start it; it "
      .. "may be frozen or overloaded; look at its machine", (beam:gsub("%d%.%d+ s", "5 s")))
    assert.equal("logger cannot be looked at: the node did not start the relay log in 10 s: it may be frozen or "
      .. "overloaded", log)
  end)
end)
