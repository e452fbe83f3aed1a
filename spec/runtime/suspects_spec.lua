-- What a snapshot leaves suspect, as the model is told it.
local skill = require "runtime.skill"
local suspects = require "runtime.suspects"

local function check(id, given)
  local c = { id = id, mechanism = id, expert = "look out for " .. id, look = { { "f", 1 } },
    suspect = function(snapshot) return snapshot.bad end, confirm = function() end }
  for key, value in pairs(given or {}) do c[key] = value end
  return c
end

local function none() return {} end

describe("runtime.suspects", function()
  it("names the looks of a check and what an expert knows, only where a snapshot gives reason", function()
    assert.same({ { look = { "f(1)" }, may_show = { a = "look out for a" } } },
      suspects.of({ check "a" }, { bad = true }, none, {}))
    assert.same({}, suspects.of({ check "a" }, { bad = false }, none, {}))
  end)

  it("puts checks of the same looks together, and urgent ones first and apart", function()
    local function yes() return true end
    local first = check("c", { look = { { "g", "x" }, function() end }, urgent = yes })
    assert.same({
      { look = { 'g("x")' }, may_show = { c = "look out for c" }, urgent = true },
      { look = { "f(1)" }, may_show = { a = "look out for a", b = "look out for b" } },
    }, suspects.of({ check "a", check "b", first }, { bad = true }, none, {}))
  end)

  it("keeps apart what two checks know of one mechanism, and falls back on what the word means", function()
    local found = suspects.of({ check("a", { mechanism = "ets_growth" }), check("b", { mechanism = "ets_growth" }),
      { id = "c", mechanism = "timer_leak", look = { { "h" } }, suspect = function() return true end } },
      { bad = true }, none, {})
    assert.same({ "look out for a / look out for b", "timers are started and never cancelled", "h()" },
      { found[1].may_show.ets_growth, found[2].may_show.timer_leak, found[2].look[1] })
  end)

  it("tells each check once", function()
    local told = {}
    assert.equal(1, #suspects.of({ check "a" }, { bad = true }, none, told))
    local more = suspects.of({ check "a", check "b" }, { bad = true }, none, told)
    assert.same({ { look = { "f(1)" }, may_show = { b = "look out for b" } } }, more)
  end)

  it("holds for suspect what a check could not judge", function()
    local function trip() error "no such field" end
    local broken = check("a", { suspect = trip, urgent = trip })
    assert.same({ { look = { "f(1)" }, may_show = { a = "look out for a" } } }, suspects.of({ broken }, {}, none, {}))
  end)

  it("suspects nothing of what cannot be looked at", function()
    assert.same({}, suspects.of({ check "a" }, { bad = true, unavailable = "not here" }, none, {}))
  end)

  it("stays within the room of an answer for every skill that is shipped", function()
    local json = require "runtime.json"
    for _, name in ipairs(skill.names()) do
      local found = suspects.of(assert(skill.open(name)).checks, {}, none, {})
      assert.is_true(#json.encode(found) < 6000, name)
    end
  end)
end)
