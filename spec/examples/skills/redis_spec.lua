-- The Redis skill as a user uses it, by its path and confined, on a real Redis.

local uv = require "luv"
local async = require "runtime.async"
local held = require "spec.support.held"
local played = require "spec.support.played_node"
local reach = require "runtime.reach"
local redis = require "spec.support.redis"
local root = require("host.files").root
local skill = require "runtime.skill"
local tcp = require "runtime.node.tcp"
local until_true = require "spec.support.until_true"

describe("the Redis skill", function()
  local server, folder, node, s, callback

  local function copy(port)
    local file = assert(io.open(root .. "/examples/skills/redis.lua"))
    local text = file:read "*a"
    file:close()
    local path = ("%s/redis%d.lua"):format(folder, port)
    file = assert(io.open(path, "w"))
    file:write((text:gsub('HOST, PORT = "127.0.0.1", 6379', 'HOST, PORT = "127.0.0.1", ' .. port)))
    file:close()
    return path
  end

  local function at(port, hosts)
    local there = { sleep = async.sleep }
    reach.attach(there, assert(reach.hosts(hosts or { "127.0.0.1:" .. port })))
    return there, assert(skill.open(copy(port)))
  end

  local function in_task(fn) return function() async.run(fn) end end

  -- What a check of the skill says of it now: the looks of the file, then its confirm.
  local function judged(id)
    for _, check in ipairs(s.checks) do
      if check.id == id then
        if not check.suspect(assert(skill.snapshot(s, node))) then return nil, "not suspect" end
        local results = {}
        for i, look in ipairs(check.look) do results[i] = callback[look[1]](unpack(look, 2)) end
        return check.confirm(results)
      end
    end
  end

  setup(function()
    folder = os.tmpname()
    os.remove(folder)
    os.execute(("mkdir -m 700 '%s'"):format(folder))
    server = redis.start("--maxmemory", "3mb", "--maxmemory-policy", "allkeys-lru", "--maxclients", "100",
      "--slowlog-log-slower-than", "100000")
    node, s = at(server.port)
    callback = skill.functions(s, node)
  end)

  teardown(function()
    server:stop()
    os.execute(("rm -rf '%s'"):format(folder))
  end)

  it("is available where Redis answers, and says what stands in its way where not", in_task(function()
    assert.is_true(skill.available(s, node))
    local far, other = at(server.port, {})
    assert.matches(("^redis may not reach 127.0.0.1:%d; if you want that, add it to hosts = { ")
      :format(server.port), skill.available(other, far))
    assert.matches("may not reach", skill.call(other, "redis_memory", {}, far).unavailable)
  end))

  it("has the figures that Redis itself tells", in_task(function()
    server:ask "SET a 1\nSET b 2\nGET a\nGET nothing"
    local figures = assert(skill.snapshot(s, node))
    local info = server:ask "INFO"
    assert.equal(2, figures.keys)
    assert.equal(tonumber(info:match "connected_clients:(%d+)"), figures.clients)
    assert.equal(50, figures.hit_pct)
    assert.equal(3, callback.redis_memory().max_mb)
    assert.equal("allkeys-lru", callback.redis_memory().policy)
    assert.equal(tonumber(info:match "tcp_port:(%d+)"), callback.redis_info("server").tcp_port)
  end))

  it("lists slow commands, slowest first, without the application's values", in_task(function()
    server:ask "DEBUG SLEEP 0.12\nDEBUG SLEEP 0.3"
    local slow = callback.redis_slowlog(1)
    assert.same({ "DEBUG SLEEP", 3, 2, 1 }, { slow.commands[1].command, slow.commands[1].words, slow.total,
      slow.showing })
    assert.is_true(slow.commands[1].took_ms >= 300)
    local finding = judged "slow_command"
    assert.same({ "DEBUG SLEEP", "warning" }, { finding.object, finding.severity })
    assert.equal(slow.commands[1].took_ms, finding.figures[1].value)
  end))

  it("finds no slow command once the log has none", in_task(function()
    server:ask "SLOWLOG RESET"
    assert.same({ nil, "not suspect" }, { judged "slow_command" })
  end))

  -- A client that talks as a person would at a terminal, a command to a line.
  local function client()
    local socket = assert(tcp.connect("127.0.0.1", server.port, async.now() + held.PATIENCE_S))
    return socket, function(line) socket:write(line .. "\r\n") end
  end

  it("sees clients by what they do, and those that are blocked as workers", in_task(function()
    local worker, say = client()
    say "CLIENT SETNAME worker"
    say "BLPOP work 0"
    until_true("a client that is blocked", function() return callback.redis_clients().blocked == 1 end)
    local clients = callback.redis_clients()
    worker:close()
    assert.equal(100, clients.max)
    local groups = {}
    for _, group in ipairs(clients.groups) do groups[group.name or ""] = group end
    assert.same({ name = "worker", last_command = "blpop", count = 1, blocked = 1 }, groups.worker)
  end))

  it("finds evictions while they happen, and the reads that find nothing", in_task(function()
    local socket, say = client()
    local value, stop = ("x"):rep(1000), false
    local writer = async.spawn(function()
      local i = 0
      while not stop do
        for _ = 1, 20 do
          i = i + 1
          say(("SET k%d %s"):format(i, value))
          say(("GET gone%d"):format(i))
        end
        async.sleep(0.001)
      end
    end)
    until_true("an eviction", function() return assert(skill.snapshot(s, node)).evicted_keys > 0 end)
    local full, cold = judged "evictions", judged "hit_rate"
    stop = true
    writer:join()
    socket:close()
    assert.same({ "redis", "warning", "evicted" }, { full.object, full.severity, full.figures[1].path })
    assert.is_true(full.figures[1].value > 0)
    assert.same({ "redis", "warning", 0 }, { cold.object, cold.severity, cold.figures[1].value })
  end))

  it("judges evictions and hit rate by what happens now, not by totals", in_task(function()
    assert.is_true(skill.snapshot(s, node).evicted_keys > 0)
    assert.is_nil((judged "evictions"))
    assert.is_nil((judged "hit_rate"))
  end))

  it("finds that the next clients will be refused", in_task(function()
    assert.same({ nil, "not suspect" }, { judged "clients" })
    local sockets = {}
    for i = 1, 85 do sockets[i] = client() end
    local finding = judged "clients"
    for _, socket in ipairs(sockets) do socket:close() end
    assert.same({ "redis", "total", 86 }, { finding.object, finding.figures[1].path, finding.figures[1].value })
  end))

  for what, answer in pairs {
    ["speaks another protocol"] = "HTTP/1.1 400 Bad Request\r\n\r\n", ["says a length that is none"] = "$1e99\r\nx",
    ["never ends a line"] = ("x"):rep(100000), ["nests without end"] = ("*1\r\n"):rep(10000),
    ["lists without end"] = "*99999999\r\n",
  } do
    it(("answers with a sentence where what listens there %s"):format(what), in_task(function()
      local peer = played.listen(function(socket) socket:write(answer) end)
      local far, other = at(peer.port)
      local said = {}
      for name in pairs(other.callbacks) do
        if name:match "^redis_" then
          local result, err = skill.call(other, name, { name == "redis_rates" and 100 or nil }, far)
          said[#said + 1] = result and result.unavailable or tostring(err)
        end
      end
      peer.close()
      assert.equal(5, #said)
      for _, sentence in ipairs(said) do assert.is_true(#sentence < 300 and #sentence > 20, sentence) end
    end))
  end

  it("hands a password over without having it, where Redis wants one", in_task(function()
    local locked = redis.start("--requirepass", "hush-hush")
    local there = "127.0.0.1:" .. locked.port
    local far, other = at(locked.port)
    local near = at(locked.port, { there .. " REDIS_PASSWORD" })
    uv.os_setenv("REDIS_PASSWORD", "wrong-one")
    local refused, wrong = skill.available(other, far), skill.available(other, near)
    uv.os_setenv("REDIS_PASSWORD", "hush-hush")
    local right = skill.available(other, near)
    uv.os_unsetenv "REDIS_PASSWORD"
    locked:stop()
    assert.matches("^the secret REDIS_PASSWORD may not be sent to " .. there, refused)
    assert.matches("^Redis refuses: WRONGPASS", wrong)
    assert.is_true(right)
  end))
end)
