-- The checks of vm_events on played answers.
local played = require "spec.support.played_checks"
local find = played.of "vm_events"

local function look(events, seconds)
  return { long_gc = events, busy_port = events, busy_dist_port = events, listened_seconds = seconds,
    processes = { { pid = "<0.9.0>", name = "store", long_gc = events, max_ms = 700 } },
    ports = { { port = "#Port<0.9>", port_name = "tcp_inet", busy_port = events, busy_dist_port = events } } }
end

describe("the checks of vm_events", function()
  it("tell of the same warning again and again, and accuse nobody", function()
    local finding = find("long_collections", { look(2, 2), look(4, 5) })
    assert.same({ "store", "warning" }, { finding.object, finding.severity })
    assert.matches("over half a second 4 times in 5.0 s, for 700 ms", finding.hypothesis, 1, true)
  end)

  it("tell of busy ports for information, for much that is written makes any port busy", function()
    assert.equal("info", find("busy_port", { look(2, 2), look(4, 5) }).severity)
    assert.equal("info", find("busy_link", { look(2, 2), look(4, 5) }).severity)
  end)

  it("find nothing in a few, nor in those that ended before the second look", function()
    assert.is_nil((find("long_collections", { look(1, 2), look(2, 5) })))
    assert.is_nil((find("busy_port", { look(4, 2), look(4, 5) })))
  end)

  it("look no further where there is none", function()
    assert.same({ nil, 1 }, { find("long_collections", { look(0, 2) }) })
  end)
end)
