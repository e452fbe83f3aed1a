-- Idle processes that hold binaries they passed on long ago: what the runbook would do, and what it does.

local crowd = require "spec.support.crowd"
local live = require "spec.support.live_node"
local own = require "spec.support.own_runbooks"

describe("the runbook memory_alert", function()
  local at

  local function follow(dry_run)
    return own.follow(at, "memory_alert", { skills = { "beam" }, mechanism = "binary_refs_held", dry_run = dry_run })
  end

  local function holding() return at.eval "holders:holding()." end
  local function sweep() return at.eval "element(2, erlang:system_info(fullsweep_after))." end

  setup(function()
    at = own.open("memory_alert", function(node)
      crowd.load(node, "holders")
      node.eval "holders:start(300)."
    end)
  end)
  teardown(own.close)

  it("only tells what it would do while it is dry", live.test(function()
    local before, rows = holding(), follow(true)
    assert.same({ "gc_holders", "dry_run", "set_system_flag", "dry_run" },
      { rows[1].action, rows[1].state, rows[2].action, rows[2].state })
    assert.matches("^%d+ of %d+ MB are binaries; 300 processes waiting in holders:echo/0 hold", rows[1].reason)
    assert.same({ before, 65535 }, { holding(), sweep() })
  end))

  it("collects those that hold most and sets the flag, which can be undone", live.test(function()
    local before, rows = holding(), follow(false)
    assert.same({ "verified", "verified" }, { rows[1].state, rows[2].state })
    assert.same({ before - 20, 20 }, { holding(), sweep() })
    assert.equal("verified", own.undo(at, rows[2].id).state)
    assert.equal(65535, sweep())
  end))
end)
