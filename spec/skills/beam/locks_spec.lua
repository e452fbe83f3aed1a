-- How long reads of tables take, on a live node whose tables are known.
local live = require "spec.support.live_node"
local skill = require "runtime.skill"

local beam = assert(skill.open "beam")

describe("beam skill, on locks of tables", function()
  local at, seen

  setup(function()
    live.test(function()
      at = live.start { code = [[
        spawn(fun() -> register(depot, self()), ets:new(shelf, [named_table, public]),
          ets:new(rack, [named_table, public, {write_concurrency, true}]), ets:new(safe, [named_table, protected]),
          receive stop -> ok end end), timer:sleep(50), true.]] }
      seen = skill.functions(beam, at.node).beam_lock_waits()
    end)()
  end)

  teardown(live.stop_all)

  local function row(name)
    for _, one in ipairs(seen.tables) do
      if one.name == name then return one end
    end
  end

  it("reads the tables that all may write to under one lock, and no others", live.test(function()
    local count = at.eval [[length([T || T <- ets:all(), ets:info(T, protection) =:= public,
      ets:info(T, write_concurrency) =:= false]).]]
    assert.same({ count, count }, { seen.table_count, seen.looked_at })
    assert.same({ nil, nil }, { row "rack", row "safe" })
  end))

  it("says whose they are, the slowest first, and what is usual", function()
    local last = math.huge
    for _, one in ipairs(seen.tables) do
      assert.is_true(one.read_ns > 0 and one.read_ns <= last)
      last = one.read_ns
    end
    assert.is_true(seen.usual_ns > 0)
    assert.equal(5, seen.looks)
  end)

  it("leaves nothing on the node", live.test(function()
    local before = at.eval "{length(ets:all()), length(processes())}."
    skill.functions(beam, at.node).beam_lock_waits()
    assert.same(before, at.eval "{length(ets:all()), length(processes())}.")
  end))
end)
