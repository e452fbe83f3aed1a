-- A table of sessions that somebody fills and nobody empties: what the runbook would delete, and what it deletes.

local live = require "spec.support.live_node"
local own = require "spec.support.own_runbooks"

-- 500 rows are two hours old; young ones keep coming, a kilobyte each, as many on a slow machine as on any.
local PLANT = [[
  Now = fun() -> erlang:system_time(second) end,
  Big = lists:seq(1, 60),
  spawn(fun() ->
    ets:new(sessions, [named_table, public]),
    [ets:insert(sessions, {{old, N}, Now() - 7200, Big}) || N <- lists:seq(1, 500)],
    Ms = fun() -> erlang:monotonic_time(millisecond) end,
    Fill = fun Fill(N, From) ->
      timer:sleep(2),
      Due = (Ms() - From) div 2,
      [ets:insert(sessions, {{new, N + I}, Now(), Big}) || I <- lists:seq(1, Due)],
      Fill(N + Due, From + 2 * Due) end,
    Fill(0, Ms()) end),
  Wait = fun Wait() -> case ets:info(sessions, size) of X when is_integer(X), X > 500 -> true;
    _ -> receive after 5 -> Wait() end end end,
  Wait().]]

local OLD = "length([1 || {{old, _}, _, _} <- ets:tab2list(sessions)])."

describe("the runbook ets_growth", function()
  local at

  local function follow(dry_run)
    return own.follow(at, "ets_growth", { skills = { "ets" }, mechanism = "ets_growth", dry_run = dry_run })
  end

  setup(function()
    at = own.open("ets_growth", function(node) node.eval(PLANT) end)
  end)
  teardown(own.close)

  it("only tells what it would do while it is dry", live.test(function()
    local rows = follow(true)
    assert.equal(1, #rows)
    assert.same({ "trim_table", "dry_run", "sessions" }, { rows[1].action, rows[1].state, rows[1].object })
    assert.matches("^rows older than 60 minutes; Table sessions gains", rows[1].reason)
    assert.matches("500 rows of", rows[1].figures.lost)
    assert.equal(500, at.eval(OLD))
  end))

  it("deletes the old rows and no other, and they can be put back", live.test(function()
    local before = at.eval "ets:info(sessions, size)."
    local rows = follow(false)
    assert.same({ "verified", "runbook" }, { rows[1].state, rows[1].by.kind })
    assert.equal(0, at.eval(OLD))
    assert.is_true(at.eval "ets:info(sessions, size)." >= before - 500)
    assert.equal("verified", own.undo(at, rows[1].id).state)
    assert.equal(500, at.eval(OLD))
  end))

  it("does nothing about another table that grows", live.test(function()
    own.copy("ets_growth", { ['TABLE = "sessions"'] = 'TABLE = "carts"' })
    assert.same({}, follow(false))
  end))
end)
