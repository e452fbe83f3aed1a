-- The checks of sup on played answers, and on a live node a supervisor that a child keeps.
local live = require "spec.support.live_node"
local looked = require "spec.support.looked"
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

describe("the check for a child that is lost now and then, and over and over", function()
  local RARE = with(ROW, { restarts = 1, restarts_in_period = 1, period_seconds = 1, looping = false, started = 1 })

  local function three(first, second, third)
    return { { seconds = 1.5, restarts = { with(RARE, first) } }, { seconds = 2.5, restarts = { with(RARE, second) } },
      { seconds = 2.5, restarts = { with(RARE, third) } } }
  end

  local function child(id) return { children = { { id = id, pid = "<0.81.0>", status = "running" } } } end

  it("names the supervisor and the child", function()
    local finding = find("slow_restart_loop", three())
    assert.same({ "shop", "warning" }, { finding.object, finding.severity })
    assert.matches("its child till anew at each of three looks", finding.hypothesis, 1, true)
  end)

  it("looks no further where one look saw it stay up", function()
    assert.same({ nil, 1 }, { find("slow_restart_loop", three { started = 0 }) })
    assert.same({ nil, 2 }, { find("slow_restart_loop", three({}, { last_restart_seconds = 7 })) })
  end)

  it("finds nothing where it has come to stay at the third look", function()
    assert.is_nil((find("slow_restart_loop", three({}, {}, { started = 0 }))))
  end)

  it("finds nothing where it is another child each time, or one without a name", function()
    assert.is_nil((find("slow_restart_loop", three({}, {}, child "desk"))))
    assert.same({ nil, 1 }, { find("slow_restart_loop", three(child(nil), child(nil), child(nil))) })
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

  it("knows the supervisors of Elixir", function()
    local keeps = { stack = { "Tent:init/1", "DynamicSupervisor:start_child/3", "gen_server:try_handle_call/4" } }
    local finding = find("supervisor_blocked", silent(keeps, keeps))
    assert.matches("it stood in Tent:init/1, started nobody", finding.hypothesis, 1, true)
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

describe("the checks of sup, on a node", function()
  local at, look

  setup(live.test(function()
    at = live.start { elixir = true }
    look = looked.at("sup", at.node, 500)
    at.eval(looked.module { "-module(fair).",
      "hold(F) -> spawn(fun() -> {ok, _} = F(), timer:sleep(infinity) end), "
        .. "(fun W() -> is_pid(whereis(fair)) orelse W() end)().",
      "open(What) -> hold(fun() -> supervisor:start_link({local, fair}, fair, What) end).",
      "open_dynamic() -> hold(fun() -> 'Elixir.DynamicSupervisor':start_link([{name, fair}]) end).",
      "init(tents) -> {ok, {{simple_one_for_one, 0, 1}, [{x, {fair, pitch, []}, temporary, 100, worker, [fair]}]}}; "
        .. "init({wheel, Ms}) -> {ok, {{one_for_one, 1000, 1}, [{wheel, {fair, turn, [Ms]}, permanent, 100, worker, "
        .. "[fair]}]}}.",
      "pitch(Ms) -> timer:sleep(Ms), {ok, spawn_link(timer, sleep, [infinity])}.",
      "turn(Ms) -> {ok, spawn_link(timer, sleep, [Ms])}.",
      "ask(Ms) -> supervisor:start_child(fair, [Ms]), ask(Ms).",
      "ask_dynamic() -> 'Elixir.DynamicSupervisor':start_child(fair, #{id => x, start => {fair, pitch, [infinity]}}).",
    })
  end))

  after_each(live.test(function()
    at.eval "R = monitor(process, fair), exit(whereis(fair), kill), receive {'DOWN', R, _, _, _} -> ok end."
  end))
  teardown(live.stop_all)

  local KEPT = {
    ["a supervisor"] = "fair:open(tents), [spawn(fair, ask, [infinity]) || _ <- lists:seq(1, 3)], ok.",
    ["a DynamicSupervisor of Elixir"] =
      "fair:open_dynamic(), [spawn(fair, ask_dynamic, []) || _ <- lists:seq(1, 3)], ok.",
  }
  for who, plant in pairs(KEPT) do
    it(("name %s that a child keeps, and where it stands"):format(who), live.test(function()
      at.eval(plant)
      local finding = look "supervisor_blocked"
      assert.equal("fair", finding.object)
      assert.matches("it stood in fair:pitch/1, started nobody", finding.hypothesis, 1, true)
    end))
  end

  it("find nothing where the children are slow to start, and do", live.test(function()
    at.eval "fair:open(tents), [spawn(fair, ask, [100]) || _ <- lists:seq(1, 3)], ok."
    assert.is_nil((look "supervisor_blocked"))
  end))

  it("name a child that is lost over and over, and its supervisor", live.test(function()
    at.eval "fair:open({wheel, 20})."
    local finding = look "slow_restart_loop"
    assert.equal("fair", finding.object)
    assert.matches("its child wheel", finding.hypothesis, 1, true) -- what it is called beside, is gone by then perhaps
  end))

  it("look no further at a child that stays", live.test(function()
    at.eval "fair:open({wheel, infinity})."
    assert.same({ nil, 1 }, { look "slow_restart_loop" })
  end))
end)
