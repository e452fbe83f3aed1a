-- The check of sup on played answers: that it finds what is really there, the gallery shows.
local played = require "spec.support.played_checks"
local with = played.with
local find, suspect = played.of "sup"

local ROW = { supervisor = "shop", pid = "<0.9.0>", intensity = 100, period_seconds = 5, restarts = 40,
  restarts_in_period = 40, last_restart_seconds = 0, restarts_per_minute = 480, looping = true, started = 30,
  children = { { id = "till", pid = "<0.80.0>", status = "running" } } }

local function looks(first, second)
  return { { seconds = 1.5, restarts = { with(ROW, first) } }, { seconds = 2.5, restarts = { with(ROW, second) } } }
end

describe("the check of sup", function()
  it("names the supervisor whose child is restarted at both looks, and the child", function()
    local finding = find("restart_loop", looks())
    assert.equal("shop", finding.object)
    assert.matches("its child till again and again", finding.hypothesis, 1, true)
    assert.is_true(#finding.figures >= 6)
  end)

  it("looks no further where the last restarts are long ago, or nothing was started since", function()
    assert.same({ nil, 1 }, { find("restart_loop", looks { last_restart_seconds = 900 }) })
    assert.same({ nil, 1 }, { find("restart_loop", looks { started = 0 }) })
    assert.same({ nil, 1 }, { find("restart_loop", looks { looping = false }) })
  end)

  it("finds nothing where the child stays up at the second look", function()
    assert.is_nil((find("restart_loop", looks({}, { started = 0 }))))
    assert.is_nil((find("restart_loop", looks({}, { last_restart_seconds = 9 }))))
  end)

  it("is not suspect where there is no supervisor", function()
    assert.is_false(suspect("restart_loop", { supervisor_count = 0 }))
  end)
end)

describe("the check for a supervisor that a child keeps", function()
  local STUCK = { pid = "<0.9.0>", name = "shop", message_queue = 4, started = 0, stack = { "till:open/1",
    "supervisor:do_start_child_i/3", "supervisor:handle_call/3", "gen_server:try_handle_call/4" } }

  local function silent(first, second)
    return { { seconds = 1.5, restarts = {}, silent = { with(STUCK, first) } },
      { seconds = 2.5, restarts = {}, silent = { with(STUCK, second) } } }
  end

  it("names it and the function that it stands in", function()
    local finding = find("supervisor_blocked", silent({}, { message_queue = 30 }))
    assert.same({ "shop", "critical" }, { finding.object, finding.severity })
    assert.matches("it stood in till:open/1, started nobody and answered nobody. 30 requests wait before it, 4 at the "
      .. "first look", finding.hypothesis, 1, true)
  end)

  it("looks no further where it started a child meanwhile, or stands in no child", function()
    assert.same({ nil, 1 }, { find("supervisor_blocked", silent { started = 2 }) })
    assert.same({ nil, 1 }, { find("supervisor_blocked", silent { stack = { "gen_server:loop/7" } }) })
  end)

  it("finds nothing where it moved on, or where our own question is all that waits", function()
    assert.is_nil((find("supervisor_blocked", silent({}, { stack = { "bank:open/1", STUCK.stack[2] } }))))
    assert.is_nil((find("supervisor_blocked", silent({ message_queue = 0 }, { message_queue = 1 }))))
  end)
end)
