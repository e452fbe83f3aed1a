-- The check of ejabberd on played answers: that it finds what is really there, `make real-nodes` shows.
local played = require "spec.support.played_checks"
local with = played.with
local find, suspects = played.of "ejabberd"

describe("the check for messages that nobody fetches", function()
  local ROW = { user = "away@chat.example", messages = 400, before = 330, gained = 70 }

  local function looks(first, second)
    return { { seconds = 1.5, kept = 500, table = "offline_msg", users = { with(ROW, first) } },
      { seconds = 1.5, kept = 570, table = "offline_msg", users = { with(ROW, second or first) } } }
  end

  it("names the user and the table", function()
    local finding = find("offline_flood", looks())
    assert.same({ "away@chat.example", "warning" }, { finding.object, finding.severity })
    assert.matches("400 now, 70 more in 1.5 s and 70 more in the look before.*into the table offline_msg",
      finding.hypothesis)
  end)

  it("finds nothing in many that stand, in few, or at the pace of people", function()
    assert.same({ nil, 1 }, { find("offline_flood", looks { messages = 90000, before = 90000, gained = 0 }) })
    assert.same({ nil, 1 }, { find("offline_flood", looks { messages = 80, before = 10 }) })
    assert.same({ nil, 1 }, { find("offline_flood", looks { gained = 3, before = 397 }) })
  end)

  it("finds nothing in a burst that is over at the second look", function()
    assert.is_nil((find("offline_flood", looks({}, { before = 400, gained = 0 }))))
  end)

  it("is not suspect where nobody was sent any of late", function()
    assert.same({ true, false }, { suspects("offline_flood", { offline_users = 1 }),
      suspects("offline_flood", { offline_users = 0 }) })
  end)
end)
