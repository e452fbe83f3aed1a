-- Warnings of the VM, each really caused on a live node. What the node says of the same is the other road.
local async = require "runtime.async"
local crowd = require "spec.support.crowd"
local live = require "spec.support.live_node"
local skill = require "runtime.skill"

local vm = assert(skill.open "vm_events")
local between, find = crowd.between, crowd.find

local PATIENCE_S = 20

-- Thresholds that a spec reaches, of one kind at a time: more than 50 warnings a second are dropped.
local GC, SCHEDULE, HEAP = { LongGc = 5 }, { LongSchedule = 20 }, { LargeHeap = 3000000 }

describe("vm_events skill", function()
  local at, callback, eval, events

  setup(function()
    at = live.start()
    eval, callback, events = at.eval, skill.functions(vm, at.node), at.node.uses.events(vm)
    live.test(function() crowd.load(at) end)()
  end)

  -- The same relay that the skill listens to; as it is, where nothing is said of thresholds.
  local now
  local function listen(thresholds)
    if thresholds == now then return end
    events.stop "monitor"
    assert(events.start("monitor", thresholds))
    now = thresholds
  end

  -- The newest warning of this kind about this process, and all that were told with it.
  local function warned(kind, pid, by)
    local deadline = async.now() + PATIENCE_S
    while async.now() < deadline do
      local seen = (by or callback).sysmon_events(kind, 50)
      for _, event in ipairs(seen.events) do
        if event.pid == pid then return event, seen end
      end
      async.sleep(0.02)
    end
    error(("no %s of %s"):format(kind, pid), 2)
  end

  local function pid_of(name, there)
    return (there or at).eval("list_to_binary(pid_to_list(whereis(binary_to_atom(N)))).", { N = name })
  end

  teardown(function() live.stop_all() end)

  it("arms all that the node's release knows, busy_port among it", live.test(function()
    local armed = callback.sysmon_stats().armed
    local theirs = eval [[
      [atom_to_binary(case X of {K, _} -> K; K -> K end) || X <- element(2, erlang:system_monitor())].]]
    table.sort(theirs)
    assert.same({ "busy_dist_port", "busy_port", "large_heap", "long_gc", "long_schedule" }, theirs)
    table.sort(armed)
    assert.same(theirs, armed)
    assert.is_true(eval "lists:member({long_gc, 500}, element(2, erlang:system_monitor())).")
    assert.is_true(eval "lists:member({long_schedule, 500}, element(2, erlang:system_monitor())).")
  end))

  it("says how long it listened where nothing happened", live.test(function()
    local seen = skill.snapshot(vm, at.node)
    between(2, seen.listened_seconds, PATIENCE_S)
    seen.listened_seconds = nil
    assert.same({ long_gc = 0, long_schedule = 0, busy_port = 0, busy_dist_port = 0, large_heap = 0, max_gc_ms = 0,
      max_schedule_ms = 0, affected_processes = 0, affected_ports = 0, dropped = 0 }, seen)
  end))

  it("tells who waits for a port that takes no more", live.test(function()
    eval [[crowd:start(pourer, fun() -> P = open_port({spawn, "sleep 100"}, [binary]), persistent_term:put(pipe, P),
             F = fun F() -> port_command(P, binary:copy(<<0>>, 100000)), F() end, F() end), true.]]
    local pid = pid_of "pourer"
    local event = warned("busy_port", pid)
    local port = eval "list_to_binary(erlang:port_to_list(persistent_term:get(pipe)))."
    local suspended = eval "process_info(whereis(pourer), status) =:= {status, suspended}."
    local stats = callback.sysmon_stats()
    eval "crowd:stop(pourer)."
    assert.is_true(suspended)
    assert.same({ pid, "pourer", port, "sleep" }, { event.pid, event.name, event.port, event.port_name })
    assert.same({ 1, 1, 1 }, { stats.busy_port, stats.affected_ports, find(stats.processes, "pourer").busy_port })
    assert.same({ port = port, port_name = "sleep", events = 1, busy_port = 1 }, stats.ports[1])
  end))

  it("tells who waits for a connection that takes no more", live.test(function()
    local full = live.start { name = "bl_full@127.0.0.1", args = { "+zdbbl", "1" } } -- room for a kilobyte
    crowd.load(full)
    local peer, theirs = full.node.query "node(group_leader()).", skill.functions(vm, full.node)
    theirs.sysmon_stats()
    full.eval([[crowd:start(talker, fun() -> [erlang:send({nobody, N}, binary:copy(<<0>>, 200000)) ||
             _ <- lists:seq(1, 20)], crowd:idle() end), true.]], { N = peer })
    local event = warned("busy_dist_port", pid_of("talker", full), theirs)
    local port = full.eval([[
      list_to_binary(erlang:port_to_list(proplists:get_value(N, erlang:system_info(dist_ctrl)))).]], { N = peer })
    full.stop()
    assert.same({ "talker", port }, { event.name, event.port })
  end))

  it("tells of a heap that became large", live.test(function()
    listen(HEAP)
    eval "crowd:heavy(attic, 4000000), true."
    local event = warned("large_heap", pid_of "attic")
    local words = eval "element(2, process_info(whereis(attic), total_heap_size))."
    eval "crowd:stop(attic)."
    between(HEAP.LargeHeap, event.heap_size, 2 * words)
  end))

  it("tells of a collection that took long, and not longer than it took", live.test(function()
    listen(GC)
    eval "crowd:heavy(attic, 4000000), true."
    local ms = eval "element(1, timer:tc(fun() -> erlang:garbage_collect(whereis(attic)) end)) / 1000."
    local event, seen = warned("long_gc", pid_of "attic")
    local stats = skill.snapshot(vm, at.node)
    eval "crowd:stop(attic)."
    assert.equal("attic", event.name)
    between(GC.LongGc, event.duration_ms, ms)
    between(event.duration_ms, stats.max_gc_ms, math.huge)
    between(1, stats.long_gc, seen.total)
  end))

  it("shows the newest first, of one kind or of all, and as many as asked for", live.test(function()
    listen(GC)
    eval "crowd:heavy(attic, 4000000), [erlang:garbage_collect(whereis(attic)) || _ <- lists:seq(1, 5)]."
    warned("long_gc", pid_of "attic")
    eval "crowd:stop(attic)."
    local one, all = callback.sysmon_events("long_gc", 1), callback.sysmon_events("all", 50)
    assert.same({ "long_gc", 1 }, { one.events[1].type, one.showing })
    between(all.events[1].age, all.events[2].age, all.events[all.showing].age)
    between(5, one.total, all.total)
  end))

  it("gives long collections to the gc skill", live.test(function()
    listen(GC)
    eval "crowd:heavy(attic, 4000000), true."
    eval "erlang:garbage_collect(whereis(attic))."
    local _, seen = warned("long_gc", pid_of "attic")
    local theirs = skill.functions(assert(skill.open "gc"), at.node).gc_get_long_gcs(50)
    eval "crowd:stop(attic)."
    assert.is_table(find(theirs.events, "attic"))
    between(seen.total, theirs.total, math.huge)
    assert.equal(0, theirs.dropped)
  end))

  it("tells who held a scheduler up", live.test(function()
    listen(SCHEDULE)
    -- A product of two integers of a million bits is made in one go.
    eval [[crowd:start(multiplier, fun() -> X = 1 bsl 1000000 - 1,
             persistent_term:put(took, element(1, timer:tc(fun() -> X * X end))), crowd:idle() end), true.]]
    local event = warned("long_schedule", pid_of "multiplier")
    eval "(fun Wait() -> persistent_term:get(took, none) =:= none andalso Wait() end)()."
    local stats = callback.sysmon_stats()
    local ms = eval "persistent_term:get(took) / 1000."
    eval "crowd:stop(multiplier)."
    local row = find(stats.processes, "multiplier")
    assert.near(ms, event.duration_ms, ms / 10)
    between(event.duration_ms, row.max_ms, stats.max_schedule_ms)
    between(1, row.long_schedule, stats.long_schedule)
  end))

  it("names a process that the warning does not name", live.test(function()
    listen { LongGc = 1 }
    local pid = eval [[P = proc_lib:spawn(crowd, hold, [lists:seq(1, 500000)]), persistent_term:put(nameless, P),
      crowd:settled(P), erlang:garbage_collect(P), list_to_binary(pid_to_list(P)).]]
    local event = warned("long_gc", pid)
    local unnamed
    for _, theirs in ipairs(events.of("monitor", 5).events) do
      if theirs.pid == pid then unnamed = theirs.name end
    end
    eval "exit(persistent_term:get(nameless), kill)."
    assert.same({ "crowd:hold/1" }, { event.name, unnamed })
  end))

  it("leaves a monitor of the node's own software where it is, and says whose it is", live.test(function()
    events.stop "monitor"
    eval "crowd:start(watcher, fun crowd:idle/0), erlang:system_monitor(whereis(watcher), [{long_gc, 77}]), true."
    local answers = { skill.snapshot(vm, at.node), callback.sysmon_stats(), callback.sysmon_events() }
    local available = skill.available(vm, at.node)
    local theirs = eval "erlang:system_monitor() =:= {whereis(watcher), [{long_gc, 77}]}."
    eval "erlang:system_monitor(undefined), crowd:stop(watcher)."
    for _, answer in ipairs(answers) do
      assert.matches("watcher", answer.unavailable)
      assert.is_nil(answer.listened_seconds)
    end
    assert.matches("watcher", available)
    assert.is_true(theirs)
  end))
end)
