-- What is left behind, on a live node: each is planted, found, and gone when it is taken away.
local crowd = require "spec.support.crowd"
local live = require "spec.support.live_node"
local skill = require "runtime.skill"
local until_true = require "spec.support.until_true"

local beam = assert(skill.open "beam")
local between, find = crowd.between, crowd.find

describe("beam skill, leftovers", function()
  local at, callback, eval

  setup(function()
    at = live.start()
    eval, callback = at.eval, skill.functions(beam, at.node)
    live.test(function() crowd.load(at) end)()
  end)

  after_each(live.test(function()
    eval "[crowd:stop(X) || X <- [client, server, hub, store, writer, compiler, culprit, victim, leader, clock]], ok."
  end))
  teardown(function() live.stop_all() end)

  local function pid_of(name) return eval(("list_to_binary(pid_to_list(whereis(%s)))."):format(name)) end

  -- Asked once more, what comes and goes might have gone.
  local function wait_for(text)
    until_true(text, function() return eval(text) end)
  end

  local function items(name, item)
    return eval(("length(element(2, process_info(whereis(%s), %s)))."):format(name, item))
  end

  it("find nothing on a fresh node", live.test(function()
    local left = callback.beam_leftovers()
    assert.same({ "enabled", {}, 0, 0, {}, 0, 0, 0 }, { left.multi_scheduling, left.trace_flags_of_new,
      left.traced_count, left.suspended_count, left.suspenders, left.led_by_the_dead_count, left.old_code_count,
      left.global_lock_count })
    assert.is_nil(left.tracer)
    assert.same({ old_code_count = 0, looked_at = 0, users = {} }, callback.beam_old_code())
    local o = callback.beam_overview(100)
    assert.same({ 0, 0 }, { o.old_code_count, o.led_by_the_dead_count })
  end))

  describe("links and monitors", function()
    it("show who monitors and never gives up, and who is monitored", live.test(function()
      eval [[crowd:start(server, fun crowd:idle/0),
        crowd:every(client, 10, fun() -> [monitor(process, whereis(server)) || _ <- lists:seq(1, 20)] end), ok.]]
      wait_for "length(element(2, process_info(whereis(client), monitors))) > 500."
      local low = items("client", "monitors")
      local holders = callback.beam_link_holders(5, 300)
      local high = items("client", "monitors")
      local client, server = find(holders.processes, "client"), find(holders.processes, "server")
      between(low, client.monitor_count, high)
      between(low, server.monitored_by_count, high)
      between(1, client.monitor_growth, high - low)
      assert.same({ 0, 0, 0 }, { client.link_count, client.link_growth, server.monitor_count })
      assert.is_true(client.beside_heap_kb >= 20)
      assert.equal(holders.total, holders.looked_at)
    end))

    it("show who links to more and more", live.test(function()
      eval [[crowd:every(hub, 10, fun() -> spawn_link(fun crowd:idle/0) end), ok.]]
      wait_for "length(element(2, process_info(whereis(hub), links))) > 50."
      local low = items("hub", "links")
      local holders = callback.beam_link_holders(1, 300)
      local hub = holders.processes[1]
      assert.equal("hub", hub.name)
      between(low, hub.link_count, items("hub", "links"))
      between(1, hub.link_growth, hub.link_count - low)
    end))
  end)

  it("show a dictionary that grows, and never what is in it", live.test(function()
    eval [[crowd:start(store, fun() -> (fun L(N) -> put({user, N}, lists:duplicate(100, secret_word)),
      receive stop -> ok after 1 -> L(N + 1) end end)(1) end), ok.]]
    wait_for "length(element(2, process_info(whereis(store), dictionary))) > 100."
    local low = items("store", "dictionary")
    local found = callback.beam_dictionary_growth(5, 300)
    local row = find(found.processes, "store")
    between(low, row.entries, items("store", "dictionary"))
    between(1, row.entries_growth, row.entries - low)
    assert.is_true(row.dictionary_kb >= row.entries * 100 * 16 / 1024)
    assert.is_nil(require "runtime.json".encode(found):find("secret_word", 1, true))
  end))

  describe("persistent terms", function()
    it("are seen to become more", live.test(function()
      eval [[crowd:start(writer, fun() -> (fun L(N) -> persistent_term:put({crowd, N}, lists:seq(1, 1000)),
        receive stop -> ok after 5 -> L(N + 1) end end)(1) end), ok.]]
      local low = eval "maps:get(count, persistent_term:info())."
      local growth = callback.beam_persistent_term_growth(300)
      local high = eval "maps:get(count, persistent_term:info())."
      eval "crowd:stop(writer), [persistent_term:erase(K) || {{crowd, _} = K, _} <- persistent_term:get()], ok."
      between(low, growth.count_before, growth.count - 10)
      between(growth.count_before, growth.count, high)
      assert.is_true(growth.memory_mb > growth.memory_mb_before)
    end))

    it("that are written anew are seen by the collector's work, though their number stands", live.test(function()
      wait_for [[ [P | _] = [X || X <- processes(),
          process_info(X, initial_call) =:= {initial_call, {erts_literal_area_collector, start, 0}}],
        Before = process_info(P, reductions), timer:sleep(100), process_info(P, reductions) =:= Before.]]
      local calm = callback.beam_persistent_term_growth(300)
      eval [[crowd:every(writer, 5, fun() -> persistent_term:put(crowd_churn, make_ref()) end), ok.]]
      wait_for "persistent_term:get(crowd_churn, none) =/= none."
      local churn = callback.beam_persistent_term_growth(300)
      eval "crowd:stop(writer), persistent_term:erase(crowd_churn), ok."
      assert.equal(churn.count_before, churn.count)
      assert.equal(0, calm.collector_reductions_per_sec)
      assert.is_true(churn.collector_reductions_per_sec > 1000)
      assert.is_true(churn.collector_reductions_per_sec > 10 * churn.purger_reductions_per_sec)
    end))

    it("are told from the literals of modules that are loaded anew by the purger's work", live.test(function()
      eval [[crowd:start(compiler, fun() ->
        {ok, M, B} = compile:forms([{attribute, 1, module, leaf}, {attribute, 2, export, [{r, 0}]},
          {function, 3, r, 0, [{clause, 3, [], [], [{string, 3, "something literal"}]}]}]),
        (fun L() -> code:purge(M), code:load_binary(M, "leaf", B), receive stop -> ok after 5 -> L() end end)() end),
        ok.]]
      wait_for "code:is_loaded(leaf) =/= false andalso erlang:check_old_code(leaf)."
      local reload = callback.beam_persistent_term_growth(500)
      eval "crowd:stop(compiler), code:purge(leaf), code:delete(leaf), code:purge(leaf), ok."
      assert.is_true(reload.collector_reductions_per_sec > 1000)
      between(0.5 * reload.collector_reductions_per_sec, reload.purger_reductions_per_sec,
        2 * reload.collector_reductions_per_sec)
    end))
  end)

  it("tell who still runs the old version of a module, and not who went over", live.test(function()
    eval [=[
      Load = fun(Over) -> Forms = [begin {ok, T, _} = erl_scan:string(X), {ok, F} = erl_parse:parse_form(T), F end
          || X <- ["-module(leaf).", "-export([loop/0]).",
            "loop() -> receive renew -> " ++ Over ++ "loop(); stop -> ok end."]],
        {ok, M, B} = compile:forms(Forms), {module, M} = code:load_binary(M, "leaf", B) end,
      Load("leaf:"), register(culprit, spawn(leaf, loop, [])), register(victim, spawn(leaf, loop, [])),
      Load(""), victim ! renew, ok.]=]
    wait_for "element(2, process_info(whereis(victim), message_queue_len)) =:= 0."
    wait_for "not erlang:check_process_code(whereis(victim), leaf, [{allow_gc, false}])."
    local old = callback.beam_old_code()
    local counted = callback.beam_overview(100).old_code_count
    eval [=[ [exit(whereis(X), kill) || X <- [culprit, victim]],
      code:purge(leaf), code:delete(leaf), code:purge(leaf), ok.]=]
    assert.same({ 1, "leaf", 1, "culprit", "leaf:loop/0" }, { counted, old.users[1].module,
      old.users[1].process_count, old.users[1].name, old.users[1].current_function })
    assert.equal(1, #old.users)
  end))

  it("name the modules that were made in the window", live.test(function()
    eval [[crowd:start(compiler, fun() -> (fun L(N) -> M = list_to_atom("leaf_" ++ integer_to_list(N)),
      {ok, M, B} = compile:forms([{attribute, 1, module, M}]), code:load_binary(M, "leaf", B),
      receive stop -> ok after 1 -> L(N + 1) end end)(1) end), ok.]]
    wait_for "code:is_loaded(leaf_1) =/= false."
    local growth = callback.beam_module_growth(500)
    assert.equal(growth.modules - growth.modules_before, growth.born - growth.gone)
    assert.is_true(growth.born >= 1)
    assert.matches("^leaf_%d+$", growth.names[1])
  end))

  it("find the suspended and who suspends them", live.test(function()
    eval [[crowd:start(victim, fun crowd:idle/0), crowd:start(culprit, fun() -> erlang:suspend_process(whereis(victim)),
      crowd:idle() end), ok.]]
    wait_for "element(2, process_info(whereis(victim), status)) =:= suspended."
    local left = callback.beam_leftovers()
    assert.same({ 1, "victim", "suspended" },
      { left.suspended_count, left.suspended[1].name, left.suspended[1].status })
    assert.same({ { pid = pid_of "culprit", suspends = { pid_of "victim" } } }, left.suspenders)
  end))

  it("find a trace of all that is still on, with its flags and its tracer", live.test(function()
    eval [[crowd:start(leader, fun() -> (fun L() -> receive stop -> ok; _ -> L() end end)() end), crowd:start(culprit,
      fun() -> erlang:trace(all, true, [call, {tracer, whereis(leader)}]), crowd:idle() end), ok.]]
    wait_for "element(2, erlang:trace_info(new, flags)) =:= [call]."
    local left = callback.beam_leftovers()
    eval "erlang:trace(all, false, [all])."
    assert.same({ { "call" }, pid_of "leader" }, { left.trace_flags_of_new, left.tracer })
    assert.is_true(left.traced_count > 20)
  end))

  it("find a trace of one process", live.test(function()
    eval [[crowd:start(victim, fun crowd:idle/0), crowd:start(leader, fun crowd:idle/0), crowd:start(culprit,
      fun() -> erlang:trace(whereis(victim), true, [send, {tracer, whereis(leader)}]), crowd:idle() end), ok.]]
    wait_for "element(2, erlang:trace_info(whereis(victim), flags)) =:= [send]."
    local left = callback.beam_leftovers()
    assert.same({ 1, {} }, { left.traced_count, left.trace_flags_of_new })
    assert.same({ { pid = pid_of "victim", flags = { "send" }, tracer = pid_of "leader" } }, left.traced)
  end))

  it("find who is led by the dead", live.test(function()
    eval [[crowd:start(leader, fun crowd:idle/0), G = whereis(leader), crowd:start(victim, fun() -> group_leader(G,
      self()), put(led, true), crowd:idle() end), ok.]]
    wait_for "element(2, process_info(whereis(victim), dictionary)) =:= [{led, true}]."
    assert.equal(0, callback.beam_leftovers().led_by_the_dead_count)
    eval "crowd:stop(leader)."
    local left = callback.beam_leftovers()
    assert.same({ 1, "victim" }, { left.led_by_the_dead_count, left.led_by_the_dead[1].name })
  end))

  it("find modules with old code", live.test(function()
    eval [=[{ok, M, B} = compile:forms([{attribute, 1, module, twice_loaded}]),
      [code:load_binary(M, "twice", B) || _ <- [1, 2]], ok.]=]
    local left = callback.beam_leftovers()
    eval "code:purge(twice_loaded)."
    assert.same({ 1, { "twice_loaded" } }, { left.old_code_count, left.old_code })
    assert.equal(0, callback.beam_leftovers().old_code_count)
  end))

  it("find who holds a lock of global", live.test(function()
    eval [[crowd:start(culprit, fun() -> global:set_lock({shop_leader, self()}), put(held, true), crowd:idle() end),
      ok.]]
    wait_for "element(2, process_info(whereis(culprit), dictionary)) =:= [{held, true}]."
    local left = callback.beam_leftovers()
    assert.same({ 1, { { lock = "shop_leader", holder = pid_of "culprit" } } },
      { left.global_lock_count, left.global_locks })
  end))

  it("count the timers of the timer server, where it runs", live.test(function()
    assert.is_nil(callback.beam_leftovers().timer_server_timers)
    eval "[{ok, _} = timer:apply_after(3600000, erlang, node, []) || _ <- lists:seq(1, 2)], ok."
    assert.equal(2, callback.beam_leftovers().timer_server_timers)
  end))
end)
