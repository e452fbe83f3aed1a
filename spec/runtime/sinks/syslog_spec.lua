-- Syslog as receivers have it: UDP and TCP of this process, and a datagram socket of a real node for /dev/log.

local uv = require "luv"
local left_open = require "spec.support.left_open"
local live = require "spec.support.live_node"
local syslog = require "runtime.sinks.syslog"
local until_true = require "spec.support.until_true"

local ITEM = { event = "coordinator.insight_produced", at = "2026-01-01T12:00:00.123Z", measurements = {},
  metadata = { node = "shop@host", severity = "critical", trace_id = "t1", summary = 'a "mailbox"] grows\27[2J' } }

local MODERN = '^<26>1 2026%-01%-01T12:00:00.123Z %S+ beamlens%-run %d+ coordinator.insight_produced '
  .. '%[beamlens@32473 node="shop@host" severity="critical" trace_id="t1"%] \239\187\191'
  .. 'a "mailbox"%] grows\\x1b%[2J$'

describe("syslog", function()
  it("gets RFC 5424 over UDP, a datagram for each", live.test(function()
    local server, got = uv.new_udp(), {}
    server:bind("127.0.0.1", 0)
    server:recv_start(function(_, bytes) got[#got + 1] = bytes end)
    local sink = assert(syslog.open { address = "udp://127.0.0.1:" .. server:getsockname().port })
    assert.is_true(sink:send(ITEM))
    assert.is_true(sink:send(ITEM))
    until_true("two datagrams", function() return #got == 2 end)
    assert.matches(MODERN, got[1])
    sink:close()
    server:close()
  end))

  it("gets counted octets over TCP, and is met again after it was gone", live.test(function()
    local got, sockets = "", {}
    local server = uv.new_tcp()
    server:bind("127.0.0.1", 0)
    server:listen(8, function()
      local socket = uv.new_tcp()
      server:accept(socket)
      sockets[#sockets + 1] = socket
      socket:read_start(function(_, bytes) got = got .. (bytes or "") end)
    end)
    local sink = assert(syslog.open { address = "tcp://127.0.0.1:" .. server:getsockname().port })
    assert.is_true(sink:send(ITEM))
    until_true("the bytes", function() return got:find "2J$" end)
    local count, text = got:match "^(%d+) (.*)$"
    assert.equal(#text, tonumber(count))
    assert.matches(MODERN, text)
    sockets[1]:close()
    until_true("another connection", function()
      sink:send(ITEM)
      return #sockets == 2
    end)
    sink:close()
    for i = 2, #sockets do sockets[i]:close() end
    server:close()
  end))

  it("cannot fill our memory, where something else listens there", live.test(function()
    local mb, client, written = 1024 * 1024, nil, nil
    local flood = ("x"):rep(24 * mb) -- the kernel keeps less than half of it
    local server = uv.new_tcp()
    server:bind("127.0.0.1", 0)
    server:listen(8, function()
      client = uv.new_tcp()
      server:accept(client)
      client:write(flood, function() written = true end)
    end)
    local sink = assert(syslog.open { address = "tcp://127.0.0.1:" .. server:getsockname().port })
    local before = left_open.memory()
    assert.is_true(sink:send(ITEM))
    until_true("the flood", function() return written end)
    local kept = left_open.memory() - before
    sink:close()
    client:close()
    server:close()
    assert.is_true(kept < mb, ("%d bytes of %d are kept"):format(kept, #flood))
  end))

  it("gets what glibc would write, on this machine", live.test(function()
    local at = live.start { attach = true }
    local path = at.home .. "/log"
    at.eval([[register(log, spawn(fun() ->
      {ok, S} = gen_udp:open(0, [local, binary, {active, true}, {ifaddr, {local, P}}]),
      F = fun F(L) -> receive {udp, S, _, _, B} -> F([B | L]); {get, W} -> W ! {got, lists:reverse(L)}, F(L) end end,
      F([]) end)), ok.]], { P = path })
    until_true("the socket", function() return uv.fs_stat(path) end)
    local sink = assert(syslog.open { address = path })
    assert.is_true(sink:send(ITEM))
    assert.is_true(sink:send { event = "run.stop", at = "", measurements = {}, metadata = { verdict = "healthy" } })
    local got
    until_true("both datagrams", function()
      got = at.eval "log ! {get, self()}, receive {got, L} -> L after 5000 -> [] end."
      return #got == 2
    end)
    assert.matches("^<26>%u%l%l [ %d]%d %d%d:%d%d:%d%d beamlens%-run%[%d+%]: coordinator.insight_produced "
      .. 'shop@host: a "mailbox"%] grows\\x1b%[2J$', got[1])
    assert.matches("^<30>.*: run.stop healthy$", got[2])
    sink:close()
    live.stop_all()
  end))

  it("is told when nobody is there", live.test(function()
    local sink = assert(syslog.open { address = "/nowhere/log" })
    local ok, why = sink:send(ITEM)
    assert.is_nil(ok)
    assert.matches("/nowhere/log: No such file", why)
    sink:close()
  end))

  it("gets no more than any receiver takes", live.test(function()
    local server, got = uv.new_udp(), {}
    server:bind("127.0.0.1", 0)
    server:recv_start(function(_, bytes) got[#got + 1] = bytes end)
    local sink = assert(syslog.open { address = "udp://127.0.0.1:" .. server:getsockname().port })
    sink:send { event = "node.down", at = "", measurements = {}, metadata = { reason = ("\195\164"):rep(9000) } }
    until_true("it", function() return got[1] end)
    assert.is_true(#got[1] <= 2048)
    sink:close()
    server:close()
  end))
end)
