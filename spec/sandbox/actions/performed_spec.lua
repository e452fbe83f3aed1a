-- Every action as a person has it done: proposed, approved, done, looked after, and undone by the action that its undo
-- proposes. What holds on the node is asked by another road each time.
local action_entry = require "runtime.action_entry"
local actions = require "runtime.actions"
local approval = require "runtime.approval"
local async = require "runtime.async"
local crowd = require "spec.support.crowd"
local live = require "spec.support.live_node"
local state_home = require "spec.support.state_home"

-- A crash of ours may leave nobody to know whether it was done: `blind` is what the look after it says then.
-- `make` puts there what it is done to; `done` and `undone` are Erlang that is true afterwards, once the node had time
-- to get there. What cannot be undone says so in `never`. `undo` is the action that undoes it.
local CASES = {
  kill_process = {
    make = [[grove:plant(oak, #{}, [grove:named(acorn, acorn)]), persistent_term:put(was, whereis(acorn)).]],
    args = { process = "acorn" }, object = "acorn",
    done = "not is_process_alive(persistent_term:get(was)) andalso is_pid(whereis(acorn)).",
    never = "cannot be undone: a process that ended cannot be brought back",
  },
  terminate_child = {
    make = "grove:plant(ash, #{}, [grove:named(key, ashkey)]).",
    args = { supervisor = "ash", child = "key" }, object = "ash/key",
    done = "grove:child(ash, key) =:= undefined.",
    undo = "restart_child", undone = "grove:child(ash, key) =:= whereis(ashkey).",
  },
  restart_child = {
    make = [[grove:plant(elm, #{}, [grove:worker(leaf)]), supervisor:terminate_child(elm, leaf).]],
    args = { supervisor = "elm", child = "leaf" }, object = "elm/leaf",
    done = "is_pid(grove:child(elm, leaf)).",
    undo = "terminate_child", undone = "grove:child(elm, leaf) =:= undefined.",
  },
  flush_table = {
    make = "grove:keep(cache, [{N, 2.0} || N <- lists:seq(1, 500)]).",
    args = { table = "cache" }, object = "cache",
    done = "ets:info(cache, size) =:= 0.",
    undo = "put_back", undone = "lists:sort(ets:tab2list(cache)) =:= [{N, 2.0} || N <- lists:seq(1, 500)].",
  },
  trim_table = {
    make = "grove:keep(events, [{N, N} || N <- lists:seq(1, 100)]).",
    args = { table = "events", limit = 1000, field = 2, below = 41 }, object = "events",
    done = "lists:sort(ets:tab2list(events)) =:= [{N, N} || N <- lists:seq(41, 100)].",
    undo = "put_back", undone = "ets:info(events, size) =:= 100.",
  },
  gc_process = {
    make = [[Me = self(), spawn(fun() -> register(hoarder, self()), lists:seq(1, 500000), Me ! ready,
      receive stop -> ok end end), receive ready -> ok end.]],
    args = { process = "hoarder" }, object = "hoarder", blind = "failed",
    done = "element(2, process_info(whereis(hoarder), memory)) < 100000.",
    never = "cannot be undone: a collection cannot be undone",
  },
  gc_holders = {
    make = [[Me = self(), spawn(fun() -> register(holder, self()),
      [binary:copy(<<0>>, 1000000) || _ <- lists:seq(1, 20)], Me ! ready, receive stop -> ok end end),
      receive ready -> ok end.]],
    args = { limit = 3 }, object = "bl_spec@127.0.0.1", blind = "failed",
    done = "erlang:process_info(whereis(holder), binary) =:= {binary, []}.",
    never = "cannot be undone: a collection cannot be undone",
  },
  set_log_level = {
    make = "logger:set_module_level(lists, warning).",
    args = { level = "debug", module = "lists" }, object = "lists",
    done = "logger:get_module_level(lists) =:= [{lists, debug}].",
    undo = "set_log_level", undone = "logger:get_module_level(lists) =:= [{lists, warning}].",
  },
  set_system_flag = {
    make = "erlang:system_flag(fullsweep_after, 1000).",
    args = { flag = "fullsweep_after", value = 50 }, object = "fullsweep_after",
    done = "erlang:system_info(fullsweep_after) =:= {fullsweep_after, 50}.",
    undo = "set_system_flag", undone = "erlang:system_info(fullsweep_after) =:= {fullsweep_after, 1000}.",
  },
  resume_process = {
    make = [[Me = self(), spawn(fun() -> gen_event:start({local, ticker}), sys:suspend(ticker), Me ! ready end),
      receive ready -> ok end.]],
    args = { process = "ticker" }, object = "ticker",
    done = "element(1, element(2, process_info(whereis(ticker), current_function))) =/= sys.",
    undo = "suspend_process",
    undone = "element(2, process_info(whereis(ticker), current_function)) =:= {sys, suspend_loop, 6}.",
  },
  drop_tracer = {
    make = [[Me = self(), spawn(fun() -> register(seen, self()), Me ! ready, receive stop -> ok end end),
      receive ready -> ok end,
      spawn(fun() -> register(spy, self()), erlang:trace(whereis(seen), true, [send]), Me ! ready,
        receive stop -> ok end end), receive ready -> ok end.]],
    args = { process = "spy" }, object = "spy",
    done = "erlang:trace_info(whereis(seen), tracer) =:= {tracer, []}.",
    undo = "trace_again", undone = "erlang:trace_info(whereis(seen), tracer) =:= {tracer, whereis(spy)}.",
  },
  disconnect_node = {
    make = [[Me = self(),
      spawn(fun() -> {ok, _, N} = peer:start(#{name => other_shop, host => "127.0.0.1", connection => standard_io,
          args => ["-start_epmd", "false", "-kernel", "inet_dist_use_interface", "{127,0,0,1}"]}),
        Me ! {peer, N}, receive stop -> ok end end),
      receive {peer, N} -> true = net_kernel:connect_node(N) end.]],
    args = { node = "other_shop@127.0.0.1" }, object = "other_shop@127.0.0.1",
    done = "not lists:member('other_shop@127.0.0.1', nodes()).",
    undo = "connect_node", undone = "lists:member('other_shop@127.0.0.1', nodes()).",
  },
}

local at, store

local function holds(expression)
  local deadline = async.now() + 20
  while not at.eval(expression) do
    if async.now() > deadline then return false end
    async.sleep(0.02)
  end
  return true
end

-- What a person has done.
local function do_it(name, args, given)
  local p = assert(actions.propose(at.node, name, args, { store = store, by = { kind = "person" }, given = given }))
  assert(actions.same(at.node, p))
  local approved = assert(actions.approve(p, assert(approval.key {})))
  local outcome = assert(actions.perform(at.node, approved, { kind = "person" }))
  return assert(actions.get(store, p.id)), outcome
end

-- How it ends: undone, and seen to have been; or with words.
local function undone(case, p)
  local undo = assert(actions.undoing(p))
  assert.equal(case.undo, undo.name)
  local _, outcome = do_it(undo.name, undo.args, undo.given)
  assert.equal("verified", outcome.state, outcome.message)
  assert.is_true(holds(case.undone), case.undone)
end

local function final(case, p)
  local undo, err = actions.undoing(p)
  assert.is_nil(undo)
  assert.matches(case.never, err.message)
end

for _, case in pairs(CASES) do case.ends = case.undo and undone or final end

describe("an action that a person approved", function()
  setup(live.test(function()
    state_home.open()
    store = assert(actions.store {})
    at = live.start()
    crowd.load(at, "grove")
  end))

  teardown(function()
    live.stop_all()
    state_home.close()
  end)

  for name, case in pairs(CASES) do
    it(("is done and seen to have been: %s; %s"):format(name, case.undo and "and undone by " .. case.undo
      or "and says why it cannot be undone"), live.test(function()
      at.eval(case.make)
      local p, outcome = do_it(name, case.args)
      assert.same({ "verified", case.object }, { outcome.state, p.object }, outcome.message)
      assert.is_true(holds(case.done), case.done)
      local blind = { arguments = p.arguments, identity = p.identity }
      local answer = assert(action_entry.ask(at.node, assert(actions.find(name)), "after", blind))
      assert.equal(case.blind or "ok", (action_entry.tagged(answer)))
      case.ends(case, p)
    end))
  end

  it("is each one that a model may propose", function()
    local open, tried = {}, {}
    for _, e in ipairs(actions.entries()) do open[e.name] = not e.undo_only or nil end
    for name in pairs(CASES) do tried[name] = true end
    open.run_runbook = nil -- whose steps are these actions: its own spec does them
    assert.same(tried, open)
  end)
end)
