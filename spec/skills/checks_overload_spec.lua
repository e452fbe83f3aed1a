-- The checks of overload on played answers: that they find what is really there, the gallery shows.
local played = require "spec.support.played_checks"
local with = played.with
local find, suspect = played.of "overload"

describe("the check for a ring of calls", function()
  local A = { pid = "<0.1.0>", name = "till", in_call = true, sure = true, waits_for = "bank@n",
    waits_for_name = "bank", message_queue = 9, current_function = "gen:do_call/4" }
  local B = { pid = "<0.2.0>", name = "bank", in_call = true, sure = true, waits_for = "<0.1.0>",
    waits_for_name = "till", message_queue = 1, current_function = "gen:do_call/4" }

  local function look(a, cycle)
    return { chains = { { depth = 2, cycle = cycle ~= false, links = { with(A, a), B } } } }
  end

  it("names all that wait for each other, at both looks", function()
    local finding = find("call_deadlock", { look(), look() })
    assert.same({ "bank and till", "critical" }, { finding.object, finding.severity })
    assert.matches("10 messages wait", finding.hypothesis)
  end)

  it("finds nothing in a ring that is gone, or another, at the second look", function()
    assert.is_nil((find("call_deadlock", { look(), { chains = {} } })))
    assert.is_nil((find("call_deadlock", { look(), look { pid = "<0.7.0>" } })))
  end)

  it("looks no further at a chain with an end, or where it is not sure who waits for whom", function()
    assert.same({ nil, 1 }, { find("call_deadlock", { look({}, false) }) })
    assert.same({ nil, 1 }, { find("call_deadlock", { look { sure = false } }) })
  end)

  it("is not suspect where one mailbox alone has messages: in a ring each has a call before it", function()
    assert.is_false(suspect("call_deadlock", { total_queue_size = 50, nonempty = 1 }))
    assert.is_true(suspect("call_deadlock", { total_queue_size = 2, nonempty = 2 }))
  end)
end)

describe("the check for who holds others up", function()
  local FRONT = { pid = "<0.1.0>", name = "till", in_call = true, sure = true, waits_for = "<0.2.0>",
    waits_for_name = "bank", message_queue = 9, current_function = "gen:do_call/4" }
  local BEHIND = { pid = "<0.2.0>", name = "bank", in_call = false, message_queue = 0, status = "waiting",
    current_function = "timer:sleep/1" }

  local function look(front, behind)
    return { chains = { { depth = 2, cycle = false, root = "bank", root_pid = with(BEHIND, behind).pid,
      links = { with(FRONT, front), with(BEHIND, behind) } } } }
  end

  it("names the one at the end of the chain, not the one where the requests lie", function()
    local finding = find("slow_downstream", { look(), look { message_queue = 20 } })
    assert.equal("bank", finding.object)
    assert.matches("bank holds up till, .* while 20 requests lie before till %(9 before%)", finding.hypothesis)
  end)

  it("looks no further at a few requests, nor at an end that waits for its next message", function()
    assert.same({ nil, 1 }, { find("slow_downstream", { look { message_queue = 2 } }) })
    assert.same({ nil, 1 }, { find("slow_downstream", { look({}, { current_function = "gen_server:loop/7" }) }) })
  end)

  it("finds nothing where another holds it up at the second look", function()
    assert.is_nil((find("slow_downstream", { look(), look({}, { pid = "<0.3.0>" }) })))
  end)
end)

describe("the check for a lock that is not given back", function()
  local LOCK = { lock = "till", holder = "<0.5.0>", holder_name = "desk", holder_function = "timer:sleep/1" }

  local function looks(now, waiting)
    return { { seconds = 1, total = 1, waiting = 30, locks = { LOCK } },
      { seconds = 2.5, total = 1, waiting = waiting or 28, locks = { with(LOCK, now) } } }
  end

  it("names the lock, and tells who holds it", function()
    local finding = find("global_lock_held", looks())
    assert.same({ "till", "warning", "high" }, { finding.object, finding.severity, finding.confidence })
    assert.matches("desk holds the lock till of global and does not give it back", finding.hypothesis)
  end)

  it("finds nothing where it has another holder at each look, or nobody waits any more", function()
    assert.is_nil((find("global_lock_held", looks { holder = "<0.6.0>" })))
    assert.is_nil((find("global_lock_held", looks({}, 0))))
  end)

  it("looks no further where one stands by for it, and is not suspect without a lock", function()
    assert.same({ nil, 1 }, { find("global_lock_held", { with(looks()[1], { waiting = 1 }) }) })
    assert.is_false(suspect("global_lock_held", { global_locks = 0 }))
  end)
end)

describe("the check for overload", function()
  local STATE = { severity = "critical", pattern = "growing", seconds = 3, max_queue_size = 20000,
    growth_per_sec = 4000, total_queue_depth = 20000, longest = { { pid = "<0.9.0>", name = "desk" } } }

  it("tells who does not keep up, and accuses nobody", function()
    local finding = find("overload", { STATE, with(STATE, { max_queue_size = 32000 }) })
    assert.same({ "desk", "critical", "low" }, { finding.object, finding.severity, finding.confidence })
    assert.matches("the longest had 20000 and now has 32000", finding.hypothesis)
  end)

  it("finds nothing where the second look drains, or stands", function()
    assert.is_nil((find("overload", { STATE, with(STATE, { severity = "transient", pattern = "draining" }) })))
    assert.is_nil((find("overload", { STATE, with(STATE, { severity = "sustained", pattern = "steady" }) })))
  end)

  it("looks no further at a burst", function()
    assert.same({ nil, 1 }, { find("overload", { with(STATE, { severity = "transient", pattern = "fluctuating" }) }) })
  end)
end)
