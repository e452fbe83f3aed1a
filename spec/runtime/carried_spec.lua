local carried = require "runtime.carried"

-- A case as far as it is asked here.
local function case_with(observations)
  local told, made = {}, 0
  local evidence = require("runtime.evidence").new()
  for _ = 1, observations do
    evidence:add { kind = "snapshot", operator = "beam", value = { queue = 7 }, at = "then" }
  end
  return { evidence = evidence, told = told, tell = function(_, n)
    made = made + 1
    n.id, told[made] = "n" .. made, n
  end }
end

local function notification(more)
  local n = { id = "n9", severity = "critical", snapshot_ids = { "o2" }, status = "resolved", insight = "i4",
    evidence = { { observation = "o2", path = "queue", value = 7 } }, observation = "it grows" }
  for key, value in pairs(more or {}) do n[key] = value end
  return n
end

describe("what is carried from one run into another", function()
  it("cites what it cited, under the names of the other run", function()
    local to = case_with(4)
    carried.take_up(to, carried.of(case_with(3), notification()))
    assert.same({ { "o5" }, "o5", 7 }, { to.told[1].snapshot_ids, to.told[1].evidence[1].observation,
      to.evidence:check(to.told[1].evidence[1]).value })
  end)

  it("is open there again, whatever became of it before", function()
    local to = case_with(0)
    carried.take_up(to, carried.of(case_with(3), notification()))
    assert.same({ "n1", "unread" }, { to.told[1].id, to.told[1].status })
    assert.is_nil(to.told[1].insight)
  end)

  it("is nothing where no figure stands", function()
    assert.is_nil(carried.of(case_with(3), notification { evidence = {} }))
  end)

  it("is nothing where nothing is wrong", function()
    assert.is_nil(carried.of(case_with(3), notification { severity = "info" }))
  end)
end)
