-- The question that goes first, on live nodes that leave no time to others.
local crowd = require "spec.support.crowd"
local live = require "spec.support.live_node"
local skill = require "runtime.skill"
local until_true = require "spec.support.until_true"

local beam = assert(skill.open "beam")
local between = crowd.between

describe("beam skill, on a node without time", function()
  local at, ask

  before_each(function()
    live.test(function()
      at = live.start { args = { "+S", "1:1" } } -- whatever else runs on this machine keeps a core
      crowd.load(at)
      ask = skill.functions(beam, at.node).beam_saturation
    end)()
  end)

  after_each(function() live.stop_all() end)

  -- So many that spin at high priority; after a while, so that this answer still comes. Until they do, all that asks
  -- at another priority has an answer, too.
  local function plant(many)
    at.eval([[spawn_opt(fun() -> timer:sleep(200), [spawn_opt(fun() -> crowd:spin(0) end, [{priority, high}])
      || _ <- lists:seq(1, Many)] end, [{priority, max}]), ok.]], { Many = many })
    until_true("the crowd", function() return ask().run_queue >= many / 2 end)
  end

  it("counts who wants to run, by priority, and says where they stand", live.test(function()
    at.eval [[[spawn(fun() -> crowd:spin(0) end) || _ <- lists:seq(1, 8 * erlang:system_info(schedulers_online))], ok.]]
    local seen = ask()
    local most = 8 * seen.schedulers_online
    between(most, seen.normal, most + 3)
    between(most - seen.schedulers_online, seen.run_queue, most + 3)
    assert.same({ "normal", 0, 0 }, { seen.priority, seen.high, seen.max })
    assert.same({ "crowd:spin/1", 100 }, { seen.groups[1].app_function, seen.groups[1].share_pct })
    assert.equal(seen.process_count - 1, seen.looked_at)
  end))

  it("answers where work at high priority leaves nothing to the rest", live.test(function()
    plant(8 * at.eval "erlang:system_info(schedulers_online).")
    local seen = ask()
    local most = 8 * seen.schedulers_online
    assert.same({ "high", most, most }, { seen.priority, seen.high_before, seen.high })
    assert.equal("crowd:spin/1", seen.groups[1].app_function)
  end))

  it("says in the snapshot that it got no answer in the usual way", live.test(function()
    local starving = {}
    function starving.query(text, variables, options)
      if options.priority ~= "high" then return nil, "the query had no answer after 5 s" end
      return at.node.query(text, variables, options)
    end
    local seen = assert(skill.snapshot(beam, starving))
    assert.same({ true, 1 }, { seen.starved, seen.schedulers_online })
    between(30, seen.process_count, 100)
  end))

  it("asks nobody on an idle node where he stands", live.test(function()
    local seen = ask()
    assert.equal(seen.process_count - 1, seen.looked_at)
    assert.same({ 0, {} }, { seen.sampled, seen.groups })
  end))

  it("stops by its own clock where it does not get on", live.test(function()
    at.eval "lists:foreach(fun(_) -> spawn(crowd, idle, []) end, lists:seq(1, 90000)), true."
    plant(150)
    between(1000, ask().looked_at, 89999)
  end))

  it("looks at no process where there are over 250,000", live.test(function()
    at.eval [[lists:foreach(fun(_) -> spawn(crowd, idle, []) end,
      lists:seq(1, 250050 - erlang:system_info(process_count))), true.]]
    local seen = ask()
    assert.same({ 0, 0 }, { seen.looked_at, seen.sampled })
    between(250001, seen.process_count, 250400)
  end))
end)
