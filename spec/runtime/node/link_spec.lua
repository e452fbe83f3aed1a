local async = require "runtime.async"
local bytes = require "runtime.node.bytes"
local etf = require "host.etf"
local failure = require "runtime.failure"
local call = require "runtime.node.call"
local link = require "runtime.node.link"
local live = require "spec.support.live_node"
local node = require "runtime.node.init"
local played = require "spec.support.played_node"
local telemetry = require "runtime.telemetry"
local until_true = require "spec.support.until_true"

local A = etf.A
local TICK = "\0\0\0\0"
local over = failure.new("node", "the spec is over", nil, 3)

describe("a link", function()
  it("answers ticks: an idle one outlives the node's patience", live.test(function()
    -- Two seconds of net_ticktime, a node that hears nothing for longer hangs up.
    local at = live.start { args = { "-kernel", "net_ticktime", "2" } }
    async.sleep(4)
    assert.equal("up", at.node.state)
    assert.equal(5, at.node:call("erlang", "+", { 2, 3 }))
    at.stop()
  end))

  it("is given up when the node is silent for longer than ours", live.test(function()
    local at = live.start()
    local n = assert(node.connect { name = at.name, cookie_file = at.cookie_file, tick_s = 1 })
    async.sleep(2)
    assert.equal("up", n.state)
    local why
    at:freeze()
    local task = async.spawn(function() why = select(2, n:call("erlang", "node", {})) end)
    assert.is_true(task:join(async.now() + 60))
    at:thaw()
    assert.matches("^lost bl_spec@127.0.0.1: not a byte from it for 1 s", why.message)
    assert.equal("node", why.stage)
    n:close()
    at.stop()
  end))

  it("comes back by itself, and says so", live.test(function()
    local at = live.start()
    local n, heard, told = at.node, {}, {}
    n:on_change(function(state) heard[#heard + 1] = state end)
    local off = telemetry.on("*", function(event) told[#told + 1] = event end)
    n:call("erlang", "disconnect_node", { A[n.link.session.name] })
    until_true("the node", function() return heard[#heard] == "up" end)
    off()
    assert.same({ "down", "reconnecting", "up" }, heard)
    assert.same({ "node.down", "node.reconnecting", "node.up" }, told)
    assert.equal(5, n:call("erlang", "+", { 2, 3 }))
    at.stop()
  end))

  it("does not come back after close", live.test(function()
    local at = live.start()
    local heard = {}
    at.node:on_change(function(state) heard[#heard + 1] = state end)
    at.node:close()
    async.sleep(0.5)
    assert.same({}, heard)
    assert.equal("closed", at.node.state)
    at.stop()
  end))

  it("does not stay idle towards its peer", live.test(function()
    local ticks = 0
    local peer = played.node {
      name = "shop@127.0.0.1", cookie = "c",
      talk = function(_, chunk)
        if chunk == TICK then ticks = ticks + 1 end
      end,
    }
    local opened = assert(link.open {
      node = "shop@127.0.0.1", cookie = "c", port = peer.port, deadline = async.now() + 5, silence_s = 0.8,
    })
    call.attach(opened, function() end)
    until_true("a second tick", function() return ticks >= 2 end)
    opened:down(over)
    peer.close()
  end))
end)

describe("what a peer sends", function()
  local peer

  after_each(function() peer.close() end)

  -- Attaches to a played peer that greets with these bytes, and returns why the link ended.
  local function greeted(greeting, largest)
    peer = played.node { name = "shop@127.0.0.1", cookie = "c", greet = greeting }
    local opened = assert(link.open {
      node = "shop@127.0.0.1", cookie = "c", port = peer.port, deadline = async.now() + 5, largest = largest,
    })
    local why
    local calls = call.attach(opened, function(reason) why = reason end)
    return opened, calls, function() return why end
  end

  local function frame(control, payload)
    local body = "p" .. control .. (payload or "")
    return bytes.u32(#body) .. body
  end

  for what, greeting in pairs {
    ["no packet of the protocol"] = bytes.u32(5) .. "hello",
    ["a frame that is empty inside"] = bytes.u32(1) .. "p",
    ["a control message that is no term"] = frame "garbage",
    ["a control message that is no tuple"] = frame(etf.encode { 1, 2, 3 }),
    ["a control message that is too short"] = frame(etf.encode(etf.tuple(2, A.x))),
    ["a control message longer than its frame"] = bytes.u32(3) .. "p\131h\5",
    ["a monitor of ours by a number"] = frame(etf.encode(etf.tuple(19, 5, A.x, 7))),
    ["an unlink between texts"] = frame(etf.encode(etf.tuple(35, 1, "a", "b"))),
    ["a message without its payload"] = frame(etf.encode(etf.tuple(2, A[""], etf.pid("a@b", 1, 0, 1)))),
  } do
    it("ends the link when it is " .. what, live.test(function()
      local _, _, why = greeted(greeting)
      until_true("the end of the link", why)
      assert.matches("^lost shop@127.0.0.1: it sent what is no distribution message", why().message)
      assert.equal("node", why().stage)
    end))
  end

  it("fails the calls in flight when it ends the link", live.test(function()
    local opened, calls = greeted ""
    local err
    local task = async.spawn(function() err = select(2, calls:run("erlang", "node", {})) end)
    opened:receive(frame "garbage")
    assert.is_true(task.finished)
    assert.matches("it sent what is no distribution message", err.message)
  end))

  it("is acknowledged when it is an unlink, turned around", live.test(function()
    local opened, calls = greeted ""
    local sent = {}
    opened.send = function(_, bytes_sent)
      sent[#sent + 1] = bytes_sent
      return true
    end
    local theirs = etf.pid("shop@127.0.0.1", 5, 0, 9)
    opened:receive(frame(etf.encode(etf.tuple(35, 77, theirs, calls.us))))
    assert.same({ frame(etf.encode(etf.tuple(36, 77, calls.us, theirs))) }, sent)
    opened:down(over)
  end))

  it("is answered once when it is many ticks at a time", live.test(function()
    local opened = greeted ""
    local sent = {}
    opened.send = function(_, bytes_sent)
      sent[#sent + 1] = bytes_sent
      return true
    end
    opened:receive(TICK:rep(50))
    assert.same({ TICK }, sent)
    opened:down(over)
  end))

  it("is taken in whatever pieces it comes", live.test(function()
    local opened, calls = greeted ""
    local value
    local task = async.spawn(function() value = calls:run("erlang", "node", {}) end)
    local ref = next(calls.pending)
    local answer = frame(etf.encode(etf.tuple(28, calls.us, calls.us, ref)),
      etf.encode(etf.tuple(ref, A["return"], ("x"):rep(100))))
    -- As the kernel might have cut it, byte by byte.
    for i = 1, #answer do opened:receive(answer:sub(i, i)) end
    assert.is_true(task.finished)
    assert.equal(("x"):rep(100), value)
    opened:down(over)
  end))

  it("is thrown away as it comes when it is larger than what is kept", live.test(function()
    local opened, calls = greeted("", 4096)
    local err, value
    local large = async.spawn(function() err = select(2, calls:run("lists", "seq", { 1, 2 })) end)
    local ref = next(calls.pending)
    local small = async.spawn(function() value = calls:run("erlang", "node", {}) end)
    local other
    for key in pairs(calls.pending) do
      if key ~= ref then other = key end
    end
    local function answer(to, v)
      return frame(etf.encode(etf.tuple(28, calls.us, calls.us, to)), etf.encode(etf.tuple(to, A["return"], v)))
    end
    local stream = answer(ref, ("x"):rep(50000)) .. answer(other, "small")
    local kept = 0
    for at = 1, #stream, 700 do
      opened:receive(stream:sub(at, at + 699))
      kept = math.max(kept, opened.have)
    end
    assert.is_true(large.finished and small.finished)
    assert.matches("has an answer of 0.0 MB, and more than", err.message)
    assert.equal("small", value)
    assert.is_true(kept < 4096)
    opened:down(over)
  end))
end)
