-- The whole program against nodes on a bad day: each gives one clear sentence with the next step
-- and the right exit code, in both forms; none hangs, and none shows a traceback.

local uv = require "luv"
local async = require "runtime.async"
local json = require "runtime.json"
local live = require "spec.support.live_node"
local played = require "spec.support.played_node"
local program = require "spec.support.program"
local until_true = require "spec.support.until_true"

local shop

local function options(env)
  local all = { ERL_EPMD_PORT = tostring(shop.epmd_port), HOME = shop.home }
  for name, value in pairs(env or {}) do all[name] = value end
  return { env = all }
end

local function run(args, env) return program.run(args, options(env)) end

-- One sentence on stderr besides the talk, nothing on stdout.
local function complaint(code, args, env)
  local result = run(args, env)
  assert.equal(code, result.code, result.stdout .. result.stderr)
  assert.equal("", result.stdout)
  assert.is_nil(result.stderr:find("traceback", 1, true))
  local lines = {}
  for line in result.stderr:gmatch "[^\n]+" do lines[#lines + 1] = line end
  return lines[#lines]
end

-- A listener on loopback that does what `each` says with every connection.
local function listener(each)
  local server, held = uv.new_tcp(), {}
  server:bind("127.0.0.1", 0)
  server:listen(8, function()
    local socket = uv.new_tcp()
    server:accept(socket)
    held[#held + 1] = socket
    socket:read_start(function(_, bytes) if bytes and each then each(socket, bytes) end end)
  end)
  return server:getsockname().port, function()
    for _, socket in ipairs(held) do if not socket:is_closing() then socket:close() end end
    server:close()
  end
end

local function signal(pid, name) assert(uv.kill(pid, name)) end

local function until_attached(running)
  until_true("word of being attached", function() return running.stderr():find("attached to", 1, true) end)
end

local WHOLE_RUN = { "coordinator.lua", "--provider", "analyst" }

local function with_node(args, node)
  local all = { unpack(args) }
  all[#all + 1], all[#all + 2] = "--node", node or shop.name
  return all
end

describe("a bad day", function()
  setup(function() shop = live.start() end)
  teardown(live.stop_all)

  it("has a wrong cookie", live.test(function()
    local path = shop.home .. "/wrong.cookie"
    local file = assert(io.open(path, "w"))
    file:write "not_the_cookie"
    file:close()
    uv.fs_chmod(path, 256)
    local said = complaint(3, { "health", "--node", shop.name, "--cookie-file", path })
    assert.matches("wrong cookie for bl_spec@127.0.0.1; pass the node's own with %-%-cookie%-file", said)
    assert.is_nil(said:find("not_the_cookie", 1, true))
  end))

  it("has a cookie file that is not there", live.test(function()
    local said = complaint(3, { "health", "--node", shop.name, "--cookie-file", "/no/such/cookie" })
    assert.matches("/no/such/cookie", said)
  end))

  it("has a name that epmd does not know, and hears those that it does", live.test(function()
    local said = complaint(3, { "health", "--node", "zz@127.0.0.1" })
    assert.matches("zz", said)
    assert.matches("bl_spec", said)
  end))

  it("has no epmd", live.test(function()
    local port, stop = listener()
    stop()
    assert.matches("epmd", complaint(3, { "health", "--node", shop.name }, { ERL_EPMD_PORT = tostring(port) }))
  end))

  it("has a host that says nothing", live.test(function()
    local port, stop = listener()
    local said = complaint(3, { "health", "--node", shop.name, "--port", tostring(port), "--deadline", "1" })
    stop()
    assert.matches("timeout after %d+ ms in handshake", said)
  end))

  it("has a peer that does not speak the protocol", live.test(function()
    local port, stop = listener(function(socket) socket:write "HTTP/1.1 400 Bad Request\r\n\r\n" end)
    local said = complaint(3, { "health", "--node", shop.name, "--port", tostring(port), "--deadline", "20" })
    stop()
    assert.matches("does not speak the protocol of Erlang nodes", said)
  end))

  for _, command in ipairs { { "health" }, { "call", "beam_get_memory" } } do
    it("has a peer that takes us in and then says nothing: the deadline ends " .. command[1], live.test(function()
      local mute = played.node { name = shop.name, cookie = "c" }
      local args = { unpack(command) }
      for _, word in ipairs { "--node", shop.name, "--port", tostring(mute.port), "--deadline", "1" } do
        args[#args + 1] = word
      end
      local running = program.start(args, options { BEAMLENS_COOKIE = "c" })
      assert.equal(4, (running.wait(30)), running.stdout() .. running.stderr())
      mute.close()
    end))
  end

  it("has a node that calls itself by another name", live.test(function()
    assert.matches("peer calls itself bl_spec@127.0.0.1, not bl_spec@localhost.*pass %-%-node bl_spec@127.0.0.1",
      complaint(3, { "health", "--node", "bl_spec@localhost" }))
  end))

  it("says the same in the JSON form", live.test(function()
    local result = run { "health", "--node", "zz@127.0.0.1", "--json" }
    assert.equal(3, result.code)
    local said = json.decode(result.stdout)
    assert.equal(1, said.schema)
    assert.equal("epmd", said.error.stage)
    assert.matches("zz", said.error.message)
    assert.equal("string", type(said.error.next))
  end))

  it("has a node that is killed in the middle of a run", live.test(function()
    local victim = live.start { name = "victim@127.0.0.1" }
    local running = program.start(with_node(WHOLE_RUN, victim.name),
      { env = { ERL_EPMD_PORT = tostring(victim.epmd_port), HOME = victim.home } })
    until_attached(running)
    signal(victim.os_pid, "sigkill")
    local code = running.wait()
    victim.stop()
    assert.equal(3, code, running.stdout() .. running.stderr())
    assert.matches("lost victim@127.0.0.1", running.stderr())
    assert.is_nil((running.stdout() .. running.stderr()):find("traceback", 1, true))
  end))

  it("has a node that is frozen: the deadline gives an answer", live.test(function()
    local frozen = live.start { name = "frozen@127.0.0.1" }
    local args = { "coordinator.lua", "--provider", "analyst", "--node", frozen.name, "--deadline", "3" }
    local running = program.start(args,
      { env = { ERL_EPMD_PORT = tostring(frozen.epmd_port), HOME = frozen.home } })
    until_attached(running)
    signal(frozen.os_pid, "sigstop")
    local code = running.wait()
    signal(frozen.os_pid, "sigcont")
    frozen.stop()
    assert.equal(4, code, running.stdout() .. running.stderr())
    assert.matches("cannot tell", running.stdout():lower())
    assert.matches("ran out of time", running.stdout())
  end))

  it("has a long mailbox that stands: nobody is accused, and what would tell is said", live.test(function()
    local full = live.start { name = "full@127.0.0.1", code = [[ spawn(fun() ->
      register(parked, self()), [self() ! N || N <- lists:seq(1, 20000)], receive stop -> ok end end).]] }
    local ran = program.run({ "coordinator.lua", "--provider", "analyst", "--skills", "beam", "--json", "--node",
      full.name }, { env = { ERL_EPMD_PORT = tostring(full.epmd_port), HOME = full.home } })
    full.stop()
    local said = json.decode(ran.stdout)
    assert.same({ 4, "cannot_tell", {} }, { ran.code, said.verdict, said.insights })
    assert.matches("^n1 says: The mailbox of parked changed by 0 messages a second and holds 20000, .*; its cause "
      .. "was not found; look again in a minute: beam_queue_growth tells whether it became longer$",
      said.would_tell[1])
  end))

  it("has a script that runs again and again: each run leaves the node", live.test(function()
    local path = shop.home .. "/again.lua"
    local file = assert(io.open(path, "w"))
    file:write [[
      local beamlens = require "beamlens"
      for _ = 1, 3 do assert(beamlens.operator.run "ets") end
      local node = assert(beamlens.connect())
      print(node.query "length(nodes(hidden)).", node.cookie)]]
    file:close()
    uv.fs_chmod(path, 384)
    local result = run { path, "--node", shop.name, "--quiet" }
    assert.equal("2\tnil\n", result.stdout) -- the specs' own connection and the script's last
  end))

  for _, pause in ipairs { 0, 0.05, 0.3, 1.5 } do
    it(("is interrupted %g s after it attached"):format(pause), live.test(function()
      local running = program.start(with_node(WHOLE_RUN), options())
      until_attached(running)
      async.sleep(pause)
      running.kill "sigint"
      assert.equal(130, (running.wait()), running.stdout() .. running.stderr())
      assert.is_nil((running.stdout() .. running.stderr()):find("traceback", 1, true))
    end))
  end

  it("is interrupted while the node says nothing", live.test(function()
    local spoken_to = false
    local port, stop = listener(function() spoken_to = true end)
    local running = program.start({ "health", "--node", shop.name, "--port", tostring(port) }, options())
    local patience = async.now() + 20
    while not spoken_to do
      assert(async.now() < patience, "it never spoke to the node: " .. running.stderr())
      async.sleep(0.01)
    end
    running.kill "sigint"
    local code = running.wait()
    stop()
    assert.equal(130, code)
    assert.matches("^beamlens%-run: interrupted[^\n]*\n$", running.stderr())
  end))

  it("has a prompt of the user that is broken: file and line", live.test(function()
    local path = shop.home .. "/.config/beamlens/prompts"
    os.execute(("mkdir -p '%s'"):format(path))
    local file = assert(io.open(path .. "/operator.md", "w"))
    local text = require("host.files").read "prompts/operator.md" .. "{{nonsense}}\n"
    file:write(text)
    file:close()
    local said = complaint(2, with_node(WHOLE_RUN))
    os.execute(("rm -rf '%s/.config'"):format(shop.home))
    assert.matches(("prompts/operator%%.md:%d: .*nonsense"):format(select(2, text:gsub("\n", ""))), said)
  end))

  it("has a skill of the user whose Erlang does not parse: file and line", live.test(function()
    local path = shop.home .. "/.config/beamlens/skills"
    os.execute(("mkdir -p '%s'"):format(path))
    local file = assert(io.open(path .. "/peers.lua", "w"))
    file:write((require("host.files").read "examples/own_skill.lua":gsub("#{visible => ", "#{visible =>> ")))
    file:close()
    local said = complaint(2, with_node { "coordinator.lua", "--provider", "analyst", "--skills", "peers" })
    os.execute(("rm -rf '%s/.config'"):format(shop.home))
    assert.matches("skills/peers%.lua:11: query counts does not parse: line 1: syntax error before", said)
  end))

  it("has a callback with an argument out of range", live.test(function()
    assert.matches("limit must be from 1 to 50",
      complaint(2, with_node { "call", "beam_top_processes", "99" }))
  end))
end)
