local control = require "runtime.node.control"
local etf = require "host.etf"
local live = require "spec.support.live_node"

local A = etf.A

-- A frame as a node takes it apart.
local function open(frame)
  local a, b, c, d = frame:byte(1, 4)
  assert.equal(#frame - 4, ((a * 256 + b) * 256 + c) * 256 + d)
  assert.equal("p", frame:sub(5, 5))
  local message, at = etf.decode(frame, 6)
  local payload
  if at <= #frame then payload, at = etf.decode(frame, at) end
  assert.equal(#frame + 1, at)
  return message, payload
end

describe("a control message", function()
  local at, n, us

  setup(function()
    at = live.start()
    n = at.node
    us = n.calls.us
  end)
  teardown(function() at.stop() end)

  -- The node cuts the link at the first message that it cannot take.
  local function still_linked()
    assert.equal("up", n.state)
    assert.equal(3, n:call("erlang", "+", { 1, 2 }))
    assert.is_nil(n.link.closed)
  end

  -- Something to send to: a process that keeps what it receives and tells how it ended.
  local function receiver()
    return at.eval [[
      spawn(fun() ->
        receive {keep, M} -> persistent_term:put(bl_spec_kept, M), timer:sleep(infinity) end
      end).]]
  end

  local function kept()
    return at.eval [[
      (fun F(0) -> timeout; F(N) ->
        case persistent_term:get(bl_spec_kept, none) of none -> timer:sleep(5), F(N - 1); M -> M end end)(1000).]]
  end

  it("send carries a message to a pid", live.test(function()
    local pid = receiver()
    n.link:send(control.send(pid, etf.tuple(A.keep, "sent")))
    assert.equal("sent", kept())
    at.eval "persistent_term:erase(bl_spec_kept)."
    still_linked()
  end))

  it("reg_send carries a message to a name", live.test(function()
    at.eval("register(bl_spec_receiver, Pid).", { Pid = receiver() })
    n.link:send(control.reg_send(us, "bl_spec_receiver", etf.tuple(A.keep, "sent by name")))
    assert.equal("sent by name", kept())
    still_linked()
  end))

  it("reg_send to a name that nobody has is lost without harm", live.test(function()
    n.link:send(control.reg_send(us, "bl_spec_nobody", "lost"))
    still_linked()
  end))

  it("spawn_request names reference, parent, group leader, function and options", function()
    local session = n.link.session
    local ref = etf.ref(session.name, session.creation, { 7, 0, 0 })
    local execute = etf.tuple(A.erpc, A.execute_call, 4)
    local arguments = { ref, A.erlang, A.node, {} }
    local message, payload = open(control.spawn_request(ref, us, us, execute, { A.monitor }, arguments))
    assert.same({ 29, ref, us, us, execute, { A.monitor } }, message)
    assert.same(arguments, payload)
  end)

  it("exit ends a process of the node", live.test(function()
    local pid = receiver()
    n.link:send(control.exit(us, pid, A.kill))
    local ended = at.eval([[
      R = erlang:monitor(process, P), receive {'DOWN', R, process, _, _} -> ended after 5000 -> alive end.]],
      { P = pid })
    assert.equal(A.ended, ended)
    still_linked()
  end))

  it("monitor_exit tells who monitors a name that we do not have", live.test(function()
    local down = at.eval([[
      R = erlang:monitor(process, {bl_spec_nobody, node(P)}),
      receive {'DOWN', R, process, _, Why} -> Why after 5000 -> timeout end.]], { P = us })
    assert.equal(A.noproc, down)
    still_linked()
  end))

  it("monitor_exit tells who monitors a pid that we do not have", live.test(function()
    local session = n.link.session
    local down = at.eval([[
      R = erlang:monitor(process, P),
      receive {'DOWN', R, process, _, Why} -> Why after 5000 -> timeout end.]],
      { P = etf.pid(session.name, 99999, 0, session.creation) })
    assert.equal(A.noproc, down)
    still_linked()
  end))

  it("unlink_ack lets a process link to us, unlink and link again", live.test(function()
    assert.equal(A.ok, at.eval("link(P), unlink(P), link(P), unlink(P), ok.", { P = us }))
    still_linked()
  end))

  it("unlink_ack turns sender and receiver around", function()
    local session = n.link.session
    local other = etf.pid(session.name, 5, 0, session.creation)
    local message = open(control.unlink_ack(12, us, other))
    assert.same({ 36, 12, us, other }, message)
  end)

  it("is never made with a pid or reference that is none", function()
    for _, encode in ipairs {
      function() control.send(nil, A.ok) end,
      function() control.reg_send(A.us, "rex", A.ok) end,
      function() control.spawn_request(us, us, us, A.x, {}, {}) end,
      function() control.exit(us, nil, A.kill) end,
      function() control.exit(us, "<0.1.0>", A.kill) end,
      function() control.monitor_exit(A.x, us, us, A.noproc) end,
      function() control.unlink_ack(1, us, A.x) end,
    } do
      assert.error_matches(encode, "a control message needs a %l+ here")
    end
  end)

  it("answers a ping, so that net_adm:ping does not wait for ever", live.test(function()
    assert.equal(A.pong, at.eval("net_adm:ping(node(P)).", { P = us }))
    still_linked()
  end))
end)
