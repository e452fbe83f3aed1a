local async = require "runtime.async"
local crypto = require "host.crypto"
local door = require "runtime.door"
local etf = require "host.etf"
local held = require "spec.support.held"
local json = require "runtime.json"
local live = require "spec.support.live_node"
local node = require "runtime.node"
local ours = require "host.files"
local program = require "spec.support.program"
local rpc = require "runtime.door.rpc"
local rpc_there = require "runtime.door.rpc_there"
local until_true = require "spec.support.until_true"
local uv = require "luv"
local ways = require "runtime.door.ways"
local who_runs = require "spec.support.who_runs"

-- Its fault: a mailbox that grows.
local NAME = live.own_name "bl_rpc"
local ILL = [[erlc -o "$HOME" "$0" && exec "$@" -pa "$HOME" -s copper]]

local function soon() return async.now() + 45 end

local function entered(via)
  local target = assert(ways.read(via or "local"))
  target.through = "rpc"
  local d = door.new(target, NAME)
  assert(d:ready(soon()))
  return assert(node.connect { name = NAME, door = d, deadline = soon() }), d
end

local function asking() return #who_runs("erl_call", NAME) end

describe("a node that erl_call asks, where nothing else is to be started", function()
  local at, env, n, d

  setup(function()
    at = live.start { name = NAME, within = { "sh", "-c", ILL, ours.root .. "/spec/faults/copper.erl" } }
    local port = tostring(held.free_port())
    uv.os_setenv("ERL_EPMD_PORT", port)
    env = { ERL_EPMD_PORT = port, HOME = at.home }
    held.in_task(function() n, d = entered() end)
  end)

  teardown(function()
    held.in_task(function() n:leave() end)
    live.stop_all()
  end)

  it("answers a call", live.test(function()
    assert.same({ 5, NAME }, { n:call("erlang", "+", { 2, 3 }), tostring((n:call("erlang", "node", {}))) })
  end))

  it("answers a query with its variables", live.test(function()
    assert.equal(7, n.query("{X, Y} = P, X + Y.", { P = etf.tuple(3, 4) }))
  end))

  it("is told with what this way can do", function()
    assert.matches("^rpc: %S*/erl_call asks beside the node, one question at a time, %d+ ms each; "
      .. "no event relays; why not console: %-%-through rpc asks for this$", d.told)
  end)

  it("takes a text of 100 kB", live.test(function()
    local text = crypto.hex(crypto.random(1000)):rep(50)
    assert.equal(crypto.hex(crypto.md5(text)), n.query("binary:encode_hex(erlang:md5(B)).", { B = text }):lower())
  end))

  it("gives an answer of 1 MB", live.test(function()
    assert.equal(1000000, #n.query "binary:copy(list_to_binary([7]), 1000000).")
  end))

  it("takes many questions at once, and asks one after the other", live.test(function()
    local asked = {}
    for i = 1, 8 do asked[i] = function() return n:call("erlang", "+", { i, 1 }) end end
    local sum = 0
    for _, done in ipairs(async.all(asked)) do sum = sum + done.value end
    assert.equal(44, sum)
  end))

  it("says what was wrong with a question", live.test(function()
    assert.equal("the query failed: badarith in erlang:div/2", (select(2, n.query "1 div 0.")).message)
  end))

  it("ends a question whose time is up", live.test(function()
    local _, err = n.query([[register(bl_slow, self()), timer:sleep(600000).]], nil, { timeout = 0.3 })
    assert.matches("the query had no answer after %S+ s and was ended on the node", err.message)
    assert.equal(etf.A.undefined, n:call("erlang", "whereis", { etf.A.bl_slow }))
  end))

  it("ends a question that takes too much of its memory", live.test(function()
    local _, err = n.query("lists:seq(1, 10000000).", nil, { heap_words = 100000 })
    assert.matches("it needed more than its 0 MB of heap", err.message, 1, true)
  end))

  it("prints nothing where a question prints", live.test(function()
    assert.equal(3, n.query [[io:format("printed"), 3.]])
    local log = assert(io.open(at.home .. "/node.log"))
    assert.is_nil((log:read "*a"):find "printed")
    log:close()
  end))

  it("has no relays, and says why", live.test(function()
    assert.matches("^event relays need a link to the node, and there is none by %S*/erl_call$",
      n.relays:of("logger", 1).unavailable)
  end))

  it("is not changed by this way", live.test(function()
    local _, err = n.query("ok.", nil, { outlives = true })
    assert.equal("come by --through console or forward", err.next)
  end))

  it("is asked through a session with an echo, colours and breaks between", live.test(function()
    local door_of = "shell:%s %s/spec/support/doors/session.lua 'shell=bash --norc -i' chop=7 wrap=130 colour=90"
    local noisy = entered(door_of:format(ours.exe, ours.root))
    assert.equal(30000, #noisy.query "binary:copy(list_to_binary([7]), 30000).")
    noisy:leave()
  end))

  it("has a page of health", live.test(function()
    local done = program.run({ "health", "--node", NAME, "--via", "local", "--through", "rpc" }, { env = env })
    assert.matches("^" .. NAME:gsub("%p", "%%%0") .. "  OTP ", done.stdout)
  end))

  it("is told what it suffers from", live.test(function()
    local done = program.run({ "coordinator.lua", "--skills", "beam,ets", "--json", "--node", NAME, "--via", "local",
      "--through", "rpc" }, { env = env })
    local report = json.decode(done.stdout)
    assert.same({ "sick", "nickel", "unhandled_messages" }, { report.verdict,
      report.insights[1].root_cause.object, report.insights[1].root_cause.mechanism })
  end))

  it("keeps nothing of ours when it is left by Ctrl-C, twice", live.test(function()
    local running = program.start({ "watch", "--node", NAME, "--via", "local", "--through", "rpc" }, { env = env })
    until_true("word of being attached", function() return running.stdout():find "attached" end)
    running.kill "sigint"
    running.kill "sigint"
    running.wait(30)
    until_true("the end of who asked", function() return asking() == 0 end)
    assert.equal(5, n:call("erlang", "+", { 2, 3 }))
  end))
end)

describe("who is to ask", function()
  local ALL = "bl:mix=/app/bin/shop|bl:erl_call=/app/erts-13/bin/erl_call|bl:home=/home/shop|"

  local function chosen(printed, cookie, may_boot)
    return (rpc_there.choose(printed, { cookie = cookie }, may_boot) or {}).program
  end

  it("is the release's own script", function() assert.equal("/app/bin/shop", chosen(ALL, "arguments", true)) end)

  it("is a relx release's script where that is what there is", function()
    assert.same({ kind = "relx", program = "/app/bin/shop" },
      rpc_there.choose("bl:relx=/app/bin/shop|", { cookie = "a file" }, true))
  end)

  it("is the C program where there is no memory for a VM", function()
    assert.equal("/app/erts-13/bin/erl_call", chosen(ALL, "a file", false))
  end)

  it("is nobody where that would have to be given the cookie", function()
    assert.is_nil(chosen(ALL, "arguments", false))
  end)

  it("is nobody where the file that it reads is not there", function()
    assert.is_nil(chosen("bl:erl_call=/app/erts-13/bin/erl_call|", "a file", true))
  end)

  it("is no path that would end the quotes that it is put in", function()
    assert.is_nil(chosen("bl:mix=/app/bin/a'$(id)'|", "a file", true))
  end)
end)

describe("what comes back from who asks", function()
  local OTHER_SUM = ("{1.3.%s.AAAA}"):format(crypto.base64(crypto.md5 "other")) -- three bytes, as it says
  local r, written

  -- A question in flight, and what it comes to once that was said.
  local function answered(said, seconds)
    local asked = async.spawn(function() return r:run("erlang", "node", {}, { timeout = seconds }) end)
    for _, piece in ipairs(said) do r:receive(piece) end
    local _, value, err = asked:join()
    return value, err
  end

  local function frame(id, value)
    local term = etf.encode(etf.tuple(id, etf.A["return"], value))
    return ("{%d.%d.%s.%s}\n"):format(id, #term, crypto.base64(crypto.md5(term)), crypto.base64(term))
  end

  local function by(kind)
    written = {}
    r = rpc.new({ kind = kind, program = "/app/bin/shop" }, "shop@web", function(text) written[#written + 1] = text end)
  end

  before_each(function() by "mix" end)
  after_each(function() r:die "left" end)

  it("is read however it is cut, wrapped and coloured", live.test(function()
    local pieces = {}
    for char in frame(1, 42):gmatch "." do pieces[#pieces + 1] = char .. "\r\n\27[1;32m" end
    assert.equal(42, answered(pieces))
  end))

  it("is asked for again once, where it came torn", live.test(function()
    assert.equal(42, answered { OTHER_SUM, frame(1, 42) })
  end))

  it("is asked for again once, where some of it is missing", live.test(function()
    assert.equal(42, answered { (frame(1, 42):gsub("....}", "}")), frame(1, 42) })
  end))

  it("is an error where it came torn twice", live.test(function()
    local _, err = answered { OTHER_SUM, (frame(1, 42):gsub("..}", "{soon}%0")) }
    assert.equal("erlang:node/0 had no answer that is whole; ask again; or come by --through console or forward",
      tostring(err))
  end))

  it("is not what another question was answered", live.test(function()
    assert.equal(42, answered { frame(2, 41), frame(1, 42) })
  end))

  it("is not waited for by who was cancelled, and the next one is asked", live.test(function()
    local cancelled = async.spawn(function()
      async.sleep(0)
      return r:run("erlang", "node", {})
    end)
    cancelled:cancel()
    cancelled:join()
    assert.equal(42, answered { frame(2, 42) })
  end))

  it("is told where it is too large", live.test(function()
    local _, err = answered { "{1.large.41943040}" }
    assert.equal("erlang:node/0 has an answer of 40.0 MB, and more than 16 MB are not taken", err.message)
  end))

  it("is told where something else was said", live.test(function()
    by "erl_call"
    local failed = "erl_call: failed to connect to node shop@web\r\n\r\n{over}\r\n"
    local _, err = answered { failed, failed }
    assert.equal("lost shop@web: /app/bin/shop said last: erl_call: failed to connect to node shop@web", err.message)
  end))

  it("is told where nothing was said", live.test(function()
    by "erl_call"
    local _, err = answered { "\n{over}\n", "\n{over}\n" }
    assert.equal("lost shop@web: /app/bin/shop said nothing", err.message)
  end))

  it("is no end of the way where it only came torn", live.test(function()
    by "erl_call"
    local _, err = answered { OTHER_SUM .. "\n{over}\n", OTHER_SUM .. "\n{over}\n" }
    assert.same({ "erlang:node/0 had no answer that is whole", nil }, { err.message, r.dead })
  end))

  it("ends with the door", live.test(function()
    local asked = async.spawn(function() return r:run("erlang", "node", {}) end)
    r:die "the session ended"
    assert.equal("lost shop@web: the session ended", (select(3, asked:join())).message)
  end))

  it("is told where the question was ended there", live.test(function()
    local _, err = answered({ "{1.late}" }, 0.5)
    assert.matches("was ended on the node", err.message)
  end))
end)
