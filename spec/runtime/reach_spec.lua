-- What a skill may reach beside its node. The servers are real sockets on loopback; the skills run confined, as a
-- user's do.

local uv = require "luv"
local async = require "runtime.async"
local failure = require "runtime.failure"
local far_skill = require "spec.support.far_skill"
local held = require "spec.support.held"
local left_open = require "spec.support.left_open"
local http_server = require "spec.support.http_server"
local played = require "spec.support.played_node"
local reach = require "runtime.reach"
local skill = require "runtime.skill"
local telemetry = require "runtime.telemetry"

local look = far_skill.look

local function in_task(fn) return function() async.run(fn) end end

describe("a skill that uses tcp", function()
  local peer, hosts, ended
  local function listen(on_bytes)
    peer = played.listen(on_bytes)
    hosts = { "127.0.0.1:" .. peer.port }
  end
  after_each(function() if peer then peer.close() end peer = nil end)

  local function asked(body, o)
    o = o or {}
    return look('local c, err = node.tcp.open("127.0.0.1", args.port) if not c then return nil, err end ' .. body,
      { hosts = o.hosts or hosts, port = peer.port, timeout = o.timeout })
  end

  it("sends, and reads lines and so many bytes", in_task(function()
    listen(function(socket, chunk) socket:write("+" .. chunk .. "$3\r\nabc\r\n") end)
    assert.same({ first = "+PING", second = "$3", rest = "abc\r\n" }, assert(asked [[
      assert(c.send "PING\r\n")
      return { first = c.read_line(), second = c.read_line(), rest = c.read(5) }]]))
  end))

  it("is refused a host that the config does not name, and told the line that would", in_task(function()
    listen()
    local result, err = asked("return 1", { hosts = { "127.0.0.1:1" } })
    assert.is_nil(result)
    assert.same({ "gate", 5 }, { err.stage, err.exit })
    assert.equal(("far_look may not reach 127.0.0.1:%d"):format(peer.port), err.message)
    assert.matches(('hosts = { "127.0.0.1:%d" } in '):format(peer.port), err.next, 1, true)
  end))

  it("reaches nobody on a node for which nobody named hosts", in_task(function()
    local s = assert(far_skill.load('return node.tcp.open("127.0.0.1", 1)'))
    local result, err = skill.call(s, "far_look", {}, {})
    assert.is_nil(result)
    assert.equal("far_look may not reach 127.0.0.1:1", err.message)
  end))

  it("hears that nobody listens there, and what to see to", in_task(function()
    local port = held.free_port()
    peer = { port = port, close = function() end }
    local _, err = asked("return 1", { hosts = { "127.0.0.1:" .. port } })
    assert.equal(("127.0.0.1:%d refused the connection; see that it runs and answers there"):format(peer.port),
      tostring(err))
  end))

  it("does not wait longer than its callback may take", in_task(function()
    local later = uv.new_timer()
    listen(function(socket) later:start(4000, 0, function() socket:write "late\r\n" end) end)
    local result, err = asked([[c.send "x" return c.read_line()]], { timeout = 0.2 })
    later:close()
    assert.is_nil(result)
    assert.equal(("127.0.0.1:%d gave no answer in time"):format(peer.port), err.message)
  end))

  it("hears when the other side ends in the middle", in_task(function()
    listen(function(socket)
      socket:write "abc"
      socket:shutdown(function() socket:close() end)
    end)
    local _, err = asked [[c.send "x" return c.read(4)]]
    assert.equal(("127.0.0.1:%d closed the connection"):format(peer.port), err.message)
  end))

  it("is not handed more than 256 KiB, however much is sent", in_task(function()
    listen(function(socket) socket:write(("x"):rep(300 * 1024)) end)
    local _, err = asked [[c.send "x" return c.read(262144)]]
    assert.equal(("127.0.0.1:%d sent more than 262144 bytes"):format(peer.port), err.message)
  end))

  it("is not handed a line that does not end", in_task(function()
    listen(function(socket) socket:write(("x"):rep(101)) end)
    local _, err = asked [[c.send "x" return c.read_line(100)]]
    assert.equal(("127.0.0.1:%d sent a line of more than 100 bytes"):format(peer.port), err.message)
  end))

  it("opens sixteen connections in one callback, and no more", in_task(function()
    listen()
    local result, err = asked [[
      for i = 2, 16 do assert(node.tcp.open("127.0.0.1", args.port)) end
      return node.tcp.open("127.0.0.1", args.port)]]
    assert.is_nil(result)
    assert.equal("far_look opens more than 16 connections", err.message)
  end))

  for how, body in pairs { returns = "return 1", raises = 'error "no"', ["is stopped"] = "while true do end" } do
    it("has its connection closed when its callback " .. how, in_task(function()
      ended = false
      local server = uv.new_tcp()
      server:bind("127.0.0.1", 0)
      server:listen(8, function()
        local socket = uv.new_tcp()
        server:accept(socket)
        socket:read_start(function(_, chunk)
          if chunk then return end
          ended = true
          socket:close()
        end)
      end)
      peer = { port = server:getsockname().port, close = function() server:close() end }
      asked(body, { hosts = { "127.0.0.1:" .. peer.port } })
      local deadline = async.now() + held.PATIENCE_S
      while not ended and async.now() < deadline do async.sleep(0.005) end
      assert.is_true(ended)
    end))
  end

  it("says what is wrong with how it is called, with the way to write it", in_task(function()
    listen()
    local _, err = asked "c:send 'x'"
    assert.equal("far_look: calls send with a colon; write connection.send(…), with a dot", tostring(err))
    _, err = asked "return node.tcp.open(5, 5)"
    assert.equal('far_look: tcp.open wants a host and a port; for example tcp.open("127.0.0.1", 6379)', tostring(err))
  end))
end)

describe("a skill that uses http", function()
  local server
  after_each(function() if server then server.stop() end server = nil end)
  local function serve(routes)
    server = http_server.start(routes)
    return { server.url:match "//(.*)" }
  end

  it("gets status, headers and body", in_task(function()
    local hosts = serve { ["GET /health?x=1"] = function(request, response)
      response:send(503, "down for " .. request.headers.accept, { ["X-Reason"] = "disk" })
    end }
    local answer = assert(look('return node.http.get(args.url, { headers = { Accept = "text/plain" } })',
      { hosts = hosts, url = server.url .. "/health?x=1" }))
    assert.same({ 503, "disk", "down for text/plain" }, { answer.status, answer.headers["x-reason"], answer.body })
  end))

  it("posts from a callback that says it has effects, and from no other", in_task(function()
    local hosts = serve { ["POST /flush"] = function(request, response) response:send(200, "did " .. request.body) end }
    local o = { hosts = hosts, url = server.url .. "/flush" }
    local _, err = look('return node.http.post(args.url, "it")', o)
    assert.equal("far_look: http.post may change something there, and this is declared SAFE; declare it CAUTION",
      tostring(err))
    assert.equal(0, #server.requests)
    o.class = "CAUTION"
    assert.equal("did it", look('return node.http.post(args.url, "it")', o).body)
  end))

  it("is not led to another host", in_task(function()
    local hosts = serve {
      ["GET /"] = function(_, response) response:send(302, "", { location = server.url .. "/secret" }) end,
    }
    assert.equal(302, look("return node.http.get(args.url)", { hosts = hosts, url = server.url .. "/" }).status)
    assert.equal(1, #server.requests)
  end))

  it("is refused what is no plain address, or one of another host", in_task(function()
    local hosts = serve {}
    local port = server.url:match "%d+$"
    for _, url in ipairs { "file:///etc/passwd", "http://127.0.0.1:" .. port .. "@example.org/", "http://a b/",
      "http://127.0.0.1:" .. port .. "\\@example.org", "gopher://127.0.0.1:" .. port .. "/" } do
      local _, err = look("return node.http.get(args.url)", { hosts = hosts, url = url })
      assert.matches("is no http:// or https:// address; give it as https://host:port/path", tostring(err), 1, true)
    end
    local _, err = look("return node.http.get(args.url)", { hosts = hosts, url = "https://example.org/x" })
    assert.equal("far_look may not reach example.org:443", err.message)
    assert.equal(0, #server.requests)
  end))

  it("is refused a header that would begin another", in_task(function()
    local hosts = serve {}
    local _, err = look([[return node.http.get(args.url, { headers = { A = "b\r\nHost: other" } })]],
      { hosts = hosts, url = server.url .. "/" })
    assert.equal("far_look: A is no header", err.message)
  end))

  for _, name in ipairs { "Host", "Content-Length", "transfer-encoding", "Transfer_Encoding", "CONNECTION" } do
    it("is refused the header " .. name .. ", by which it would be another request than it seems", in_task(function()
      local hosts = serve {}
      local _, err = look(('return node.http.get(args.url, { headers = { ["%s"] = "evil.internal" } })'):format(name),
        { hosts = hosts, url = server.url .. "/" })
      assert.equal(("far_look: the header %s is ours to set; leave it out"):format(name), tostring(err))
      assert.equal(0, #server.requests)
    end))
  end

  it("is not handed more than 256 KiB", in_task(function()
    local hosts = serve { ["GET /"] = function(_, response) response:send(200, ("x"):rep(300 * 1024)) end }
    local _, err = look("return node.http.get(args.url)", { hosts = hosts, url = server.url .. "/" })
    assert.equal(hosts[1] .. " sent more than 262144 bytes", err.message)
  end))

  it("does not wait longer than it says", in_task(function()
    local hosts = serve { ["GET /"] = function() end }
    local _, err = look("return node.http.get(args.url, { seconds = 0.2 })", { hosts = hosts, url = server.url .. "/" })
    assert.equal(hosts[1] .. " gave no answer in time", err.message)
  end))

  it("is not answered by who cannot prove who it is", in_task(function()
    local port = held.free_port()
    local line, release = held.start([[
      umask 077
      HOME=$(mktemp -d) && cd "$HOME" || exit 1
      openssl req -x509 -newkey rsa:2048 -nodes -keyout key -out cert -days 2 -subj /CN=127.0.0.1 \
        -addext subjectAltName=IP:127.0.0.1 2> req.log
      openssl s_server -accept "127.0.0.1:$PORT" -cert cert -key key -www > server.log 2>&1 < /dev/null &
      SERVER=$!
      until grep -q ACCEPT server.log; do kill -0 $SERVER || break; sleep 0.02; done
      echo ready
      read -r UNTIL_CLOSED
      kill -9 $SERVER
      wait
      rm -rf "$HOME"]], {}, held.environment("^OPENSSL", { PORT = tostring(port) }))
    local where = "127.0.0.1:" .. port
    local _, err = look("return node.http.get(args.url)", { hosts = { where }, url = ("https://%s/"):format(where) })
    release()
    assert.equal("ready\n", line)
    assert.matches("^the certificate of " .. where .. " cannot be trusted", err.message)
  end))

  it("reads JSON", in_task(function()
    local hosts = serve { ["GET /"] = function(_, response) response:send(200, '{"a":[1,{"b":null,"c":"d"}]}') end }
    assert.same({ a = { 1, { c = "d" } } }, look("return node.http.decode(node.http.get(args.url).body)",
      { hosts = hosts, url = server.url .. "/" }))
    assert.same({ false }, { look('return node.http.decode "{" or false', { hosts = hosts }) })
  end))
end)

describe("a thousand callbacks", function()
  it("leave nothing open and nothing behind", in_task(function()
    local peer = played.listen(function(socket, chunk) socket:write(chunk) end)
    local server = http_server.start { ["GET /"] = function(_, response) response:send(200, "well") end }
    local hosts = { "127.0.0.1:" .. peer.port, server.url:match "//(.*)" }
    local s = assert(far_skill.load([[
      local c = assert(node.tcp.open("127.0.0.1", args.port))
      assert(c.send "well\r\n")
      local same = c.read_line() == node.http.get(args.url).body
      if same then error "as it should be" end]]))
    local node = { sleep = async.sleep }
    reach.attach(node, assert(reach.hosts(hosts)))
    local function call(times)
      for _ = 1, times do
        local _, err = skill.call(s, "far_look", { server.url .. "/", peer.port }, node)
        assert.matches("as it should be", err.message)
      end
      server.requests = {}
    end
    local function settled(most)
      local deadline = async.now() + held.PATIENCE_S
      while left_open.files() > most and async.now() < deadline do async.sleep(0.01) end
      return left_open.files()
    end
    call(100)
    local files, bytes = left_open.files(), left_open.memory()
    call(1000)
    assert.is_true(settled(files) <= files)
    peer.close()
    server.stop()
    assert.is_true(left_open.memory() - bytes < 1000000) -- the servers' own lists of sockets are most of it
  end))
end)

describe("the config's hosts", function()
  it("hold as they are after an edit, and as they were where the edit has a slip", function()
    local now, node = { "a:1", "b:2" }, {}
    reach.attach(node, assert(reach.hosts(now)), function() return now end)
    local hosts = node.reach.hosts
    now = { "b:2", "c:3" }
    telemetry.emit("reload.config", {}, { applied = { "hosts" } })
    assert.same({ ["b:2"] = true, ["c:3"] = true }, hosts)
    now = { "d" }
    telemetry.emit("reload.config", {}, { applied = { "hosts" } })
    assert.same({ ["b:2"] = true, ["c:3"] = true }, hosts)
  end)

  it("are hosts with their ports, whatever the size of their letters", function()
    assert.same({ ["db.example.org:443"] = true, ["[::1]:6379"] = true },
      reach.hosts { "DB.example.org:443", "[::1]:6379" })
    for _, text in ipairs { "localhost", "*:80", "10.0.0.0/8:80", "a:0", "a:65536", "http://a:80", "a:80/x" } do
      local set, err = reach.hosts { text }
      assert.is_nil(set)
      assert.is_true(failure.is(err))
      assert.equal(("hosts: %s is no host with its port; write it like \"127.0.0.1:6379\" or "
        .. "\"api.example.org:443\""):format(text), tostring(err))
    end
  end)
end)
