-- A server that was suspended through sys and forgotten, with messages that go on coming: what the runbook would do,
-- and what it does. Whether the server goes on is asked of the server.

local live = require "spec.support.live_node"
local own = require "spec.support.own_runbooks"
local until_true = require "spec.support.until_true"

-- A gen_server of OTP's own, suspended; a sender keeps on sending.
local PLANT = [[
  {ok, P} = gen_event:start({local, orders}),
  sys:suspend(P),
  [P ! {notify, N} || N <- lists:seq(1, 3000)],
  Send = fun Send() -> P ! {notify, more}, receive stop -> ok after 2 -> Send() end end,
  spawn(fun() -> register(sender, self()), Send() end),
  true.]]

local QUEUE = "element(2, process_info(whereis(orders), message_queue_len))."

describe("the runbook mailbox_growth", function()
  local at

  local function follow(dry_run)
    return own.follow(at, "mailbox_growth", { skills = { "beam" }, mechanism = "sys_suspended", dry_run = dry_run })
  end

  local function suspended() return at.eval "lists:nth(2, element(4, sys:get_status(orders))) =:= suspended." end

  setup(function()
    at = own.open("mailbox_growth", function(node) node.eval(PLANT) end)
  end)
  teardown(own.close)

  it("only tells what it would do while it is dry", live.test(function()
    local rows = follow(true)
    assert.equal(1, #rows)
    assert.same({ "resume_process", "dry_run", "orders" }, { rows[1].action, rows[1].state, rows[1].object })
    assert.matches("^%d+ messages wait for it; orders was suspended through sys", rows[1].reason)
    assert.is_true(suspended())
  end))

  it("lets the process go on, which works off its queue, and can be undone", live.test(function()
    local rows = follow(false)
    assert.same({ "verified", "runbook" }, { rows[1].state, rows[1].by.kind })
    assert.is_false(suspended())
    until_true("a short queue", function() return at.eval(QUEUE) < 100 end)
    assert.equal("verified", own.undo(at, rows[1].id).state)
    assert.is_true(suspended())
  end))

  it("has nothing to do where the finding does not stand any more", live.test(function()
    at.eval "sender ! stop, sys:resume(orders), true."
    assert.same({}, follow(false))
  end))
end)
