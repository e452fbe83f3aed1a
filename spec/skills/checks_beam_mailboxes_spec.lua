-- The checks of mailboxes on played answers: the edges that a live node does not hit twice the same way. That they
-- find what is really there, the gallery shows (spec/faults_spec.lua).
local live = require "spec.support.live_node"
local looked = require "spec.support.looked"
local skill = require "runtime.skill"
local played = require "spec.support.played_checks"
local with = played.with
local check, found = played.confirming "beam"

describe("the checks of mailboxes", function()
  local ALL = { "slow_consumer", "selective_receive_scan", "unhandled_messages", "process_suspended", "sys_suspended",
    "serialising_process", "slow_server", "active_socket_flood", "unexplained_mailbox" }

  local function statuses(status, share)
    return { { status = status, share_pct = share or 100 }, { status = "garbage", share_pct = 100 - (share or 100) } }
  end

  -- A process that takes 200 of 5,000 messages a second, asleep in its handler.
  local ROW = { pid = "<0.9.0>", name = "desk", queue_growth = 7000, initial_queue = 1000, final_queue = 8000 }
  local WATCHED = {
    pid = "<0.9.0>", name = "desk", seconds = 2, samples = 160, statuses = statuses "waiting",
    functions = { { current_function = "timer:sleep/1", share_pct = 100 } }, stack = { "timer:sleep/1", "app:desk/0" },
    reductions_per_sec = 9000, queue_first = 8000, queue_last = 17600, queue_min = 8000, queue_max = 17600,
    taken_at_least = 330,
  }
  local OWN_RECEIVE = { functions = { { current_function = "app:desk/0", share_pct = 100 } }, stack = { "app:desk/0" },
    taken_at_least = 0 }

  local function verdict(watched, row)
    return found(ALL, { { seconds = 1.5, processes = { with(ROW, row) } }, with(WATCHED, watched) })
  end

  it("call a queue that grows while messages are taken a slow consumer", function()
    assert.same({ "slow_consumer" }, verdict {})
  end)

  it("call it that too when it computes instead of sleeping", function()
    assert.same({ "slow_consumer" }, verdict { statuses = statuses "running", stack = { "app:price/2", "app:desk/0" } })
  end)

  it("say that it is the sockets when most of what comes was read by them", function()
    assert.same({ "active_socket_flood" }, verdict { active_sockets = 1, socket_messages = 9000 })
    assert.same({ "slow_consumer" }, verdict { active_sockets = 1, socket_messages = 900 })
  end)

  -- Ten requests a second come to a server that takes five.
  local SERVER = { queue_first = 20, queue_last = 30, queue_min = 20, queue_max = 31, taken_at_least = 10,
    callers = 25, callers_held = 12 }
  local FEW = { queue_growth = 15, initial_queue = 5, final_queue = 20 }

  it("say slow server when callers wait for a second, whether its queue grows or stands", function()
    assert.same({ "slow_server" }, verdict(SERVER, FEW))
    assert.same({ "slow_server" }, verdict(with(SERVER, { queue_last = 20 }), with(FEW, { queue_growth = 0 })))
  end)

  it("say it of a queue that callers make longer and longer, where nobody was seen to wait for so long", function()
    assert.same({ "slow_server" }, verdict(with(SERVER, { callers_held = 0, queue_last = 60 }), with(FEW, {
      queue_growth = 30 })))
  end)

  it("tell how many callers of a slow server got no answer while it was watched", function()
    local finding = check("slow_server").confirm { { processes = { with(ROW, FEW) } }, with(WATCHED, SERVER) }
    assert.matches("25 processes wait in a call to desk and 30 requests lie before it, never fewer than 20 in 2.0 s: "
      .. "it took at least 10 out in 2.0 s, and 12 of the callers looked at got no answer in the first 1.0 s",
      finding.hypothesis, 1, true)
  end)

  it("do not call a server slow that answers at once, that was empty in between, or that nobody waits for", function()
    assert.same({}, verdict(with(SERVER, { callers_held = 0, queue_last = 21 }), FEW))
    assert.same({}, verdict(with(SERVER, { queue_min = 0 }), FEW))
    assert.same({}, verdict(with(SERVER, { callers = 2 }), FEW))
  end)

  it("leave a supervisor that starts a child, of OTP or of Elixir, to the skill sup", function()
    for _, start in ipairs { "supervisor:do_start_child_i/3", "DynamicSupervisor:start_child/3" } do
      assert.same({}, verdict(with(SERVER, { stack = { "proc_lib:sync_start_link/2", start } }), FEW))
    end
  end)

  it("leave a server that itself waits in a call, and takes none, to who knows whom it waits for", function()
    local calls = { taken_at_least = 0, stack = { "gen:do_call/4", "gen_server:call/3", "app:handle_call/3",
      "gen_server:try_handle_call/4" } }
    assert.same({}, verdict(with(SERVER, calls), FEW))
  end)

  it("do not say unhandled of one that is in the midst of handling", function()
    assert.same({ "other" }, verdict { taken_at_least = 0, stack = { "app:fetch/1",
      "app:handle_cast/2", "gen_server:try_handle_cast/3", "gen_server:handle_msg/6" } })
  end)

  it("say unhandled of a long queue that nobody takes from, even where little comes", function()
    local little = with(OWN_RECEIVE, { queue_first = 5000, queue_last = 5003, queue_min = 5000, queue_max = 5003 })
    assert.same({ "unhandled_messages" }, verdict(little, { queue_growth = 2, final_queue = 5000 }))
  end)

  it("tell what was taken as the least that it was, and no rate of arrival made from it", function()
    local finding = check("slow_consumer").confirm { { processes = { ROW } }, WATCHED }
    assert.matches("grows by 4800 messages a second %(17600 now%), while it took at least 330 out in 2%.0 s",
      finding.hypothesis)
    local unseen = check("slow_consumer").confirm { { processes = { ROW } }, with(WATCHED, { taken_at_least = 0 }) }
    assert.matches("was not seen to take any", unseen.hypothesis)
  end)

  it("do not say unhandled while even one message in a thousand is taken", function()
    assert.same({ "slow_consumer" }, verdict(with(OWN_RECEIVE, { taken_at_least = 1 })))
  end)

  it("call it that when it never wakes from its own sleep", function()
    assert.same({ "slow_consumer" }, verdict { taken_at_least = 0 })
  end)

  it("say unhandled when it waits in its own receive and takes none", function()
    assert.same({ "unhandled_messages" }, verdict(OWN_RECEIVE))
  end)

  it("do not say unhandled when it waits inside a call: whom it waits for is open", function()
    assert.same({ "other" }, verdict(with(OWN_RECEIVE, { stack = { "gen:do_call/4", "app:desk/0" } })))
  end)

  it("tell the suspended from the slow by their state", function()
    assert.same({ "process_suspended" }, verdict(with(OWN_RECEIVE, { statuses = statuses "suspended" })))
    assert.same({ "sys_suspended" }, verdict(with(OWN_RECEIVE, { stack = { "sys:suspend_loop_hib/6" } })))
  end)

  it("do not call it suspended by somebody when it is a full port that holds it", function()
    assert.same({ "other" }, verdict(with(OWN_RECEIVE, { statuses = statuses "suspended",
      stack = { "prim_inet:send/4" } })))
  end)

  -- 40,000 lie there, and of what was taken 600 seconds like these would take a third.
  local LONG = { queue_first = 40000, queue_last = 40002, queue_min = 40000, queue_max = 40002, taken_at_least = 40 }
  local STANDS = { queue_growth = 3, initial_queue = 39997, final_queue = 40000 }

  it("accuse nobody of a long mailbox that stands, and do not call it well", function()
    assert.same({ "other" }, verdict(LONG, STANDS))
    local finding = check("unexplained_mailbox").confirm { { processes = { with(ROW, STANDS) } }, with(WATCHED, LONG) }
    assert.matches("The mailbox of desk changed by 1 messages a second and holds 40002, while it is in timer:sleep/1 "
      .. "(waiting): it is not worked off", finding.hypothesis, 1, true)
  end)

  it("are silent on a long mailbox that is worked off, and on one that is not so long", function()
    assert.same({}, verdict(with(LONG, { taken_at_least = 200 }), STANDS))
    assert.same({}, verdict(with(LONG, { queue_min = 9000 }), STANDS))
  end)

  it("are silent on a burst that drained before the second look", function()
    assert.same({}, verdict { queue_first = 15000, queue_last = 0, queue_min = 0, queue_max = 15000 })
  end)

  it("are silent on a burst that was empty in between and came again", function()
    assert.same({}, verdict { queue_first = 8000, queue_min = 0, queue_last = 20000, queue_max = 20000 })
  end)

  it("are silent on a queue that began during the second look only", function()
    assert.same({}, verdict({}, { queue_growth = 0 }))
  end)

  it("are silent on a long queue that stands still while nobody works", function()
    assert.same({}, verdict({ queue_first = 5000, queue_last = 5000, queue_min = 5000, queue_max = 5000 },
      { queue_growth = 0 }))
  end)

  local BUSY = { statuses = statuses("running", 98), stack = { "app:desk/0" }, queue_first = 200000,
    queue_last = 200000, queue_min = 200000, queue_max = 200000, taken_at_least = 0 }

  it("call a long steady queue of a process without rest a scan", function()
    assert.same({ "selective_receive_scan" }, verdict(BUSY, { queue_growth = 0 }))
  end)

  it("do not call it a scan while the queue is worked off", function()
    assert.same({ "serialising_process" }, verdict(with(BUSY, { taken_at_least = 2400 }), { queue_growth = 0 }))
  end)

  it("take a short steady queue of a busy server for a server that everybody needs", function()
    assert.same({ "serialising_process" }, verdict(with(BUSY, { queue_first = 490, queue_last = 495, queue_min = 480,
      queue_max = 499, taken_at_least = 360 }), { queue_growth = 0 }))
  end)

  it("take twenty that wait for it so only where it has been at work for long", function()
    local few = with(BUSY, { queue_first = 19, queue_last = 19, queue_min = 18, queue_max = 19, taken_at_least = 300 })
    local long, short = WATCHED.reductions_per_sec * 60, WATCHED.reductions_per_sec * 4
    assert.same({ "serialising_process" }, verdict(few, { queue_growth = 0, reductions = long }))
    assert.same({}, verdict(few, { queue_growth = 0, reductions = short }))
    assert.same({}, verdict(with(few, { queue_min = 9 }), { queue_growth = 0, reductions = long }))
  end)

  it("look closely at the longest queue when none grows, and at nobody when all are short", function()
    local look = check("slow_consumer").look[2]
    local still = with(ROW, { queue_growth = 0, final_queue = 5000 })
    assert.same({ "beam_watch_process", "<0.9.0>", 2000 }, look { { processes = { still } } })
    assert.is_nil(look { { processes = { with(still, { final_queue = 3 }) } } })
  end)
end)

describe("the checks of mailboxes, at a server that twenty call", function()
  local at, find

  local function serve(ms)
    at.eval("gen_server:start({local, till}, shop, Ms, []), [spawn(shop, buy, []) || _ <- lists:seq(1, 20)], "
      .. "(fun W() -> {_, N} = process_info(whereis(till), message_queue_len), N >= 18 orelse W() end)().", { Ms = ms })
  end

  setup(live.test(function()
    at = live.start()
    find = looked.at("beam", at.node)
    at.eval(looked.module { "-module(shop).", "init(Ms) -> {ok, Ms}.",
      "handle_call(_, _, Ms) -> timer:sleep(Ms), {reply, ok, Ms}.",
      "buy() -> gen_server:call(till, buy, infinity), buy().",
    })
  end))

  after_each(live.test(function() at.eval "exit(whereis(till), kill)." end))
  teardown(live.stop_all)

  it("call it slow where each of them waits for seconds", live.test(function()
    serve(150)
    local finding = find "slow_server"
    assert.equal("till", finding.object)
    assert.matches("20 processes wait in a call to till", finding.hypothesis, 1, true)
  end))

  it("say nothing where all of them are answered soon, and call again at once", live.test(function()
    serve(10)
    assert.is_nil((find "slow_server"))
  end))
end)

describe("every check of beam", function()
  it("cites only figures that stand in the answers it was given", function()
    local results = { { seconds = 1.5, processes = { { pid = "p", name = "desk", queue_growth = 7000,
      final_queue = 8000 } } }, { pid = "p", name = "desk", seconds = 2, samples = 9, queue_first = 8000,
      queue_last = 9000, queue_min = 8000, queue_max = 9000, taken_at_least = 30, reductions_per_sec = 1,
      statuses = { { status = "waiting", share_pct = 100 } }, stack = { "app:desk/0" },
      functions = { { current_function = "app:desk/0", share_pct = 100 } } } }
    for _, figure in ipairs(check("slow_consumer").confirm(results).figures) do
      local value = results[figure.look]
      for key in figure.path:gmatch "[%w_]+" do value = value[tonumber(key) or key] end
      assert.equal(value, figure.value)
    end
  end)

  it("tells the model in a line what an expert looks for", function()
    for _, c in ipairs(assert(skill.open "beam").checks) do assert.matches("%.$", c.expert) end
  end)
end)
