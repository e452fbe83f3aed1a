-- The close looks, on a live node with a process for each answer.
local crowd = require "spec.support.crowd"
local live = require "spec.support.live_node"
local skill = require "runtime.skill"

local beam = assert(skill.open "beam")
local between, find = crowd.between, crowd.find

describe("beam skill, close looks", function()
  local at, callback, eval

  setup(function()
    at = live.start()
    eval, callback = at.eval, skill.functions(beam, at.node)
    live.test(function() crowd.load(at) end)()
  end)

  teardown(function() live.stop_all() end)

  local function pid_of(name) return eval(("list_to_binary(pid_to_list(whereis(%s)))."):format(name)) end

  it("watch one process: what it does, and that nobody reads its mailbox", live.test(function()
    eval "crowd:deaf(sink, 700)."
    local seen = callback.beam_watch_process(pid_of "sink", 200)
    eval "crowd:stop(sink)."
    assert.same({ "sink", "normal", 700, 700, 0 },
      { seen.name, seen.priority, seen.queue_min, seen.queue_max, seen.taken_at_least })
    assert.same({ { status = "waiting", share_pct = 100 } }, seen.statuses)
    assert.same({ { current_function = "crowd:idle/0", share_pct = 100 } }, seen.functions)
    assert.equal("crowd:idle/0", seen.stack[1])
    between(3, seen.samples, 200)
  end))

  it("count of the messages taken only what they saw, and see most of what a slow one takes", live.test(function()
    eval [[crowd:start(desk, fun() -> [self() ! N || N <- lists:seq(1, 900)],
      (fun L(N) -> receive _ -> put(taken, N) end, receive after 3 -> L(N + 1) end end)(1) end).]]
    eval "crowd:every(feeder, 20, fun() -> [desk ! N || N <- lists:seq(1, 10)] end)."
    local function taken() return eval "element(2, hd(element(2, process_info(whereis(desk), dictionary))))." end
    local before = taken()
    local seen = callback.beam_watch_process("desk", 500)
    local after = taken()
    eval "crowd:stop(feeder), crowd:stop(desk)."
    between((after - before) / 2, seen.taken_at_least, after - before)
  end))

  it("count who waits in a call to it, and not who only monitors it", live.test(function()
    eval [==[crowd:deaf(desk, 0), [crowd:start(N, fun() -> gen_server:call(desk, go, infinity) end) || N <- [a, b, c]],
      crowd:start(guard, fun() -> monitor(process, desk), crowd:idle() end),
      (fun L() -> length(element(2, process_info(whereis(desk), monitored_by))) =:= 4 orelse L() end)().]==]
    local seen = callback.beam_watch_process("desk", 200)
    eval "[crowd:stop(N) || N <- [a, b, c, guard, desk]]."
    assert.equal(3, seen.callers)
  end))

  it("count which of them had no answer for half of the window, and not who calls again and again", live.test(function()
    eval [==[crowd:deaf(desk, 0), crowd:start(a, fun() -> gen_server:call(desk, go, infinity) end),
      crowd:start(post, fun() -> (fun L() -> receive {_, {P, R}, _} -> P ! {R, ok} end, L() end)() end),
      crowd:start(b, fun() -> (fun L() -> gen_server:call(post, go), L() end)() end),
      (fun L() -> length(element(2, process_info(whereis(desk), monitored_by))) =:= 1 orelse L() end)().]==]
    local held, served = callback.beam_watch_process("desk", 400), callback.beam_watch_process("post", 400)
    eval "[crowd:stop(N) || N <- [a, b, desk, post]]."
    assert.same({ 1, 0 }, { held.callers_held, served.callers_held })
  end))

  it("count what its active sockets send it, and leave out the passive", live.test(function()
    eval [[crowd:start(reader, fun() ->
        {ok, L} = gen_tcp:listen(0, [binary, {active, false}, {packet, line}, {ip, {127, 0, 0, 1}}]),
        {ok, N} = inet:port(L),
        {ok, C} = gen_tcp:connect({127, 0, 0, 1}, N, [binary, {active, false}]),
        {ok, S} = gen_tcp:accept(L), inet:setopts(S, [{active, true}]), put(writer, C), crowd:idle() end).]]
    local writer = "element(2, lists:keyfind(writer, 1, element(2, process_info(whereis(reader), dictionary))))"
    eval(([[(fun L() -> case process_info(whereis(reader), dictionary) of {_, []} -> L(); _ -> ok end end)(),
      W = %s, crowd:every(pen, 20, fun() -> gen_tcp:send(W, "one\ntwo\n") end).]]):format(writer))
    local count = ("element(2, inet:getstat(%s, [send_cnt]))"):format(writer)
    local before = eval(("element(2, hd(%s))."):format(count))
    local seen = callback.beam_watch_process("reader", 400)
    local after = eval(("element(2, hd(%s))."):format(count))
    eval "crowd:stop(pen), crowd:stop(reader)."
    assert.equal(1, seen.active_sockets)
    between(1, seen.socket_messages, 2 * (after - before))
  end))

  it("cost the node little, waited for or busy", live.test(function()
    eval "crowd:start(engine, fun() -> crowd:spin(0) end)."
    for _, name in ipairs { "code_server", "engine" } do
      local before = at.node.load.reductions
      callback.beam_watch_process(name, 1000)
      between(0, at.node.load.reductions - before, 2000000)
    end
    eval "crowd:stop(engine)."
  end))

  it("tell a heap in use that rises from one that stands", live.test(function()
    eval "crowd:hoarder(hoarder, 4000), crowd:heavy(barn, 200000), true."
    local rising, still = callback.beam_watch_process(pid_of "hoarder", 600),
      callback.beam_watch_process(pid_of "barn", 300)
    eval "crowd:stop(hoarder), crowd:stop(barn)."
    assert.is_true(rising.used_kb_floor > rising.used_kb_floor_before)
    assert.equal(still.used_kb_floor, still.used_kb_floor_before)
  end))

  it("say so when the process is gone", live.test(function()
    assert.has_error(function() callback.beam_watch_process("<0.99999.0>", 100) end, "beam_watch_process: no such "
      .. "process now, or it ended meanwhile; pid is text like <0.123.0>, or a registered name")
  end))

  it("group the holders of binaries by function, with how many of them did nothing", live.test(function()
    for i = 1, 3 do eval(("crowd:proxy(relay%d, 10, 20000), true."):format(i)) end
    local groups = callback.beam_binary_groups(3, 200)
    for i = 1, 3 do eval(("crowd:stop(relay%d)."):format(i)) end
    local first = groups.groups[1]
    assert.same({ "crowd:proxy/0", 3, 3 }, { first.current_function, first.process_count, first.idle_count })
    assert.near(3 * 10 * 20000 / 2 ^ 20, first.held_mb, 0.02)
  end))

  it("group who runs now by the function of their own code", live.test(function()
    for i = 1, 6 do eval(("crowd:start(engine%d, fun() -> crowd:spin(0) end), true."):format(i)) end
    local busy = callback.beam_busy_groups(3)
    for i = 1, 6 do eval(("crowd:stop(engine%d)."):format(i)) end
    assert.equal("crowd:spin/1", busy.groups[1].app_function)
    between(5, busy.busy_min, busy.busy_max)
  end))

  it("name who makes atoms, and what these look like", live.test(function()
    eval "crowd:atoms(maker, 50), true."
    local low = eval "erlang:system_info(atom_count)."
    local growth = callback.beam_atom_growth(600)
    local high = eval "erlang:system_info(atom_count)."
    eval "crowd:stop(maker)."
    between(low, growth.atom_count_before, growth.atom_count)
    between(growth.atom_count_before + 100, growth.atom_count, high)
    assert.equal("crowd_#", growth.shapes[1].shape)
    assert.is_truthy(find(growth.makers, "maker"))
    assert.equal(0, growth.modules_loaded)
  end))
end)
