-- The looks of top on a real node, one after the other.

local live = require "spec.support.live_node"
local looker = require "runtime.top.looker"
local pace = require "runtime.top.pace"
local skill = require "runtime.skill"

local PLANTED = [=[
  register(mail, spawn(fun() -> timer:sleep(infinity) end)),
  [mail ! early || _ <- lists:seq(1, 5000)],
  [spawn(timer, sleep, [infinity]) || _ <- lists:seq(1, 30000)], ok.]=]

describe("the looks of top", function()
  local at

  setup(live.test(function() at = live.start { code = PLANTED } end))
  teardown(live.stop_all)

  local function at_a_screen(more)
    local self = { node = at.node, beam = assert(skill.open "beam"), sort = "mailbox", pace = pace.new(1), rows = {},
      selected = 1, count = 0, due = 0, began = 0, utf8 = true, canvas = { size = function() return 24, 80 end } }
    for key, value in pairs(more or {}) do self[key] = value end
    looker.take(self)
    return self
  end

  it("keep those that lead, when looks at all become looks at a part", live.test(function()
    local self = at_a_screen()
    assert.equal(1, self.seen.parts)
    for _ = 1, 4 do
      self.pace.most = 10000
      looker.take(self)
      assert.same({ 4, "mail" }, { self.seen.parts, self.rows[1].name })
    end
  end))

  it("are due by what the last one cost", live.test(function()
    local self = at_a_screen()
    local p = self.pace
    assert.is_true(p.there_s > 0 and p.here_s > 0)
    assert.is_true(p.wait >= p.there_s / 0.05 and p.wait >= p.here_s / 0.05)
    assert.near(self.began + p.wait, self.due, 1e-6)
  end))

  it("come sooner where somebody wants another, as soon as the last one allows", live.test(function()
    local self = at_a_screen()
    self.pace.wait, self.due = 60, self.began + 60
    looker.hurry(self)
    assert.near(self.began + math.max(0.2, self.pace.least), self.due, 1e-6)
  end))

  it("are at one process where that is looked into, and at nobody else", live.test(function()
    local self = at_a_screen()
    local mail = self.rows[1]
    self.detail = { pid = mail.pid, id = mail.id, row = mail }
    looker.take(self)
    assert.same({ "timer:sleep/1" }, self.detail.info.stack)
    assert.equal(mail, self.rows[1])
  end))

  it("tell what is wrong and go on with fewer, after one without an answer", live.test(function()
    local self = at_a_screen()
    self.pace.most, self.node = 100000, setmetatable({ query = function() return nil, { message = "no answer" } end },
      { __index = at.node })
    looker.take(self)
    assert.same({ "no answer; looking again", 50000 }, { self.trouble, self.pace.most })
  end))
end)
