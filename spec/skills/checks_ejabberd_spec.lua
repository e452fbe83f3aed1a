-- The check of ejabberd on played answers: that it finds what is really there, `make real-nodes` shows.
local played = require "spec.support.played_checks"
local with = played.with
local find = played.of "ejabberd"

describe("the check for messages that nobody fetches", function()
  local ROW = { user = "away@chat.example", waiting = 400, before = 330, gained = 70 }

  -- Where ejabberd counts what each user has.
  local function looks(first, second)
    local last = { seconds = 1.5, kept = 570, kept_before = 500, table = "offline_msg",
      users = { with(ROW, second or first) } }
    return { { seconds = 1.5, kept = 500, kept_before = 430, table = "offline_msg", users = { with(ROW, first) } },
      last, last, last }
  end

  -- Where it does not: the table alone, and then the users.
  local function table_looks(before, now, then_, later)
    local function size(was, is)
      return { seconds = 1.5, kept = is, kept_before = was, table = "offline_msg", users = {} }
    end
    local function counted(kept, away, other)
      return { kept = kept, users = { { user = "away@a", waiting = away }, { user = "busy@a", waiting = other } } }
    end
    return { size(1000, 1000 + before), size(1100, 1100 + now), counted(1200, unpack(then_ or { 700, 500 })),
      counted(1250, unpack(later or { 745, 505 })) }
  end

  it("names the user, where ejabberd counts", function()
    local finding = find("offline_flood", looks())
    assert.same({ "away@chat.example", "warning" }, { finding.object, finding.severity })
    assert.matches("400 now, 70 more in 1.5 s and 70 more in the look before", finding.hypothesis)
  end)

  it("names the user who gains and the table, where it does not", function()
    assert.equal("away@a (offline_msg)", find("offline_flood", table_looks(70, 70)).object)
  end)

  it("accuses nobody where the table grows and no single user does", function()
    assert.is_nil((find("offline_flood", table_looks(70, 70, { 700, 500 }, { 710, 515 }))))
  end)

  it("finds nothing in many that stand, in few, or at the pace of people", function()
    local function calm(row)
      local l = looks(row)
      l[1] = with(l[1], { kept_before = 500 })
      return l
    end
    assert.same({ nil, 1 }, { find("offline_flood", calm { waiting = 90000, before = 90000, gained = 0 }) })
    assert.same({ nil, 1 }, { find("offline_flood", calm { waiting = 80, before = 10 }) })
    assert.same({ nil, 1 }, { find("offline_flood", calm { gained = 3, before = 397 }) })
    assert.same({ nil, 1 }, { find("offline_flood", table_looks(3, 3)) })
  end)

  it("finds nothing in a burst that is over at the second look", function()
    assert.same({ nil, 2 }, { find("offline_flood", table_looks(70, 0)) })
  end)
end)
