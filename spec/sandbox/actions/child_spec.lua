-- A supervisor's child ended, started again, and told from another that has its id, on a live node.
local A = require("host.etf").A
local async = require "runtime.async"
local crowd = require "spec.support.crowd"
local entry = require "spec.support.entry"
local live = require "spec.support.live_node"

local at, eval, restart, terminate

local PLANT = [=[
  Kept = fun(Spec) -> Spec#{restart => Restart} end,
  grove:plant(Sup, #{intensity => 50}, [Kept(grove:worker(first)), Kept(grove:worker({second, 2.0}))]).]=]

local function plant(name, kind) eval(PLANT, { Sup = A[name], Restart = A[kind or "permanent"] }) end

-- What the supervisor itself says of a child now: its pid as text, or undefined.
local function child(sup, id)
  return eval(([=[X = case lists:keyfind(%s, 1, supervisor:which_children(%s)) of
    {_, P, _, _} when is_pid(P) -> list_to_binary(pid_to_list(P)); {_, P, _, _} -> atom_to_binary(P);
    false -> list_to_binary("forgotten") end, X.]=]):format(id, sup))
end

local function settled(look)
  local deadline = async.now() + 20
  while true do
    local answer = look()
    if answer[1] ~= "not_yet" or async.now() > deadline then return { answer[1], answer[2] } end
    async.sleep(0.02)
  end
end

describe("the actions on a supervisor's child", function()
  setup(live.test(function()
    at = live.start()
    eval = at.eval
    terminate, restart = entry.open(at.node, "terminate_child"), entry.open(at.node, "restart_child")
    crowd.load(at, "grove")
  end))

  teardown(function() live.stop_all() end)

  it("end it in order, and it stays ended", live.test(function()
    plant "oak"
    local args = { supervisor = "oak", child = "first" }
    local seen, done = terminate.run(args)
    assert.equal("oak/first", seen.object)
    assert.equal("permanent", seen.figures.restart)
    assert.same({ "ok", "it has ended, and stays so until somebody starts it" },
      settled(function() return terminate.after(args, seen.identity, done[2]) end))
    assert.equal("undefined", child("oak", "first"))
  end))

  it("undo that by starting it again", live.test(function()
    plant "ash"
    local args = { supervisor = "ash", child = "first" }
    local _, done = terminate.run(args)
    local undo = terminate.entry.undo(args, done[2])
    assert.same({ name = "restart_child", args = args }, undo)
    local seen, again = restart.run(undo.args)
    assert.equal("nothing: it does not run", seen.figures.lost)
    assert.same({ "ok", "it runs as " .. child("ash", "first") },
      settled(function() return restart.after(args, seen.identity, again[2]) end))
    assert.same({ name = "terminate_child", args = args }, restart.entry.undo(undo.args, again[2]))
  end))

  it("restart it as another process, and leave its sibling alone", live.test(function()
    plant "elm"
    local was, other = child("elm", "first"), child("elm", "{second, 2.0}")
    local args = { supervisor = "elm", child = "first" }
    local seen, done = restart.run(args)
    local after = settled(function() return restart.after(args, seen.identity, done[2]) end)
    assert.same({ "ok", "it runs as " .. child("elm", "first") }, after)
    assert.is_false(was == child("elm", "first"))
    assert.equal(other, child("elm", "{second, 2.0}"))
    assert.matches("^the state that it had is lost", restart.entry.undo(args, done[2]))
  end))

  it("name it by whatever id it has, or by its pid", live.test(function()
    plant "fir"
    assert.equal("fir/{second,2.0}", restart.preview({ supervisor = "fir", child = "{second,2.0}" }).object)
    local pid = child("fir", "{second, 2.0}")
    local args = { supervisor = "fir", child = pid }
    local seen, done = terminate.run(args)
    assert.equal("fir/{second,2.0}", seen.object)
    assert.equal("ok", settled(function() return terminate.after(args, seen.identity, done[2]) end)[1])
    assert.same({ supervisor = "fir", child = "{second,2.0}" }, terminate.entry.undo(args, done[2]).args)
  end))

  it("do nothing when it was started again in between", live.test(function()
    plant "yew"
    local args = { supervisor = "yew", child = "first" }
    local seen = terminate.preview(args)
    eval [[
      P = grove:child(yew, first), exit(P, kill),
      grove:until(fun() -> Q = grove:child(yew, first), is_pid(Q) andalso Q =/= P end).]]
    local now = child("yew", "first")
    for _, action in ipairs { terminate, restart } do
      local done = action.deed(args, seen.identity)
      assert.same({ "changed", "the child was started again or ended since" }, { done[1], done[2] })
    end
    assert.equal(now, child("yew", "first"))
  end))

  it("do nothing when another process has the pid of the child", live.test(function()
    plant "gum"
    local args = { supervisor = "gum", child = "first" }
    local seen, now = terminate.preview(args), child("gum", "first")
    seen.identity[6][7] = seen.identity[6][7] + 1000000
    for _, action in ipairs { terminate, restart } do
      local done = action.deed(args, seen.identity)
      assert.same({ "changed", "another process has this pid now" }, { done[1], done[2] })
    end
    assert.equal(now, child("gum", "first"))
  end))

  it("do nothing when its supervisor is another process by that name", live.test(function()
    plant "box"
    local args = { supervisor = "box", child = "first" }
    local seen = terminate.preview(args)
    eval "grove:fell(box), ok."
    plant "box"
    local done = terminate.deed(args, seen.identity)
    assert.same({ "changed", "the child was started again or ended since" }, { done[1], done[2] })
    assert.matches("^<", child("box", "first"))
  end))

  it("do nothing when the id stands for another specification now", live.test(function()
    plant "may"
    local args = { supervisor = "may", child = "first" }
    eval "supervisor:terminate_child(may, first)."
    local seen = restart.preview(args)
    eval [[
      supervisor:delete_child(may, first),
      {ok, undefined} = supervisor:start_child(may, grove:worker(first, absent)).]]
    local done = restart.deed(args, seen.identity)
    assert.same({ "changed", "the child has another specification now" }, { done[1], done[2] })
    assert.equal("undefined", child("may", "first"))
  end))

  it("say of a temporary child that it is gone for good", live.test(function()
    plant("ivy", "temporary")
    local args = { supervisor = "ivy", child = "first" }
    local seen, done = terminate.run(args)
    assert.equal("its specification goes with it: it cannot be started again from here", seen.figures["then"])
    assert.equal("ok", settled(function() return terminate.after(args, seen.identity, done[2]) end)[1])
    assert.matches("^its supervisor has forgotten it", terminate.entry.undo(args, done[2]))
    assert.equal("forgotten", child("ivy", "first"))
  end))

  it("refuse to restart a temporary one, which could not come back", live.test(function()
    plant("fig", "temporary")
    local seen = restart.preview { supervisor = "fig", child = "first" }
    assert.matches("^a temporary or dynamic child is forgotten when it ends", seen[2])
  end))

  it("end a child of a simple_one_for_one supervisor by its pid", live.test(function()
    local pid = eval [=[
      grove:plant(sow, #{strategy => simple_one_for_one}, [grove:worker(x)]),
      {ok, _} = supervisor:start_child(sow, []), {ok, P} = supervisor:start_child(sow, []),
      list_to_binary(pid_to_list(P)).]=]
    local args = { supervisor = "sow", child = pid }
    local seen, done = terminate.run(args)
    assert.equal("sow/" .. pid, seen.object)
    assert.same({ "ok", "it has ended, and stays so until somebody starts it" },
      settled(function() return terminate.after(args, seen.identity, done[2]) end))
    assert.equal(1, eval "proplists:get_value(active, supervisor:count_children(sow)).")
    assert.equal("string", type(terminate.entry.undo(args, done[2])))
  end))

  it("say what the supervisor said when it could not start it", live.test(function()
    eval [=[
      persistent_term:put(grove_once, free), grove:plant(rue, #{intensity => 50}, [grove:worker(first, once)]).]=]
    local args = { supervisor = "rue", child = "first" }
    local seen, done = restart.run(args)
    assert.same({ "failed", "the supervisor could not start it, so it does not run now; it said: taken" },
      settled(function() return restart.after(args, seen.identity, done[2]) end))
    assert.equal("undefined", child("rue", "first"))
  end))

  it("tell after a crash of ours what became of it, without what the deed had said", live.test(function()
    plant "asp"
    local args = { supervisor = "asp", child = child("asp", "first") }
    local seen = restart.preview(args)
    assert.equal("not_yet", restart.after(args, seen.identity, A.unknown)[1])
    restart.deed(args, seen.identity)
    assert.same({ "ok", "it runs as " .. child("asp", "first") },
      settled(function() return restart.after(args, seen.identity, A.unknown) end))
  end))

  it("refuse children of the system", live.test(function()
    local seen = terminate.preview { supervisor = "kernel_sup", child = "rex" }
    assert.same({ "refused", "this is not done: it is of the system itself, without which the node does not go on" },
      { seen[1], seen[2] })
    assert.is_true(eval "is_pid(whereis(rex)).")
  end))

  it("refuse a process that is no supervisor, and an id that no child has", live.test(function()
    plant "bay"
    local pid = child("bay", "first")
    assert.equal("that process is no supervisor", terminate.preview({ supervisor = pid, child = "x" })[2])
    assert.equal("that supervisor has no such child now; sup_children shows their ids",
      terminate.preview({ supervisor = "bay", child = "third" })[2])
    assert.equal("this child does not run now", (function()
      eval "supervisor:terminate_child(bay, first)."
      return terminate.preview({ supervisor = "bay", child = "first" })[2]
    end)())
  end))

  it("ask nothing of a supervisor that is busy starting another", live.test(function()
    eval [=[
      grove:plant(stuck, #{}, [grove:worker(first)]),
      spawn(fun() -> supervisor:start_child(stuck, grove:worker(late, slow)) end),
      grove:until(fun() -> element(2, process_info(whereis(stuck), current_function)) =:= {proc_lib, sync_start_link, 2}
        orelse element(2, process_info(whereis(stuck), current_function)) =:= {grove, slow, 0} end).]=]
    assert.equal("the supervisor does not answer within a second; ask again when it does",
      terminate.preview({ supervisor = "stuck", child = "first" })[2])
    eval "whereis(stuck) ! go, ok."
  end))
end)
