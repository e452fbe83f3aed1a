-- The actions on tracers and on connections, done and undone on live nodes.
local A = require("host.etf").A
local async = require "runtime.async"
local entry = require "spec.support.entry"
local live = require "spec.support.live_node"

local at, eval
local open = {}

local function settled(look)
  local deadline = async.now() + 20
  while true do
    local answer = look()
    if answer[1] ~= "not_yet" or async.now() > deadline then return { answer[1], answer[2] } end
    async.sleep(0.02)
  end
end

local function said(answer) return { answer[1], answer[2] } end

-- A tracer of two processes and a third that nobody traces; with what they are traced for.
local TRACE = [=[
  Me = self(),
  Wait = fun() -> receive stop -> ok end end,
  [spawn(fun() -> register(N, self()), Me ! ready, Wait() end) || N <- [first, second, third] ],
  [receive ready -> ok end || _ <- [1, 2, 3] ],
  spawn(fun() -> register(spy, self()),
    erlang:trace(whereis(first), true, [send, 'receive', timestamp]), erlang:trace(whereis(second), true, [call]),
    Me ! ready, (fun Loop() -> receive stop -> ok; {from, F} -> F(), Loop(); _ -> Loop() end end)() end),
  receive ready -> ok end.]=]

local END = [=[
  [begin R = monitor(process, N), exit(whereis(N), kill), receive {'DOWN', R, _, _, _} -> ok end end
    || N <- [first, second, third, spy, other], whereis(N) =/= undefined].]=]

-- What the machine itself says of them: who is traced by the spy, and for what.
local function traced()
  return eval [=[
    [list_to_binary(io_lib:format("~p ~0p", [N, lists:sort(F)])) || N <- [first, second, third],
      {tracer, T} <- [erlang:trace_info(whereis(N), tracer)], T =:= whereis(spy),
      {flags, F} <- [erlang:trace_info(whereis(N), flags)]].]=]
end

local BOTH = { "first ['receive',send,timestamp]", "second [call]" }

describe("the action", function()
  setup(live.test(function()
    at = live.start()
    eval = at.eval
    for _, name in ipairs { "drop_tracer", "trace_again", "disconnect_node", "connect_node" } do
      open[name] = entry.open(at.node, name)
    end
  end))

  teardown(function() live.stop_all() end)

  describe("drop_tracer", function()
    before_each(live.test(function() eval(TRACE) end))
    after_each(live.test(function() eval(END) end))

    it("takes back all that a tracer set, and sets it again for it", live.test(function()
      assert.same(BOTH, traced())
      local args = { process = "spy" }
      local seen, done, after = open.drop_tracer.run(args)
      assert.equal("spy", seen.object)
      assert.equal(2, seen.figures.processes)
      assert.same({ "ok", "nobody of 2 is traced any more" }, said(after))
      assert.same({}, traced())
      local undo = open.drop_tracer.entry.undo(args, done[2])
      assert.same({ name = "trace_again", args = args, given = true }, undo)
      local _, _, back = open.trace_again.run(undo.args, done.before)
      assert.same({ "ok", "2 are traced by it" }, said(back))
      assert.same(BOTH, traced())
    end))

    it("takes back what is set for those that will be started", live.test(function()
      eval [=[
        Me = self(), spy ! {from, fun() -> erlang:trace(new_processes, true, [procs]), Me ! ready end},
        receive ready -> ok end.]=]
      local seen, done = open.drop_tracer.run { process = "spy" }
      assert.is_true(seen.figures.new_ones)
      assert.is_true(eval "erlang:trace_info(new_processes, tracer) =:= {tracer, []}.")
      open.trace_again.run({ process = "spy" }, done.before)
      assert.is_true(eval "erlang:trace_info(new_processes, tracer) =:= {tracer, whereis(spy)}.")
      open.drop_tracer.run { process = "spy" }
    end))

    it("takes back the flags of one traced process only, where that is named", live.test(function()
      local seen, _, after = open.drop_tracer.run { process = "first" }
      assert.same({ "first", "spy", 1 }, { seen.object, seen.figures.tracer, seen.figures.processes })
      assert.same({ "ok", "nobody of 1 is traced any more" }, said(after))
      assert.same({ "second [call]" }, traced())
    end))

    it("takes back what a tracer of all processes has set, itself included", live.test(function()
      eval [=[
        Me = self(), spy ! {from, fun() -> erlang:trace(existing_processes, true, [procs]), Me ! ready end},
        receive ready -> ok end.]=]
      local traces = "length([P || P <- processes(), erlang:trace_info(P, tracer) =:= {tracer, whereis(spy)}])."
      local many = eval(traces)
      local seen = open.drop_tracer.run { process = "spy" }
      assert.is_true(many > 40)
      assert.same({ many, 0 }, { seen.figures.processes, eval(traces) })
    end))

    describe("where over 1,000 are traced", function()
      local FLOOD = [=[
        Me = self(),
        spawn(fun() -> register(other, self()),
          L = [spawn(fun() -> receive stop -> ok end end) || _ <- lists:seq(1, 1500)],
          Me ! ready, receive stop -> [exit(P, kill) || P <- L] end end),
        receive ready -> ok end,
        spy ! {from, fun() -> erlang:trace(existing_processes, true, [procs]), Me ! ready end},
        receive ready -> ok end.]=]

      after_each(live.test(function()
        eval "R = monitor(process, other), other ! stop, receive {'DOWN', R, _, _, _} -> ok end."
      end))

      it("takes all back at once, and keeps no flags", live.test(function()
        eval(FLOOD)
        local args = { process = "spy" }
        local seen, done, after = open.drop_tracer.run(args)
        assert.is_true(seen.figures.processes > 1500)
        assert.equal("ok", after[1])
        assert.equal(0, eval "length([P || P <- processes(), erlang:trace_info(P, tracer) =/= {tracer, []}]).")
        assert.matches("^over 1,000 were traced", open.drop_tracer.entry.undo(args, done[2]))
      end))

      it("refuses while somebody else traces too, whose flags would go with them", live.test(function()
        eval "erlang:trace(whereis(third), true, [send, {tracer, whereis(second)}])."
        eval(FLOOD)
        assert.matches("^it traces over 1,000, and others trace too", open.drop_tracer.preview({ process = "spy" })[2])
        assert.is_true(eval "erlang:trace_info(whereis(third), tracer) =:= {tracer, whereis(second)}.")
        eval "erlang:trace(whereis(third), false, [all])."
      end))
    end)

    it("leaves it when another traces by now", live.test(function()
      local seen = open.drop_tracer.preview { process = "first" }
      eval [=[
        Me = self(), erlang:trace(whereis(first), false, [all]),
        spawn(fun() -> register(other, self()), erlang:trace(whereis(first), true, [send]), Me ! ready,
          receive stop -> ok end end), receive ready -> ok end.]=]
      assert.same({ "changed", "somebody else traces now" },
        said(open.drop_tracer.deed({ process = "first" }, seen.identity)))
      assert.is_true(eval "erlang:trace_info(whereis(first), tracer) =:= {tracer, whereis(other)}.")
    end))

    it("does nothing when the tracer has ended, for then the machine has dropped it", live.test(function()
      local seen = open.drop_tracer.preview { process = "spy" }
      eval "R = monitor(process, spy), exit(whereis(spy), kill), receive {'DOWN', R, _, _, _} -> ok end."
      assert.equal("changed", open.drop_tracer.deed({ process = "spy" }, seen.identity)[1])
    end))

    it("sets nothing again for a tracer that has ended", live.test(function()
      local _, done = open.drop_tracer.run { process = "spy" }
      eval "R = monitor(process, spy), exit(whereis(spy), kill), receive {'DOWN', R, _, _, _} -> ok end."
      assert.same({ "refused", "the tracer has ended" },
        said(open.trace_again.preview({ process = "spy" }, done.before)))
    end))

    it("leaves whom another traces by now to that one when it is undone", live.test(function()
      local _, done = open.drop_tracer.run { process = "spy" }
      eval [=[
        Me = self(),
        spawn(fun() -> register(other, self()), erlang:trace(whereis(first), true, [call]), Me ! ready,
          receive stop -> ok end end), receive ready -> ok end.]=]
      open.trace_again.run({ process = "spy" }, done.before)
      assert.is_true(eval "erlang:trace_info(whereis(first), tracer) =:= {tracer, whereis(other)}.")
      assert.same({ "second [call]" }, traced())
    end))

    it("refuses our own trace, and who neither traces nor is traced", live.test(function()
      assert.equal("it is neither traced nor does it trace anybody",
        open.drop_tracer.preview({ process = "third" })[2])
      eval "Me = self(), spy ! {from, fun() -> put('$beamlens', relay), Me ! ready end}, receive ready -> ok end."
      assert.equal("this is not done: the trace is our own; trace_stop ends it",
        open.drop_tracer.preview({ process = "spy" })[2])
      assert.same(BOTH, traced())
    end))
  end)

  describe("disconnect_node", function()
    local name

    setup(live.test(function()
      name = eval [=[
        Me = self(),
        spawn(fun() -> {ok, _, N} = peer:start(#{name => other_shop, host => "127.0.0.1", connection => standard_io,
            args => ["-start_epmd", "false", "-kernel", "inet_dist_use_interface", "{127,0,0,1}"]}),
          Me ! {peer, N}, receive stop -> ok end end),
        receive {peer, N} -> atom_to_binary(N) end.]=]
    end))

    local function connected() return eval("lists:member(N, nodes()).", { N = A[name] }) end

    before_each(live.test(function()
      eval("(fun W() -> case net_kernel:connect_node(N) of true -> ok; _ -> W() end end)().", { N = A[name] })
    end))

    it("cuts the connection, and connects it again", live.test(function()
      local args = { node = name }
      local seen, done = open.disconnect_node.run(args)
      assert.same({ name, "visible" }, { seen.object, seen.figures.type })
      assert.same({ "ok", "it is not connected any more" },
        settled(function() return open.disconnect_node.after(args, seen.identity, done.before) end))
      assert.is_false(connected())
      local undo = open.disconnect_node.entry.undo(args, done[2])
      assert.same({ name = "connect_node", args = args, given = true }, undo)
      local again, deed = open.connect_node.run(undo.args, done.before)
      assert.same({ "ok", "it is connected" },
        settled(function() return open.connect_node.after(args, again.identity, deed.before) end))
      assert.is_true(connected())
    end))

    it("leaves a connection that was made anew since", live.test(function()
      local seen = open.disconnect_node.preview { node = name }
      eval([=[
        erlang:disconnect_node(N), (fun W() -> case lists:member(N, nodes()) of true -> W(); _ -> ok end end)(),
        (fun W() -> case net_kernel:connect_node(N) of true -> ok; _ -> W() end end)().]=], { N = A[name] })
      assert.same({ "changed", "it was connected anew since" },
        said(open.disconnect_node.deed({ node = name }, seen.identity)))
      assert.is_true(connected())
    end))

    it("refuses our own connection, and a node that is not connected", live.test(function()
      local us = at.node.link.session.name
      assert.equal("this is not done: it is our own connection", open.disconnect_node.preview({ node = us })[2])
      assert.equal("the node is not connected to any node of this name",
        open.disconnect_node.preview({ node = "nobody@127.0.0.1" })[2])
    end))

    it("connects no node that was not disconnected by an action", live.test(function()
      assert.equal("only a node that an action disconnected is connected again",
        open.connect_node.preview({ node = name })[2])
    end))
  end)
end)
