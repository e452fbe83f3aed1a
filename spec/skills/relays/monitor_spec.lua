local async = require "runtime.async"
local live = require "spec.support.live_node"

describe("the relay of the system monitor", function()
  local at, events

  setup(function()
    at = live.start()
    events = at.node.uses.events { name = "spec", relays = { "monitor" } }
  end)
  teardown(live.stop_all)
  after_each(live.test(function() events.stop "monitor" end))

  -- The first event of a type that befell this process, or one of these; others of the node are under the same monitor.
  local function seen(kind, whom)
    local patience = async.now() + 20
    local one_of = type(whom) == "table" and whom or { [whom] = true }
    while true do
      for _, event in ipairs(events.of("monitor", 1).events) do
        if event.type == kind and one_of[event.pid] then return event end
      end
      assert(async.now() < patience, "no " .. kind)
      async.sleep(0.02)
    end
  end

  local SHOW = "list_to_binary(pid_to_list(%s))."
  local function shown(text) return at.eval(SHOW:format(text)) end
  local function monitor()
    return at.eval 'unicode:characters_to_binary(io_lib:format("~w", [erlang:system_monitor()])).'
  end

  it("tells of a large heap: whose, and how many words", live.test(function()
    events.of("monitor", 1)
    local pid = shown [[
      spawn(fun() -> register(grower, self()), L = lists:seq(1, 6000000), erlang:garbage_collect(),
        receive stop -> length(L) end end)]]
    local event = seen("large_heap", pid)
    assert.equal("grower", event.name)
    assert.is_true(event.heap_size > 8388608)
  end))

  it("tells of a long garbage collection, and how long", live.test(function()
    events.start("monitor", { LongGc = 1 })
    local pid = shown "spawn(fun() -> L = lists:seq(1, 3000000), erlang:garbage_collect(), length(L) end)"
    local event = seen("long_gc", pid)
    assert.is_true(event.duration_ms >= 1)
    assert.is_true(event.heap_size > 0)
  end))

  it("has a janitor that goes before the node's ordinary work, and a worker that does not", live.test(function()
    events.of("monitor", 1)
    local placed = at.node.relays.by_name.monitor.placed
    assert.equal("high normal", at.eval('iolist_to_binary(lists:join(" ", [atom_to_list(element(2, '
      .. "erlang:process_info(P, priority))) || P <- [J, W]])).", { J = placed.janitor, W = placed.worker }))
  end))

  it("tells of a scheduler that was held up, and by whom", live.test(function()
    events.start("monitor", { LongSchedule = 10 })
    local pid = shown "spawn(fun() -> X = 1 bsl 2000000, Y = X * X, receive stop -> Y end end)"
    assert.is_true(seen("long_schedule", pid).duration_ms >= 10)
  end))

  it("tells of a port that takes no more, and who waits for it", live.test(function()
    events.of("monitor", 1)
    -- One waits for what it sent itself; who comes after is held up, unless the port was just below its mark. Then it
    -- is the owner who may be held up first.
    local senders, port = unpack(at.eval [[
      Q = self(),
      Send = fun(C) -> (fun F() -> gen_tcp:send(C, binary:copy(<<1>>, 1000000)), F() end)() end,
      spawn(fun() ->
        {ok, L} = gen_tcp:listen(0, [{active, false}, {ip, {127,0,0,1}}]), {ok, N} = inet:port(L),
        {ok, C} = gen_tcp:connect({127,0,0,1}, N, [{active, false}]),
        {ok, _} = gen_tcp:accept(L), Q ! {port, C}, Send(C) end),
      C = receive {port, X} -> X end,
      (fun F() -> case erlang:port_info(C, queue_size) of {_, 0} -> F(); _ -> ok end end)(),
      L = [spawn(fun() -> Send(C) end) || _ <- lists:seq(1, 5)],
      {maps:from_list([{list_to_binary(pid_to_list(P)), true} || P <- L]), list_to_binary(erlang:port_to_list(C))}.]])
    local event = seen("busy_port", senders)
    assert.same({ port, "tcp_inet" }, { event.port, event.port_name })
  end))

  it("calls a program by its first word and keeps what else stands in its command", live.test(function()
    events.of("monitor", 1)
    local pid = shown [[
      spawn(fun() ->
        P = open_port({spawn, "sh -c 'sleep 60' password=hush"}, []),
        (fun F() -> erlang:port_command(P, binary:copy(<<1>>, 100000)), F() end)() end)]]
    assert.equal("sh", seen("busy_port", pid).port_name)
    at.eval("exit(list_to_pid(binary_to_list(P)), kill).", { P = pid })
  end))

  it("names a process by what it was started with, where that says something", live.test(function()
    events.start("monitor", { LargeHeap = 100000 })
    local by_call = shown "spawn(lists, seq, [1, 3000000])"
    assert.equal("lists:seq/2", seen("large_heap", by_call).name)
    local by_fun = shown "spawn(fun() -> length(lists:seq(1, 3000000)) end)"
    assert.is_nil(seen("large_heap", by_fun).name)
    local by_library = shown "proc_lib:spawn(fun() -> length(lists:seq(1, 3000000)) end)"
    assert.is_nil(seen("large_heap", by_library).name)
  end))

  it("sets what it was told to, and takes it back", live.test(function()
    events.start("monitor", { LongGc = 7, LongSchedule = 8, LargeHeap = 900000 })
    assert.same({ "busy_dist_port", "busy_port", "{large_heap,900000}", "{long_gc,7}", "{long_schedule,8}" },
      at.eval [[ {_, L} = erlang:system_monitor(),
        lists:sort([unicode:characters_to_binary(io_lib:format("~w", [X])) || X <- L]).]])
    events.stop "monitor"
    assert.equal("undefined", monitor())
  end))

  describe("where the node has one of its own", function()
    local before

    before_each(live.test(function()
      at.eval [[ P = spawn(fun() -> register(watchdog, self()), receive stop -> ok end end),
        erlang:system_monitor(P, [{long_gc, 1234}]). ]]
      before = monitor()
    end))
    after_each(live.test(function() at.eval "erlang:system_monitor(undefined), exit(whereis(watchdog), kill)." end))

    it("says whose it is and leaves it alone", live.test(function()
      local pid = shown "whereis(watchdog)"
      assert.equal(("the node's own software has set a system monitor (%s, watchdog) and there is one for all, "
        .. "which is not replaced"):format(pid), events.of("monitor", 1).unavailable)
      assert.equal(before, monitor())
    end))
  end)

  it("leaves alone the monitor that somebody set after us, and says that it hears no more", live.test(function()
    events.start("monitor", { Look = 20 })
    at.eval "erlang:system_monitor(whereis(init), [{long_gc, 4321}])."
    local before, patience = monitor(), async.now() + 20
    while not events.of("monitor", 1).ended and async.now() < patience do async.sleep(0.05) end
    local after = monitor()
    at.eval "erlang:system_monitor(undefined)."
    assert.equal("the node's own software has set another system monitor since", events.of("monitor", 1).ended)
    assert.equal(before, after)
  end))
end)
