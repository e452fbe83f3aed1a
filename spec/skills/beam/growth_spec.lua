-- What rises, on a live node: each condition is made, and each figure bracketed by the node's own.
local crowd = require "spec.support.crowd"
local live = require "spec.support.live_node"
local skill = require "runtime.skill"
local until_true = require "spec.support.until_true"

local beam = assert(skill.open "beam")
local between, find = crowd.between, crowd.find

local function by(groups, key, value)
  for _, group in ipairs(groups) do if group[key] == value then return group end end
end

describe("beam skill, growth", function()
  local at, callback, eval

  setup(function()
    at = live.start()
    eval, callback = at.eval, skill.functions(beam, at.node)
    live.test(function() crowd.load(at) end)()
  end)

  teardown(function() live.stop_all() end)

  describe("beam_process_groups", function()
    setup(live.test(function()
      eval [[
        crowd:start(nursery, fun() -> [spawn(crowd, idle, []) || _ <- lists:seq(1, 3000)], crowd:idle() end),
        (fun W() -> length(processes()) > 3000 orelse W() end)().]]
    end))

    it("counts by initial call and by current function, the memory beside it", live.test(function()
      for _, key in ipairs { "initial_call", "current_function" } do
        local groups = callback.beam_process_groups(key, 3)
        local idle = by(groups.groups, key, "crowd:idle/0")
        assert.equal(groups.groups[1], idle)
        between(3000, idle.count, 3001)
        assert.equal(eval "length(processes()) - 1.", groups.process_count)
        assert.near(100 * idle.count / groups.process_count, idle.share_pct, 0.01)
        local words = eval([=[
          I = binary_to_atom(Key),
          lists:sum([H || P <- processes(), {_, {crowd, idle, 0}} <- [process_info(P, I)],
                          {_, H} <- [process_info(P, total_heap_size)]]).]=], { Key = key })
        assert.near(words * 8 / 1024, idle.memory_kb, 3)
      end
    end))

    it("names who started them", live.test(function()
      local group = callback.beam_process_groups("parent", 1).groups[1]
      assert.same({ "nursery", 3000, "crowd:idle/0" }, { group.parent_name, group.count,
        group.example_current_function })
      assert.equal(eval "list_to_binary(pid_to_list(whereis(nursery))).", group.parent)
    end))
  end)

  it("sees processes become more, and says what the new ones do and who started them", live.test(function()
    eval [[crowd:every(spawner, 5, fun() -> [spawn(crowd, idle, []) || _ <- lists:seq(1, 20)] end), true.]]
    local low = eval "erlang:system_info(process_count)."
    local growth = callback.beam_process_growth(300)
    local high = eval "erlang:system_info(process_count)."
    eval "crowd:stop(spawner)."
    between(low - 2, growth.before, growth.after - 20)
    between(growth.before, growth.after, high)
    assert.equal(growth.after - growth.before, growth.growth)
    assert.equal(growth.growth, growth.born - growth.died)
    assert.near(growth.growth / growth.seconds, growth.growth_per_sec, 1)
    local first = growth.groups[1]
    assert.same({ "crowd:idle/0", "crowd:idle/0", "spawner" }, { first.initial_call, first.current_function,
      first.parent_name })
    between(growth.sampled * 0.9, first.count, growth.sampled)
  end))

  it("counts those of one kind together, whoever started them", live.test(function()
    local before = eval "length(processes())."
    eval [[crowd:start(ward, fun() ->
      [spawn_link(fun F() -> spawn_link(crowd, idle, []), timer:sleep(20), F() end) || _ <- lists:seq(1, 12)],
      crowd:idle() end), true.]]
    local growth = callback.beam_process_growth(500)
    eval "crowd:stop(ward)."
    -- Those that it is linked to end after it, and not within the next look.
    eval("(fun W() -> length(processes()) =< N orelse receive after 5 -> W() end end)().", { N = before })
    local group = by(growth.groups, "current_function", "crowd:idle/0")
    assert.equal(growth.groups[1], group)
    between(growth.sampled * 0.9, group.count, growth.sampled)
    between(group.count / 12, group.of_parent, group.count / 2)
  end))

  it("sees none where many are there by design", live.test(function()
    local growth = callback.beam_process_growth(200)
    assert.same({ 0, {} }, { growth.growth, growth.groups })
    assert.is_true(growth.before > 3000)
  end))

  -- A look in which anybody grew, and who did most. On a machine under load nobody may have had a turn in the time of
  -- one.
  local function grown(kind, around)
    local growth
    local function look() growth = callback.beam_memory_growth(500, 5) end
    local row = until_true("growth", function()
      around(look)
      return growth[kind][1]
    end)
    return growth, row
  end

  it("finds the process whose heap gains, and by how much memory gained with it", live.test(function()
    eval "crowd:hoarder(hoarder, 2000), crowd:heavy(barn, 2000000), true."
    local low, high
    local growth, row = grown("processes", function(look)
      low = eval "erlang:memory(total)."
      look()
      high = eval "erlang:memory(total)."
    end)
    eval "crowd:stop(hoarder), crowd:stop(barn)."
    assert.equal("hoarder", row.name)
    -- Elements of 16 bytes, in steps of 2,000: every 5 ms at most.
    between(31, row.used_growth_kb, 31.25 * (growth.seconds * 200 + 1))
    between(row.used_growth_kb, row.used_kb, row.memory_kb)
    assert.is_nil(find(growth.processes, "barn"))
    assert.near(low / 2 ^ 20, growth.total_mb_before, 20)
    assert.near(high / 2 ^ 20, growth.total_mb, 20)
    assert.near((growth.total_mb - growth.total_mb_before) / growth.seconds, growth.growth_mb_per_sec, 0.2)
  end))

  it("finds a mailbox that fills beside the heap, and by how much memory", live.test(function()
    eval [=[crowd:start(sink, fun crowd:idle/0, [{message_queue_data, off_heap}]),
      crowd:every(tap, 5, fun() -> sink ! lists:seq(1, 1000) end).]=]
    local function memory() return eval "element(2, process_info(whereis(sink), memory)) / 1024." end
    local low, high
    local growth, row = grown("mailboxes", function(look)
      low = memory()
      look()
      high = memory()
    end)
    eval "crowd:stop(tap), crowd:stop(sink)."
    assert.equal("sink", row.name)
    between(15 * row.queue_growth, row.mailbox_growth_kb, high - low) -- 16 bytes an element
    between(row.mailbox_growth_kb, row.mailbox_kb, high)
    assert.is_nil(find(growth.processes, "sink"))
  end))

  it("surveys the machine over one window", live.test(function()
    eval "crowd:deaf(sink, 5000), crowd:every(tap, 5, fun() -> sink ! drop end)."
    eval "crowd:start(engine, fun() -> crowd:spin(0) end)."
    local o = callback.beam_overview(300)
    eval "crowd:stop(sink), crowd:stop(tap), crowd:stop(engine)."
    local queue, worker = o.longest_queues[1], o.top_reducers[1]
    assert.same({ "sink", "engine" }, { queue.name, worker.name })
    between(5001, queue.message_queue, 1e6)
    between(1, queue.queue_growth, queue.message_queue - 5000)
    between(80, worker.share_pct, 100.5)
    assert.near(o.reductions_per_sec * o.seconds * worker.share_pct / 100, worker.reductions_delta,
      worker.reductions_delta * 0.01)
    between(45, o.utilization_pct, o.max_utilization_pct)
    assert.near(eval "erlang:memory(code)." / 2 ^ 20, o.code_mb, 0.1)
    assert.equal(eval "erlang:system_info(process_limit).", o.process_limit)
    assert.equal(eval "length(erlang:loaded()).", o.modules)
    assert.equal(eval "maps:get(count, persistent_term:info()).", o.persistent_terms)
    assert.same({ o.modules, o.process_count, o.port_count }, { o.modules_before, o.process_count_before,
      o.port_count_before })
  end))

  it("tells who sets timers that stay, and that they are no monitors", live.test(function()
    eval [[crowd:start(setter, fun crowd:idle/0),
      crowd:every(clockwork, 10, fun() -> [erlang:start_timer(3600000, whereis(setter), late)
        || _ <- lists:seq(1, 20)] end), ok.]]
    local t = callback.beam_timer_growth(1500)
    eval "crowd:stop(clockwork), crowd:stop(setter)."
    assert.equal("clockwork", t.makers[1].name)
    between(1, t.makers[1].share_pct, 100)
    between(50, t.fixed_kb - t.fixed_kb_before, 1000) -- 80 and more timers a second at the least, of 100 bytes and more
    between(0, t.makers[1].beside_heap_growth_kb, 10)
    assert.same({ t.process_count_before, t.port_count_before }, { t.process_count, t.port_count })
  end))

  it("tells monitors from timers by what lies beside the heap", live.test(function()
    eval [[crowd:start(server, fun crowd:idle/0),
      crowd:every(client, 10, fun() -> [monitor(process, whereis(server)) || _ <- lists:seq(1, 40)] end), ok.]]
    local t = callback.beam_timer_growth(1500)
    eval "crowd:stop(client), crowd:stop(server)."
    local client = find(t.makers, "client")
    -- Half of them are the server's; and the node's sum is taken earlier and later, which is long where time is short.
    between(math.max(20, 0.1 * (t.fixed_kb - t.fixed_kb_before)), client.beside_heap_growth_kb, t.fixed_kb)
  end))

  it("makes no atom by looking, so that its own words are not growth", live.test(function()
    assert.equal(callback.beam_overview(100).atom_count_before, callback.beam_overview(100).atom_count)
    local fresh = live.start { name = "bl_fresh@127.0.0.1" }
    local o = skill.call(beam, "beam_overview", { 100 }, fresh.node)
    fresh.stop()
    assert.equal(o.atom_count_before, o.atom_count)
  end))

  describe("atoms", function()
    it("are told with rate, limit and time left", live.test(function()
      eval "crowd:atoms(maker, 50), true."
      local low = eval "erlang:system_info(atom_count)."
      local rate = callback.beam_atom_growth_rate(0.01)
      local high = eval "erlang:system_info(atom_count)."
      local leak = callback.beam_atom_leak_detected()
      eval "crowd:stop(maker)."
      between(low, rate.atom_count_before, rate.atom_count)
      between(rate.atom_count_before + 50, rate.atom_count, high)
      assert.near((rate.atom_count - rate.atom_count_before) / rate.seconds * 60, rate.growth_per_minute,
        rate.growth_per_minute * 0.02)
      assert.near((rate.atom_limit - rate.atom_count) / rate.growth_per_minute, rate.minutes_to_exhaustion, 0.1)
      assert.equal(rate.minutes_to_exhaustion < 10 and "critical" or "high", rate.urgency)
      assert.is_true(leak.suspected)
      assert.equal(math.min(leak.windows[1].growth_per_minute, leak.windows[2].growth_per_minute),
        leak.growth_per_minute)
    end))

    it("are no leak while they are many but no more", live.test(function()
      eval "[list_to_atom(\"many_\" ++ integer_to_list(N)) || N <- lists:seq(1, 100000)], true."
      local leak = callback.beam_atom_leak_detected()
      assert.same({ false, 0, "none" }, { leak.suspected, leak.growth_per_minute, leak.urgency })
      assert.is_nil(leak.minutes_to_exhaustion)
    end))

    it("are compared with what history remembers, where it reaches back", live.test(function()
      local now = eval "erlang:system_info(atom_count)."
      local node = { query = at.node.query, sleep = function() error "it should not wait" end,
        history = function(metric, minutes)
          assert.same({ "atoms", 10 }, { metric, minutes })
          return { { age = 600, value = { atom_count = now - 1000 } } }
        end }
      local rate = assert(skill.call(beam, "beam_atom_growth_rate", { 10 }, node))
      assert.equal(600, rate.seconds)
      assert.near(100, rate.growth_per_minute, 1)
    end))

    it("are looked at now over a short time, so that two looks in a row share none", live.test(function()
      local kept = { { age = 1, value = { atom_count = 1 } } }
      local node = { query = at.node.query, history = function() return kept end }
      local rate = assert(skill.call(beam, "beam_atom_growth_rate", { 0.03 }, node))
      assert.same({ eval "erlang:system_info(atom_count).", 0 }, { rate.atom_count_before, rate.growth_per_minute })
    end))

    it("are looked at now where less was kept than two looks would take", live.test(function()
      local kept = { { age = 1, value = { atom_count = 1 } } }
      local node = { query = at.node.query, history = function() return kept end }
      local rate = assert(skill.call(beam, "beam_atom_growth_rate", { 10 }, node))
      between(2, rate.seconds, 2.9)
      assert.equal(0, rate.growth_per_minute)
    end))

    it("are suspected by what is seen now, with what was kept beside it", live.test(function()
      local now = eval "erlang:system_info(atom_count)."
      local node = { query = at.node.query, history = function()
        return { { age = 118, value = { atom_count = now - 4000 } } }
      end }
      local leak = assert(skill.call(beam, "beam_atom_leak_detected", {}, node))
      assert.is_false(leak.suspected)
      assert.near(120, leak.earlier.seconds, 1)
      assert.near(2000, leak.earlier.growth_per_minute, 60)
    end))
  end)

  describe("of processes that another node started", function()
    setup(live.test(function()
      eval [=[
        crowd:start(elsewhere, fun() -> {ok, _, N} = peer:start_link(#{name => nursery, host => "127.0.0.1",
          connection => standard_io, args => ["-start_epmd", "false", "-kernel", "inet_dist_use_interface",
            "{127,0,0,1}"]}), persistent_term:put(nursery, N), crowd:idle() end),
        (fun W() -> case persistent_term:get(nursery, none) of none -> W(); _ -> ok end end)().]=]
    end))

    teardown(live.test(function() eval "crowd:stop(elsewhere)." end))

    it("says what the new ones do, and who started them as far as that can be seen", live.test(function()
      eval [=[crowd:every(midwife, 5, fun() -> erpc:call(persistent_term:get(nursery), erlang, spawn,
        [node(), crowd, idle, []]) end), true.]=]
      local growth = callback.beam_process_growth(500)
      eval "crowd:stop(midwife)."
      local group = by(growth.groups, "initial_call", "crowd:idle/0")
      assert.matches("^<[1-9]%d*%.%d+%.%d+>$", group.parent)
      assert.is_nil(group.parent_name)
    end))

    it("groups them by who started them", live.test(function()
      eval "erpc:call(persistent_term:get(nursery), erlang, spawn, [node(), crowd, idle, []])."
      local groups, foreign = callback.beam_process_groups("parent", 50).groups, 0
      for _, group in ipairs(groups) do
        if group.parent and group.parent:find "^<[1-9]" then foreign = foreign + group.count end
      end
      assert.is_true(foreign >= 1)
    end))
  end)
end)
