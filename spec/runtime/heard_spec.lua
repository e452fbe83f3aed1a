local heard = require "runtime.heard"

local DAY = 24 * 3600

local function numbers(result)
  local list = {}
  for i, event in ipairs(result.events) do list[i] = event.number end
  return list
end

describe("what was heard", function()
  local h

  before_each(function() h = heard.new(3) end)

  it("gives the events of the minutes asked for, the oldest first, with their age", function()
    for i, at in ipairs { 10, 100, 110 } do h:add({ number = i }, at) end
    local result = h:since(1, 120)
    assert.same({ 2, 3 }, numbers(result))
    assert.equal(20, result.events[1].age)
  end)

  it("keeps the newest, and counts those that it let go", function()
    for i = 1, 5 do h:add({ number = i }, 100 + i) end
    local result = h:since(1, 110)
    assert.same({ 3, 4, 5 }, numbers(result))
    assert.equal(5, result.total)
  end)

  it("counts what was dropped, in the total too", function()
    h:add({ number = 1 }, 100)
    h:lose(7, 101)
    local result = h:since(1, 110)
    assert.same({ 8, 7 }, { result.total, result.dropped })
  end)

  it("counts by the time asked for", function()
    for i = 1, 5 do h:add({ number = i }, 100) end
    h:lose(7, 100)
    h:lose(2, 1000)
    local result = h:since(1, 1010)
    assert.same({ 2, 2 }, { result.total, result.dropped })
  end)

  it("counts none from before, where all of that time are kept", function()
    h:add({ number = 1 }, 100.2)
    h:add({ number = 2 }, 100.8)
    local result = h:since(1, 160.5)
    assert.same({ 2 }, numbers(result))
    assert.equal(1, result.total)
  end)

  it("hands out copies", function()
    h:add({ number = 1 }, 100)
    h:since(1, 100).events[1].number = 2
    assert.same({ 1 }, numbers(h:since(1, 100)))
  end)

  it("holds no more than it keeps, however many come", function()
    for i = 1, 100000 do h:add({ number = i }, i / 1000) end
    local held = 0
    for _ in pairs(h.events) do held = held + 1 end
    assert.equal(3, held)
    assert.equal(101, #h.counts) -- one for each second
  end)

  it("forgets counts and times of listening after a day", function()
    h:begin(100)
    h:finish(200)
    h:lose(7, 200)
    h:begin(DAY + 300)
    h:lose(1, DAY + 300)
    assert.same({ 1, 1 }, { #h.counts, #h.spans })
  end)

  describe("and how long we listened", function()
    it("is not more than the minutes asked for", function()
      h:begin(0)
      assert.equal(60, h:since(1, 1000).listened_seconds)
    end)

    it("is nothing before it began", function()
      assert.equal(0, h:since(1, 1000).listened_seconds)
    end)

    it("leaves out a gap", function()
      h:begin(0)
      h:finish(100)
      h:begin(130)
      assert.equal(170, h:since(10, 200).listened_seconds)
    end)

    it("ends where it was last said that we listen, when nobody knows the end", function()
      h:begin(0)
      h:go_on(40)
      h:finish()
      assert.equal(40, h:since(10, 100).listened_seconds)
    end)
  end)
end)
