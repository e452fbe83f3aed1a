-- What a live node answers, on a cassette, and again without it; and what a real server answered to a skill.

local uv = require "luv"
local async = require "runtime.async"
local cassette = require "runtime.cassette"
local etf = require "host.etf"
local json = require "runtime.json"
local live = require "spec.support.live_node"
local privacy = require "runtime.privacy"
local reach = require "runtime.reach"
local recorded = require "runtime.node.recorded"

local UNBOUND = [[ N + 1. ]]
local TICK = [[ ets:update_counter(ticks, x, 1, {x, 0}). ]]
local NAMED = [[ [#{name => Name, atom => an_atom, pair => {1, "text"}, pid => self(), list => [1, 2.5, <<"b">>]}]. ]]
local WHO = [[ case whereis(binary_to_atom(Name)) of undefined -> none; _ -> there end. ]]
local SECRET = "postgres://shop:hunter2@db/orders"

local at, folder

local function mask()
  local m = privacy.new { at.name }
  return m
end

-- What `play` asks of the node, as a cassette.
local function taped(play, node)
  local path = folder .. "/tape"
  local tape = assert(cassette.create(path, { agent = "operator", node = at.name, skills = { "ets" },
    recorded_at = "2026-01-01T00:00:00Z", hosts = node and { node.where } or nil,
    mind = { name = "analyst", destination = false } }))
  play(recorded.recording(node or at.node, tape, mask()))
  tape:finish { report = { verdict = "healthy", insights = {} }, state = "up" }
  return assert(cassette.read(path)), path
end

local function replayed(play, node) return recorded.replaying((taped(play, node))) end

-- A server that answers each line with its number; no node, but what reaches it stands on one.
local function serving(fn)
  local server, count = uv.new_tcp(), 0
  server:bind("127.0.0.1", 0)
  server:listen(8, function()
    local client = uv.new_tcp()
    server:accept(client)
    client:read_start(function(_, text)
      if not text then return client:close() end
      count = count + 1
      client:write(("+%d\r\n"):format(count))
    end)
  end)
  local port = server:getsockname().port
  local node = { where = ("127.0.0.1:%d"):format(port) }
  reach.attach(node, assert(reach.hosts { node.where }))
  fn(node, port)
  server:close()
end

local function say(node, port, words)
  local connection, why = node.reach.open("127.0.0.1", port, async.now() + 10)
  if not connection then return why end
  local said = {}
  for _, word in ipairs(words) do
    connection.send(word .. "\r\n")
    local line, wrong = connection.read_line()
    said[#said + 1] = line or wrong
  end
  connection.close()
  return said
end

describe("runtime.node.recorded", function()
  setup(function()
    at = live.start { code = [[ spawn(fun() -> ets:new(ticks, [named_table, public]),
      register(list_to_atom("]] .. SECRET .. [["), self()), receive stop -> ok end end). ]] }
    folder = assert(uv.fs_mkdtemp "/tmp/spec-recorded-XXXXXX")
  end)
  teardown(function()
    live.stop_all()
    os.execute(("rm -rf '%s'"):format(folder))
  end)

  it("answers again what the node answered, term for term", live.test(function()
    local seen
    local node = replayed(function(n) seen = n.query(NAMED, { Name = "x" }) end)
    local again = node.query(NAMED, { Name = "x" })
    assert.equal(json.encode(seen), json.encode(again))
    assert.equal(seen[1].pid, again[1].pid)
    assert.equal(etf.A.an_atom, again[1].atom)
    assert.equal("tuple", etf.kind(again[1].pair))
    assert.equal("pid", etf.kind(again[1].pid))
  end))

  it("answers the same question in the order of then, and then no more", live.test(function()
    local first
    local node = replayed(function(n)
      first = n.query(TICK)
      n.query(TICK)
    end)
    assert.same({ first, first + 1 }, { node.query(TICK), (node.query(TICK)) })
    local value, err = node.query(TICK)
    assert.is_nil(value)
    assert.equal("the cassette holds no answer to this question; only what was asked when it was recorded can be asked "
      .. "again", tostring(err))
    assert.equal(1, node.unanswered)
  end))

  it("keeps apart who asks: a skill's callback has its own answers", live.test(function()
    local ets, beam
    local node = replayed(function(n)
      ets = n.query(TICK, nil, { by = "ets.a" })
      beam = n.query(TICK, nil, { by = "beam.b" })
    end)
    assert.same({ beam, ets }, { node.query(TICK, nil, { by = "beam.b" }), (node.query(TICK, nil, { by = "ets.a" })) })
  end))

  it("keeps questions with other variables apart", live.test(function()
    local node = replayed(function(n) n.query(NAMED, { Name = "x" }) end)
    assert.is_nil((node.query(NAMED, { Name = "y" })))
  end))

  it("takes names in another order for the same question", live.test(function()
    local node = replayed(function(n) n.query("length(Paths).", { Paths = { "b", "a", "c" } }) end)
    assert.equal(3, node.query("length(Paths).", { Paths = { "c", "b", "a" } }))
  end))

  it("fails again in the same words", live.test(function()
    local before
    local node = replayed(function(n) before = select(2, n.query(UNBOUND)) end)
    local _, err = node.query(UNBOUND)
    assert.same({ tostring(before), before.stage, before.exit }, { tostring(err), err.stage, err.exit })
  end))

  it("writes down names for secrets, and the node is asked for what they stand for", live.test(function()
    local named, found
    local _, path = taped(function(n)
      named = n.query(NAMED, { Name = SECRET })[1].name
      found = n.query(WHO, { Name = named })
    end)
    assert.matches("^postgres://shop:<secret:%x+>@db/orders$", named)
    assert.equal(etf.A.there, found)
    local file = io.open(path)
    assert.is_nil(file:read "*a":find("hunter2", 1, true))
    file:close()
  end))

  it("takes as long as the node took, by the clock of the replay", live.test(function()
    local node = replayed(function(n) n.query "timer:sleep(300), ok." end)
    local waits = async.spawn(function() return node.query "timer:sleep(300), ok." end)
    assert.same({ false, 1 }, { waits.finished, node.waiting })
    local ok, value = waits:join(async.now() + 10)
    assert.same({ true, etf.A.ok, 0 }, { ok, value, node.waiting })
  end))

  it("tells a skill of the past again, and nothing of what it was never told", live.test(function()
    at.node.past:remember("ets", "rows", 7)
    local node = replayed(function(n) n.uses.history { name = "ets" }("rows", 5) end)
    assert.equal(7, node.uses.history { name = "ets" }("rows", 5)[1].value)
    assert.same({}, node.uses.history { name = "ets" }("size", 5))
    assert.matches("the cassette holds no answer", node.uses.events { name = "logger" }.of("log", 5).unavailable)
  end))

  it("is down at the end where the node was", live.test(function()
    local tape = taped(function(n) n.query(TICK) end)
    tape.last.state = "down"
    local node = recorded.replaying(tape)
    assert.equal("up", node.state)
    node.query(TICK)
    assert.equal("down", node.state)
  end))

  it("says again what a server said to a skill, step by step", live.test(function()
    serving(function(server, port)
      local node = replayed(function(n) assert.same({ "+1", "+2" }, say(n, port, { "a", "b" })) end, server)
      assert.is_true(node.reach.hosts[server.where])
      assert.same({ "+1", "+2" }, say(node, port, { "a", "b" }))
      assert.equal("the cassette holds no answer to " .. server.where, say(node, port, { "c" }))
    end)
  end))

  it("finds again what was sent with a secret, of which it holds nothing", live.test(function()
    uv.os_setenv("SPEC_TAPED_PASSWORD", "s3same-0pen")
    finally(function() uv.os_unsetenv "SPEC_TAPED_PASSWORD" end)
    local function log_in(node, port)
      local handed, close = reach.handed(node, { "tcp" }, { name = "spec_look", class = "SAFE", seconds = 30 })
      local c = assert(handed.tcp.open("127.0.0.1", port))
      assert(c.send("AUTH " .. handed.secret "SPEC_TAPED_PASSWORD" .. "\r\n"))
      local line = c.read_line()
      close()
      return line
    end
    serving(function(server, port)
      reach.attach(server, assert(reach.hosts { server.where .. " SPEC_TAPED_PASSWORD" }))
      local first
      local tape, path = taped(function(node) first = log_in(node, port) end, server)
      assert.equal("+1", first)
      assert.equal("+1", log_in(recorded.replaying(tape), port))
      local file = assert(io.open(path))
      local text = file:read "*a"
      file:close()
      assert.is_nil(text:find("s3same", 1, true))
    end)
  end))
end)
