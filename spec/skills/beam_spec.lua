-- The main part of the beam skill against live nodes. `eval` is the other road: what the node
-- itself says when it is asked in plain Erlang.
local crowd = require "spec.support.crowd"
local json = require "runtime.json"
local live = require "spec.support.live_node"
local skill = require "runtime.skill"

local beam = assert(skill.open "beam")
local between, find = crowd.between, crowd.find

local function unnamed(rows, func)
  local count = 0
  for _, row in ipairs(rows) do
    if not row.name and row.current_function == func then count = count + 1 end
  end
  return count
end

describe("beam skill", function()
  local at, callback, eval

  setup(function()
    at = live.start()
    eval, callback = at.eval, skill.functions(beam, at.node)
    live.test(function()
      crowd.load(at)
      eval "crowd:deaf(sink, 50000), crowd:heavy(barn, 4000000), crowd:start(engine, fun() -> crowd:spin(0) end)."
    end)()
  end)

  teardown(function() live.stop_all() end)

  it("gives memory in MB by category, as erlang:memory does", live.test(function()
    local before, m = eval "erlang:memory(processes).", callback.beam_get_memory()
    local after = eval "erlang:memory(processes)."
    assert.near((before + after) / 2 / 2 ^ 20, m.processes_mb, 3) -- whoever asks has a heap too
    assert.near(eval "erlang:memory(code)." / 2 ^ 20, m.code_mb, 0.2)
    assert.near(eval "erlang:memory(ets)." / 2 ^ 20, m.ets_mb, 0.1)
    assert.near(eval "erlang:memory(atom)." / 2 ^ 20, m.atom_mb, 0.1)
    assert.near(m.total_mb, m.processes_mb + m.system_mb, 0.05)
    assert.near(m.processes_mb, m.processes_used_mb, 0.5)
    assert.is_true(m.binary_mb < m.system_mb)
  end))

  it("counts processes and ports, and says how many may be", live.test(function()
    local p = callback.beam_get_processes()
    assert.same({ eval "erlang:system_info(process_count).", eval "erlang:system_info(process_limit).",
      eval "erlang:system_info(port_count).", eval "erlang:system_info(port_limit)." },
      { p.process_count, p.process_limit, p.port_count, p.port_limit })
  end))

  it("counts schedulers of each kind", live.test(function()
    local s = callback.beam_get_schedulers()
    assert.same({ eval "erlang:system_info(schedulers).", eval "erlang:system_info(schedulers_online).",
      eval "erlang:system_info(dirty_cpu_schedulers_online).", eval "erlang:system_info(dirty_io_schedulers)." },
      { s.schedulers, s.schedulers_online, s.dirty_cpu_schedulers_online, s.dirty_io_schedulers })
    assert.equal("number", type(s.run_queue))
  end))

  it("counts atoms", live.test(function()
    local a = callback.beam_get_atoms()
    assert.equal(eval "erlang:system_info(atom_count).", a.atom_count)
    assert.equal(eval "erlang:system_info(atom_limit).", a.atom_limit)
    assert.near(eval "erlang:memory(atom_used)." / 2 ^ 20, a.atom_used_mb, 0.01)
    assert.is_true(a.atom_used_mb <= a.atom_mb)
  end))

  it("names releases, and no Elixir where none runs", live.test(function()
    local s = callback.beam_get_system()
    assert.equal(at.name, s.node)
    assert.equal(eval "list_to_binary(erlang:system_info(otp_release)).", s.otp_release)
    assert.is_nil(s.elixir_version)
    between(s.uptime_seconds, s.uptime_seconds, eval "element(1, erlang:statistics(wall_clock)) div 1000.")
  end))

  it("weighs persistent terms", live.test(function()
    local before = callback.beam_get_persistent_terms()
    eval "persistent_term:put(crowd_list, lists:seq(1, 500000))."
    local after = callback.beam_get_persistent_terms()
    eval "persistent_term:erase(crowd_list)."
    assert.equal(before.count + 1, after.count)
    assert.near(500000 * 16 / 2 ^ 20, after.memory_mb - before.memory_mb, 0.01)
  end))

  describe("beam_top_processes", function()
    it("ranks by exact memory in kB", live.test(function()
      local top = callback.beam_top_processes(3, "memory")
      assert.equal("barn", top.processes[1].name)
      assert.equal(math.floor(eval "element(2, process_info(whereis(barn), memory))." / 1024),
        top.processes[1].memory_kb)
      assert.equal("crowd:hold/1", top.processes[1].current_function)
      for i = 2, 3 do assert.is_true(top.processes[i - 1].memory_kb >= top.processes[i].memory_kb) end
    end))

    it("finds him whose messages are his memory, however many have larger heaps", live.test(function()
      eval [=[crowd:start(loft, fun crowd:idle/0, [{message_queue_data, off_heap}]),
        [loft ! {note, N} || N <- lists:seq(1, 20000)],
        register(crew, spawn(fun() -> [spawn_opt(fun crowd:idle/0, [{min_heap_size, 70000}, link])
          || _ <- lists:seq(1, 60)], crowd:idle() end)), ok.]=]
      local row = find(callback.beam_top_processes(3, "memory").processes, "loft")
      local memory = eval "element(2, process_info(whereis(loft), memory)) div 1024."
      eval "crowd:stop(loft), crowd:stop(crew)."
      assert.equal(memory, row.memory_kb)
    end))

    it("ranks by mailbox", live.test(function()
      local first = callback.beam_top_processes(1, "message_queue").processes[1]
      assert.same({ "sink", 50000, "waiting" }, { first.name, first.message_queue, first.status })
      assert.equal(eval "list_to_binary(pid_to_list(whereis(sink))).", first.pid)
    end))

    it("ranks by reductions since the start", live.test(function()
      local low = eval "element(2, process_info(whereis(engine), reductions))."
      local first = callback.beam_top_processes(1, "reductions").processes[1]
      assert.equal("engine", first.name)
      between(low, first.reductions, eval "element(2, process_info(whereis(engine), reductions)).")
    end))

    it("says how many there are, leaving itself out", live.test(function()
      local all = callback.beam_top_processes(50)
      assert.equal(eval "length(erlang:processes()) - 1.", all.total)
      assert.equal(math.min(50, all.total), all.showing)
      assert.equal(all.showing, #all.processes)
      for _, row in ipairs(all.processes) do assert.not_matches("^erl_eval", row.current_function) end
    end))

    it("names by the initial call who has no name, and nobody \"[]\"", live.test(function()
      eval [[
        A = proc_lib:spawn(crowd, hold, [lists:seq(1, 800000)]),
        B = spawn(fun() -> crowd:hold(lists:seq(1, 800000)) end),
        lists:foreach(fun crowd:settled/1, [A, B]).]]
      local rows = callback.beam_top_processes(50).processes
      assert.is_truthy(find(rows, "crowd:hold/1"))
      for _, row in ipairs(rows) do assert.not_equal("[]", row.name) end
      assert.equal(1, unnamed(rows, "crowd:hold/1"))
      eval [=[
        [exit(P, kill) || P <- processes(), P =/= whereis(barn),
                          {current_function, {crowd, hold, 1}} <- [process_info(P, current_function)]].]=]
    end))

    it("forgives processes that die while it looks", live.test(function()
      eval "crowd:start(mayfly, fun crowd:breed/0)."
      for _ = 1, 10 do
        for _, by in ipairs { "memory", "message_queue", "reductions" } do callback.beam_top_processes(50, by) end
        callback.beam_queue_stats()
        callback.beam_process_groups("parent")
      end
      eval "crowd:stop(mayfly)."
    end))

    it("refuses what is no order", live.test(function()
      assert.has_error(function() callback.beam_top_processes(5, "memory), halt(") end,
        "beam_top_processes: sort_by must be one of memory, message_queue, reductions")
    end))
  end)

  describe("beam_process_info", function()
    it("tells one process whole", live.test(function()
      eval [[
        crowd:start(boss, fun() -> process_flag(trap_exit, true),
          link(whereis(barn)), monitor(process, whereis(sink)), put(account, 1), put({user, 7}, x), crowd:idle() end,
          [{priority, high}]), true.]]
      local info = callback.beam_process_info "boss"
      local pid = eval "list_to_binary(pid_to_list(whereis(boss)))."
      assert.same(pid, info.pid)
      assert.same({ "boss", "waiting", "high", true }, { info.name, info.status, info.priority, info.trap_exit })
      assert.same({ 1, 1, 0 }, { info.link_count, info.monitor_count, info.monitored_by_count })
      assert.same({ eval "list_to_binary(pid_to_list(whereis(barn)))." }, info.links)
      assert.same({ eval "list_to_binary(pid_to_list(whereis(sink)))." }, info.monitors)
      table.sort(info.dictionary_keys)
      assert.same({ "account", "{user, ...}" }, info.dictionary_keys)
      assert.equal("crowd:idle/0", info.stack[1])
      assert.equal(math.floor(eval "element(2, process_info(whereis(boss), total_heap_size))." * 8 / 1024),
        info.total_heap_kb)
      assert.equal(info.pid, callback.beam_process_info(pid).pid)
      eval "unlink(whereis(barn)), crowd:stop(boss)."
    end))

    it("names parent and ancestors of a process of OTP", live.test(function()
      local info = callback.beam_process_info "kernel_safe_sup"
      assert.equal(eval "list_to_binary(pid_to_list(whereis(kernel_sup))).", info.parent)
      assert.equal("kernel_sup", info.ancestors[1])
      assert.equal("supervisor:kernel/1", info.initial_call)
    end))

    it("never shows what a message or the dictionary says", live.test(function()
      eval [[crowd:start(vault, fun() -> put(code, <<"hunter2">>), crowd:idle() end), vault ! {pin, <<"s3cret">>},
        true.]]
      local text = json.encode(callback.beam_process_info "vault")
      assert.matches('"message_queue":1', text)
      assert.not_matches("hunter2", text)
      assert.not_matches("s3cret", text)
      eval "crowd:stop(vault)."
    end))

    it("says what to give it when there is no such process", live.test(function()
      local why = "beam_process_info: no such process now; pid is text like <0.123.0>, or a registered name"
      for _, pid in ipairs { "<0.99999.0>", "<9.9", "nobody_here", "<0.1.0>, halt()" } do
        assert.has_error(function() callback.beam_process_info(pid) end, why)
      end
    end))
  end)

  it("sums the node up in its snapshot", live.test(function()
    local s = assert(skill.snapshot(beam, at.node))
    assert.near(100 * eval "erlang:system_info(process_count) / erlang:system_info(process_limit).",
      s.process_utilization_pct, 0.01)
    assert.near(100 * eval "erlang:system_info(port_count) / erlang:system_info(port_limit).", s.port_utilization_pct,
      0.01)
    assert.near(100 * eval "erlang:system_info(atom_count) / erlang:system_info(atom_limit).", s.atom_utilization_pct,
      0.01)
    assert.near(eval "erlang:memory(binary)." / 2 ^ 20, s.binary_memory_mb, 0.5)
    assert.same({ 50000, 50000 }, { s.max_message_queue, s.total_message_queue })
    assert.equal(eval "erlang:system_info(schedulers_online).", s.schedulers_online)
    assert.equal("number", type(s.scheduler_run_queue))
    assert.is_nil(s.memory_utilization_pct)
  end))

  it("knows the host's memory where os_mon runs", live.test(function()
    eval "{ok, _} = application:ensure_all_started(os_mon), true."
    local used = assert(skill.snapshot(beam, at.node)).memory_utilization_pct
    local total, free = eval "element(2, lists:keyfind(total_memory, 1, memsup:get_system_memory_data())).",
      eval "element(2, lists:keyfind(available_memory, 1, memsup:get_system_memory_data()))."
    eval "application:stop(os_mon), application:stop(sasl)."
    assert.near(100 * (total - free) / total, used, 5)
  end))
end)

describe("beam skill on Elixir", function()
  local at, callback

  setup(function()
    at = live.start { elixir = true, code = [[
      {:ok, _} = Agent.start(Enum, :to_list, [1..500_000])
      Process.register(spawn(fn -> Process.sleep(:infinity) end), Shop.Cart)]] }
    callback = skill.functions(beam, at.node)
  end)

  teardown(function() live.stop_all() end)

  it("knows the release", live.test(function()
    assert.equal(at.eval "'Elixir.System':version().", callback.beam_get_system().elixir_version)
  end))

  it("names processes and functions as Elixir does", live.test(function()
    local agent = callback.beam_top_processes(1).processes[1]
    assert.equal("Enum:to_list/1", agent.name)
    assert.equal("gen_server:loop/7", agent.current_function)
    local cart = callback.beam_process_info "Shop.Cart"
    assert.equal("Shop.Cart", cart.name)
  end))
end)
