-- The checks of processes: on played answers the edges that a live node does not hit twice the same way, and on a live
-- one servers of OTP under a supervisor, of which the gallery has none. Its windows are short, for what rises there
-- rises at once.
local live = require "spec.support.live_node"
local looked = require "spec.support.looked"
local played = require "spec.support.played_checks"
local with = played.with
local check, found = played.confirming "beam"

describe("the checks of processes", function()
  local function growth(o)
    return with({ seconds = 2, before = 1000, after = 1200, born = 205, died = 5, groups = {
      { current_function = "app:job/0", initial_call = "erlang:apply/2", parent = "<0.5.0>", parent_name = "boss",
        count = 200, of_parent = 200 } } }, o)
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

  it("take those of one kind together, whoever started them", function()
    local groups = {}
    for i = 1, 10 do
      groups[i] = { current_function = "gen_server:loop/7", initial_call = "chat:init/1", count = 20,
        parent = ("<0.%d.0>"):format(i), of_parent = 20 }
    end
    local results = { growth { groups = groups }, growth { groups = groups }, {} }
    assert.same({ "process_leak" }, found(GATHERING, results))
    assert.equal("chat:init/1", check("process_leak").confirm(results).object)
  end)

  -- As a channel of RabbitMQ is: a supervisor, and under each its own three.
  it("accuse nobody where what comes is of several kinds, as many of each", function()
    local groups = {}
    for i, name in ipairs { "supervisor2", "rabbit_channel", "rabbit_limiter", "rabbit_writer" } do
      groups[i] = { current_function = i == 1 and "gen_server:loop/7" or "erlang:hibernate/3", count = 50,
        initial_call = name .. ":init/1", parent = ("<0.%d.0>"):format(i), of_parent = i == 1 and 50 or 1 }
    end
    local results = { growth { groups = groups }, growth { groups = groups }, { link_count = 900 } }
    assert.same({ "other" }, found(GATHERING, results))
  end)

  it("do not blame a supervisor for its links", function()
    for _, name in ipairs { "supervisor:init/1", "supervisor2:init/1" } do
      local parent = { link_count = 900, initial_call = name }
      assert.same({ "process_leak" }, found(GATHERING, { growth(), growth(), parent }))
    end
  end)

  it("look no further when as many end as are born", function()
    local look = check("process_leak").look[2]
    assert.is_nil(look { growth { after = 1010, born = 5000, died = 4990 } })
    assert.is_nil(look { growth { after = 1300, born = 5000, died = 4700 } })
    assert.same({ "beam_process_growth", 2000 }, look { growth() })
  end)
end)

describe("the checks of processes, where servers gather", function()
  local at, find

  setup(live.test(function()
    at = live.start()
    find = looked.at("beam", at.node, 400)
    at.eval(looked.module { "-module(office).",
      "hall() -> spawn(fun() -> {ok, _} = supervisor:start_link({local, hall}, office, hall), timer:sleep(infinity) "
        .. "end).",
      "init(hall) -> {ok, {{simple_one_for_one, 0, 1}, [{x, {gen_server, start_link, [office]}, temporary, 100, "
        .. "worker, [office]}]}}; init(desk) -> {ok, []}.",
      "open() -> [supervisor:start_child(hall, [desk, []]) || _ <- lists:seq(1, 5)], timer:sleep(10), open().",
      "serve() -> {ok, P} = supervisor:start_child(hall, [desk, []]), supervisor:terminate_child(hall, P), serve().",
    })
  end))

  before_each(live.test(function()
    at.eval "office:hall(), (fun W() -> is_pid(whereis(hall)) orelse W() end)(), ok."
  end))

  after_each(live.test(function()
    at.eval [=[
      [begin R = monitor(process, X), exit(whereis(X), kill), receive {'DOWN', R, _, _, _} -> ok end end
       || X <- [door, hall]].]=]
  end))

  teardown(function() live.stop_all() end)

  it("names what they were started as, and the supervisor that started them", live.test(function()
    at.eval "register(door, spawn(office, open, []))."
    local finding = find "process_leak"
    assert.equal("office:init/1", finding.object)
    assert.matches("most of the new ones servers started as office:init/1, spawned by hall, and next to none ends",
      finding.hypothesis, 1, true)
  end))

  it("does not hold it against a supervisor that it is linked to its children", live.test(function()
    at.eval "register(door, spawn(office, open, []))."
    assert.is_nil((find "link_leak"))
  end))

  it("looks no further where each is ended once it has served", live.test(function()
    at.eval "register(door, spawn(office, serve, []))."
    assert.same({ nil, 1 }, { find "process_leak" })
  end))
end)
