-- The check of gc on played answers: collections of half a second are not made in a spec.
local played = require "spec.support.played_checks"
local find = played.of "gc"

local function look(seconds, ...)
  local events = {}
  for i, ms in ipairs { ... } do
    events[i] = { pid = "<0.9.0>", name = "store", duration_ms = ms, heap_size = 60000000 }
  end
  return { listened_seconds = seconds, total = #events, events = events }
end

describe("the check of gc", function()
  it("tells of a process that collects for long at both looks, and accuses nobody", function()
    local finding = find("long_collections", { look(2, 900), look(5, 800, 900) })
    assert.same({ "store", "warning", "low" }, { finding.object, finding.severity, finding.confidence })
    assert.matches("2 times, 1.7 s in all, in the 5.0 s", finding.hypothesis, 1, true)
  end)

  it("finds nothing in one long collection, nor in two of a long time", function()
    assert.is_nil((find("long_collections", { look(2, 900), look(5, 900) })))
    assert.is_nil((find("long_collections", { look(200, 900), look(203, 800, 900) })))
  end)

  it("looks no further where there is none", function()
    assert.same({ nil, 1 }, { find("long_collections", { look(2) }) })
  end)
end)
