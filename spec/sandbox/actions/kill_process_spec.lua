-- Killing one process on a live node: exactly that one, never one of the system, and what comes of it is told.
local A = require("host.etf").A
local async = require "runtime.async"
local crowd = require "spec.support.crowd"
local entry = require "spec.support.entry"
local live = require "spec.support.live_node"

local at, kill, eval

-- A supervisor of three workers: one without a name, one named, one whose id is a tuple.
local SHOP = [=[
  Kept = fun(Spec) -> Spec#{restart => Restart} end,
  grove:plant(Sup, #{strategy => Strategy, intensity => 50}, [Kept(grove:worker(first)),
    Kept(grove:named(second, list_to_atom(atom_to_list(Sup) ++ "_second"))), Kept(grove:worker({third, 3}))]).]=]

local function shop(sup, strategy, restart)
  eval(SHOP, { Sup = A[sup], Strategy = A[strategy], Restart = A[restart] })
end

local function pid_of(name) return eval("list_to_binary(pid_to_list(whereis(Name))).", { Name = A[name] }) end

-- What the look after a deed says at last, within the patience of a slow machine.
local function settled(look)
  local deadline = async.now() + 20
  while true do
    local answer = look()
    if answer[1] ~= "not_yet" or async.now() > deadline then return answer end
    async.sleep(0.02)
  end
end

local function spawned(text)
  return eval(("Me = self(), P = spawn(fun() -> %s end), receive ready -> ok end, list_to_binary(pid_to_list(P)).")
    :format(text))
end

local function alive(pid)
  return eval("is_process_alive(list_to_pid(binary_to_list(P))).", { P = pid })
end

describe("the action kill_process", function()
  setup(live.test(function()
    at = live.start()
    eval = at.eval
    kill = entry.open(at.node, "kill_process")
    crowd.load(at, "grove")
  end))

  teardown(function() live.stop_all() end)

  it("kills the process that was shown, and says that nobody starts it again", live.test(function()
    local pid = spawned "Me ! ready, receive stop -> ok end"
    local seen, done, after = kill.run { process = pid }
    assert.equal(pid, seen.object)
    assert.equal("nobody starts it again: it has no supervisor", seen.figures.restart)
    assert.equal("done", done[1])
    assert.is_false(alive(pid))
    assert.same({ "ok", "it has ended, and nobody starts it again" }, { after[1], after[2] })
  end))

  it("shows what is lost: its queue, its tables, and who ends with it", live.test(function()
    local pid = spawned [[
      ets:new(a, []), ets:new(b, []), spawn_link(fun() -> receive stop -> ok end end),
      [self() ! N || N <- lists:seq(1, 9780)], Me ! ready, receive stop -> ok end]]
    local seen = kill.preview { process = pid }
    assert.equal("what it was doing; 9,780 messages in its queue; 2 ETS tables that it owns; "
      .. "1 linked to it that do not trap exits, and who is linked to those", seen.figures.lost)
    assert.equal(9780, seen.figures.message_queue)
    assert.equal(1, seen.figures.links)
  end))

  it("tells that its supervisor starts it again, and sees it do so", live.test(function()
    shop("counter", "one_for_one", "permanent")
    local was = pid_of "counter_second"
    local args = { process = "counter_second" }
    local seen, done = kill.run(args)
    assert.equal("counter", seen.figures.supervisor)
    assert.equal("permanent: its supervisor starts it again", seen.figures.restart)
    assert.equal("grove:be/1", seen.figures.what)
    local after = settled(function() return kill.after(args, seen.identity, done[2]) end)
    assert.same({ "ok", "it has ended, and runs again as " .. pid_of "counter_second" }, { after[1], after[2] })
    assert.is_false(was == pid_of "counter_second")
  end))

  it("finds one without a name again by its id with the supervisor", live.test(function()
    shop("nameless", "one_for_one", "permanent")
    local child = "list_to_binary(pid_to_list(grove:child(nameless, {third, 3})))."
    local pid = eval(child)
    local args = { process = pid }
    local seen, done = kill.run(args)
    local after = settled(function() return kill.after(args, seen.identity, done[2]) end)
    assert.same({ "ok", "it has ended, and runs again as " .. eval(child) }, { after[1], after[2] })
  end))

  it("says who else is restarted where all are for one", live.test(function()
    shop("together", "one_for_all", "permanent")
    local seen = kill.preview { process = "together_second" }
    assert.equal("permanent: its supervisor starts it again, and 2 others with it (one_for_all)", seen.figures.restart)
    assert.matches("2 others of its supervisor, restarted with it$", seen.figures.lost)
  end))

  it("counts under rest_for_one only those that were started later", live.test(function()
    shop("inline", "rest_for_one", "permanent")
    local seen = kill.preview { process = "inline_second" }
    assert.equal("permanent: its supervisor starts it again, and 1 other with it (rest_for_one)",
      seen.figures.restart)
  end))

  it("warns when the supervisor would end by it, and says so when it did", live.test(function()
    eval "grove:plant(frail, #{intensity => 1, period => 600}, [grove:named(one, frail_one)])."
    local args = { process = "frail_one" }
    assert.equal("permanent: its supervisor starts it again", kill.preview(args).figures.restart)
    eval [[
      P = whereis(frail_one), exit(P, kill),
      grove:until(fun() -> Q = whereis(frail_one), is_pid(Q) andalso Q =/= P end).]]
    local seen, done = kill.run(args)
    assert.equal("permanent: its supervisor starts it again, but it had 1 restart in 600 seconds and allows 1: with "
      .. "this one it ends, and all its children", seen.figures.restart)
    eval "grove:until(fun() -> whereis(frail) =:= undefined end)."
    local after = kill.after(args, seen.identity, done.before)
    assert.same({ "not_yet", "it has ended, and its supervisor too" }, { after[1], after[2] })
  end))

  it("says of a temporary child that nobody starts it again", live.test(function()
    shop("passing", "one_for_one", "temporary")
    local figures = kill.preview({ process = "passing_second" }).figures
    assert.equal("nobody starts it again: it is temporary", figures.restart)
  end))

  it("says of a transient one that it depends on the reason", live.test(function()
    shop("moody", "one_for_one", "transient")
    local function way(reason) return kill.preview({ process = "moody_second", reason = reason }).figures.restart end
    assert.equal("transient: its supervisor starts it again", way "kill")
    assert.equal("nobody starts it again: it is transient, and shutdown is a normal end", way "shutdown")
  end))

  it("lets one that traps exits refuse a shutdown, and says so", live.test(function()
    local pid = spawned "process_flag(trap_exit, true), Me ! ready, receive stop -> ok end"
    local _, done, after = kill.run { process = pid, reason = "shutdown" }
    assert.equal("done", done[1])
    assert.is_true(alive(pid))
    assert.same({ "not_yet", "it has not ended: it traps exits, so it may refuse shutdown; kill ends it" },
      { after[1], after[2] })
  end))

  it("kills one that keeps a large dictionary, for that may be what is wrong with it", live.test(function()
    local pid = spawned [[
      put(kept, lists:seq(1, 1500000)), erlang:garbage_collect(), Me ! ready, receive stop -> ok end]]
    local _, done = kill.run { process = pid }
    assert.same({ "done", false }, { done[1], alive(pid) })
  end))

  it("takes names of any script, and shows them as they are", live.test(function()
    eval [[
      Me = self(), U = list_to_atom([1057, 1082, 1083, 1072, 1076]),
      spawn(fun() -> register(U, self()), Me ! ready, receive stop -> ok end end), receive ready -> ok end.]]
    local seen, _, after = kill.run { process = "Склад" }
    assert.same({ "Склад", "ok" }, { seen.object, after[1] })
  end))

  it("kills nobody when another has taken the name", live.test(function()
    shop("again", "one_for_one", "permanent")
    local seen = kill.preview { process = "again_second" }
    eval [[
      P = whereis(again_second), R = monitor(process, P), exit(P, kill), receive {'DOWN', R, _, _, _} -> ok end,
      (fun Wait() -> case whereis(again_second) of undefined -> Wait(); Q -> Q end end)(), ok.]]
    local now = pid_of "again_second"
    local done = kill.deed({ process = "again_second" }, seen.identity)
    assert.same({ "changed", "the process is gone" }, { done[1], done[2] })
    assert.equal(now, pid_of "again_second")
    assert.is_true(alive(now))
  end))

  it("kills nobody when the name was given to another while the first lives", live.test(function()
    local pid = spawned "register(lent, self()), Me ! ready, receive stop -> ok end"
    local seen = kill.preview { process = "lent" }
    local other = spawned "unregister(lent), register(lent, self()), Me ! ready, receive stop -> ok end"
    local done = kill.deed({ process = "lent" }, seen.identity)
    assert.same({ "changed", "another process goes by this name now" }, { done[1], done[2] })
    assert.same({ true, true }, { alive(pid), alive(other) })
  end))

  it("kills nobody who has the pid and has done less than the one that was shown", live.test(function()
    local pid = spawned "Me ! ready, receive stop -> ok end"
    local seen = kill.preview { process = pid }
    seen.identity[7] = seen.identity[7] + 1000000
    local done = kill.deed({ process = pid }, seen.identity)
    assert.same({ "changed", "another process has this pid now" }, { done[1], done[2] })
    assert.is_true(alive(pid))
  end))

  it("kills nobody who has the pid and was started with something else", live.test(function()
    local pid = spawned "Me ! ready, receive stop -> ok end"
    local seen = kill.preview { process = pid }
    seen.identity[4] = require("host.etf").tuple(A.erlang, A.apply, 3)
    assert.equal("changed", kill.deed({ process = pid }, seen.identity)[1])
    assert.is_true(alive(pid))
  end))

  for _, name in ipairs { "init", "kernel_sup", "application_controller", "code_server", "logger", "file_server_2",
    "erts_code_purger", "rex", "net_kernel", "global_name_server", "user", "erl_prim_loader", "inet_db",
    "global_group", "kernel_safe_sup", "logger_std_h_default" } do
    it("refuses to kill " .. name, live.test(function()
      local seen = kill.preview { process = name }
      assert.same({ "refused", "this is not done: it is of the system itself, without which the node does not go on" },
        { seen[1], seen[2] })
    end))
  end

  it("refuses whatever has no name and stands below kernel_sup, or is the machine's own", live.test(function()
    local pids = eval [[
      [list_to_binary(pid_to_list(P)) || P <- processes(), process_info(P, registered_name) =:= [],
        P =/= self(), case process_info(P, initial_call) of
          {_, {erlang, apply, 2}} -> false; {_, {proc_lib, _, _}} ->
            lists:member(application:get_application(P), [{ok, kernel}, {ok, stdlib}]);
          _ -> true end].]]
    local spared = {}
    for _, pid in ipairs(pids) do
      local seen = kill.preview { process = pid }
      spared[#spared + 1] = seen.identity and pid or nil
    end
    assert.is_true(#pids >= 10)
    assert.same({}, spared)
  end))

  it("refuses our own question and our own relays", live.test(function()
    local relay = spawned "put('$beamlens', relay), Me ! ready, receive stop -> ok end"
    local seen = kill.preview { process = relay }
    assert.equal("this is not done: it is one of our own, which ends by itself", seen[2])
  end))

  it("refuses who leads an application", live.test(function()
    eval [=[
      ok = application:load({application, orchard, [{vsn, "1"}, {modules, []}, {registered, []},
        {applications, [kernel]}, {mod, {grove, []}}]}),
      ok = application:start(orchard).]=]
    local seen = kill.preview { process = "orchard_top" }
    assert.matches("^this is not done: it leads an application", seen[2])
    local above = eval [=[
      {parent, Starter} = process_info(whereis(orchard_top), parent), {_, Master} = process_info(Starter, group_leader),
      [list_to_binary(pid_to_list(P)) || P <- [Starter, Master] ].]=]
    for _, pid in ipairs(above) do
      assert.matches("^this is not done: it leads an application", kill.preview({ process = pid })[2])
    end
    assert.equal("orchard_second", kill.preview({ process = "orchard_second" }).object)
  end))

  it("does not take for the system's what a person started in the node's own shell", live.test(function()
    eval [=[
      Led = fun(Name, Leader) ->
        {ok, P} = supervisor:start_child(kernel_safe_sup, #{id => Name, restart => temporary,
          start => {grove, known, [Name]}}),
        group_leader(Leader, P),
        grove:until(fun() -> process_info(P, group_leader) =:= {group_leader, Leader} end) end,
      Led(below_kernel, whereis(user)),
      Led(in_shell, spawn(group, server, [spawn(grove, wait, []), {erlang, spawn, [grove, wait, []]}, [] ])).]=]
    assert.equal("this is not done: it stands below kernel_sup, so it is of the system itself",
      kill.preview({ process = "below_kernel" })[2])
    local seen = kill.preview { process = "in_shell" }
    assert.equal("in_shell", seen.object, seen[2])
  end))

  it("refuses in the deed too what it refuses to show", live.test(function()
    local pid = spawned "Me ! ready, receive stop -> ok end"
    local seen = kill.preview { process = pid }
    seen.identity[2] = eval "whereis(rex)."
    assert.equal("refused", kill.deed({ process = "rex" }, seen.identity)[1])
    assert.is_true(eval "is_pid(whereis(rex)).")
  end))
end)
