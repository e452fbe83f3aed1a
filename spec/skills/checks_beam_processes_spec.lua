-- The checks of processes on played answers: the edges that a live node does not hit twice the same way. That they
-- find what is really there, the gallery shows (spec/faults_spec.lua).
local played = require "spec.support.played_checks"
local with = played.with
local check, found = played.confirming "beam"

describe("the checks of processes", function()
  local function growth(o)
    return with({ seconds = 2, before = 1000, after = 1200, born = 205, died = 5, groups = {
      { current_function = "app:job/0", initial_call = "erlang:apply/2", parent = "<0.5.0>", parent_name = "boss",
        count = 200 } } }, o)
  end
  local GATHERING = { "process_leak", "link_leak", "unexplained_processes" }

  it("call processes that gather and belong to nobody a leak, and name who spawns them", function()
    local results = { growth(), growth { before = 1200, after = 1400 }, { link_count = 1 } }
    assert.same({ "process_leak" }, found(GATHERING, results))
    assert.matches("spawned by boss", check("process_leak").confirm(results).hypothesis)
  end)

  it("blame the parent that is linked to all of them", function()
    local results = { growth(), growth(), { link_count = 900 } }
    assert.same({ "link_leak" }, found(GATHERING, results))
    assert.equal("boss", check("link_leak").confirm(results).object)
  end)

  it("accuse nobody where callers gather, for it is another who does not answer", function()
    local callers = { { current_function = "gen:do_call/4", count = 200 } }
    assert.same({ "other" }, found(GATHERING, { growth { groups = callers }, growth { groups = callers }, {} }))
  end)

  it("look no further when as many end as are born", function()
    local look = check("process_leak").look[2]
    assert.is_nil(look { growth { after = 1010, born = 5000, died = 4990 } })
    assert.is_nil(look { growth { after = 1300, born = 5000, died = 4700 } })
    assert.same({ "beam_process_growth", 2000 }, look { growth() })
  end)
end)
