-- Real sockets on the loop that the program uses; what should go wrong is done by the server.
local uv = require "luv"
local http = require "host.http"
local http_server = require "spec.support.http_server"

-- Turns the loop until something holds. The timer is the spec's own end, never what is tested.
local function turn_until(holds)
  local guard, over = uv.new_timer(), false
  guard:start(20000, 0, function() over = true end)
  while not holds() and not over do uv.run "once" end
  guard:close()
  assert(not over, "it never came")
end

local function turn_a_while(ms)
  local done
  local timer = uv.new_timer()
  timer:start(ms, 0, function() done = true end)
  turn_until(function() return done end)
  timer:close()
end

describe("http", function()
  local server, mute, streams, taken

  setup(function()
    server = http_server.start {
      ["GET /plain"] = function(_, response) response:send(200, "hello", { ["x-kind"] = "plain" }) end,
      ["POST /echo"] = function(request, response) response:send(200, request.raw) end,
      ["GET /busy"] = function(_, response) response:send(529, "busy") end,
      ["GET /moved"] = function(_, response) response:send(302, "", { location = "http://127.0.0.1:1/" }) end,
      ["GET /mute"] = function(_, response) mute = response end,
      ["GET /stream"] = function(_, response)
        streams = (streams or 0) + 1
        response:stream()
        for i = 1, 3 do
          response:write("piece " .. i .. "\n")
          response:pause(5)
        end
        response:finish()
      end,
      ["GET /steps"] = function(_, response)
        response:stream()
        for i = 1, 3 do
          response:write("piece " .. i .. "\n")
          while taken < i do response:pause(1) end
        end
        response:finish()
      end,
      ["GET /slow"] = function(_, response)
        response:stream()
        for _ = 1, 8 do
          response:write "."
          response:pause(60)
        end
        response:finish()
      end,
      ["GET /stalls"] = function(_, response)
        response:stream()
        response:write "first"
      end,
      ["GET /cut"] = function(_, response)
        response:stream()
        response:write "half"
        response:cut()
      end,
      ["GET /large"] = function(_, response) response:send(200, ("x"):rep(8 * 1024 * 1024)) end,
      ["GET /headers"] = function(_, response)
        local many = {}
        for i = 1, 40 do many["x-" .. i] = ("h"):rep(8000) end
        response:send(200, "", many)
      end,
    }
  end)

  teardown(function()
    server.stop()
    uv.run "nowait"
  end)

  -- Starts a request and writes down all that is called.
  local function start(path, more)
    local log = { data = {}, headers = {} }
    local options = { url = server.url .. path,
      on_header = function(bytes) log.headers[#log.headers + 1] = bytes end,
      on_data = function(bytes) log.data[#log.data + 1] = bytes end,
      on_done = function(status, err, code)
        log.ends = (log.ends or 0) + 1
        log.status, log.err, log.code = status, err, code
      end }
    for key, value in pairs(more or {}) do options[key] = value end
    log.handle = assert(http.request(options))
    function log.body() return table.concat(log.data) end
    function log.wait()
      turn_until(function() return log.ends end)
      return log
    end
    return log
  end

  it("delivers headers, body and status", function()
    local log = start("/plain").wait()
    assert.same({ 200, "hello", 0 }, { log.status, log.body(), log.code })
    assert.matches("x%-kind: plain", table.concat(log.headers))
  end)

  it("sends method, headers and a body of any bytes", function()
    local log = start("/echo", { headers = { "X-One: 1" }, body = "a\0b" }).wait()
    assert.matches("^POST /echo HTTP/1.1\r\n", log.body())
    assert.matches("\r\nX%-One: 1\r\n", log.body())
    assert.equal("a\0b", log.body():sub(-3))
  end)

  it("sends a long body at once, asking nobody to allow it first", function()
    start("/echo", { body = ("b"):rep(2 * 1024 * 1024) }).wait()
    assert.is_nil(server.requests[#server.requests].headers.expect)
  end)

  it("takes a bad status for an answer", function()
    local log = start("/busy").wait()
    assert.same({ 529, "busy" }, { log.status, log.body() })
  end)

  it("follows no redirect", function()
    local before = #server.requests
    assert.equal(302, start("/moved").wait().status)
    assert.equal(before + 1, #server.requests)
  end)

  it("delivers a stream piece by piece", function()
    local pieces = {}
    taken = 0
    start("/steps", { on_data = function(bytes)
      pieces[#pieces + 1] = bytes
      taken = taken + 1
    end }).wait()
    assert.same({ "piece 1\n", "piece 2\n", "piece 3\n" }, pieces)
  end)

  it("ends at the total time-out though bytes keep coming", function()
    local log = start("/slow", { timeout_ms = 150 }).wait()
    assert.is_nil(log.status)
    assert.matches("^http: 127.0.0.1:%d+ took too long", log.err)
    assert.equal(28, log.code)
  end)

  it("ends when nothing has come for the idle time-out", function()
    local log = start("/stalls", { idle_ms = 500 }).wait()
    assert.equal("first", log.body())
    assert.matches("^http: 127.0.0.1:%d+ has sent nothing for 500 ms$", log.err)
  end)

  it("ends when the answer never begins", function()
    assert.matches("has sent nothing for 80 ms", start("/mute", { idle_ms = 80 }).wait().err)
    assert.is_truthy(mute)
  end)

  it("does not call idle what keeps coming", function()
    local log = start("/slow", { idle_ms = 400 }).wait()
    assert.same({ 200, "........" }, { log.status, log.body() })
  end)

  it("looks at the socket once more when a computation outlasted the idle time-out", function()
    local log
    log = start("/slow", { idle_ms = 250, on_data = function(bytes)
      log.data[#log.data + 1] = bytes
      local till = uv.hrtime() + 3e8
      while #log.data == 1 and uv.hrtime() < till do end
    end })
    assert.equal(200, log.wait().status)
  end)

  it("says in a sentence what went wrong", function()
    assert.matches("^http: 127.0.0.1:%d+ ended the connection in the middle", start("/cut").wait().err)
    assert.matches("sent headers of more than 256 kB", start("/headers").wait().err)
    local log = start("", { url = "http://127.0.0.1:1/?key=secret" }).wait()
    assert.equal("http: nothing answers at 127.0.0.1:1: check the address and the network", log.err)
    log = start("", { url = "http://no-such-name.invalid/" }).wait()
    assert.matches("^http: no%-such%-name.invalid:80 has no address", log.err)
  end)

  describe("beside a proxy that the environment names", function()
    local proxy

    before_each(function()
      proxy = http_server.start {}
      uv.os_setenv("http_proxy", proxy.url)
    end)

    after_each(function()
      uv.os_unsetenv "http_proxy"
      proxy.stop()
    end)

    it("asks what is on this machine itself, however it is written", function()
      for _, host in ipairs { "127.0.0.1", "localhost", "LOCALHOST", "LocalHost" } do
        local log = start("", { url = server.url:gsub("127%.0%.0%.1", host) .. "/plain" }).wait()
        assert.same({ 200, "hello" }, { log.status, log.body() })
      end
      assert.equal(0, #proxy.requests)
    end)

    it("leaves to it a name that only looks like an address of this machine", function()
      for _, host in ipairs { "127.0.0.999", "127.0.0.1.example" } do
        assert.equal(404, start("", { url = ("http://%s/"):format(host) }).wait().status)
        assert.equal(("http://%s/"):format(host), proxy.requests[#proxy.requests].path)
      end
    end)
  end)

  it("refuses what is no web address", function()
    for _, url in ipairs { "file:///etc/passwd", "ftp://127.0.0.1/", "nonsense", "http://a\0b" } do
      local handle, err = http.request { url = url, on_done = function() end }
      assert.is_nil(handle)
      assert.equal("http: this is no http:// or https:// address", err)
    end
  end)

  it("refuses a header that would begin another", function()
    assert.error_matches(function()
      http.request { url = server.url, headers = { "A: 1\r\nB: 2" }, on_done = function() end }
    end, "a header holds a line end")
  end)

  it("calls nothing after cancel, wherever it is called", function()
    for _, place in ipairs { "on_header", "on_data" } do
      local log, calls = nil, 0
      log = start("/stream", { [place] = function()
        calls = calls + 1
        log.handle:cancel()
      end })
      turn_a_while(60)
      assert.same({ 1, nil }, { calls, log.ends })
    end
    local log = start "/stream"
    assert.is_true(log.handle:cancel())
    assert.is_false(log.handle:cancel())
    turn_a_while(60)
    assert.same({ {}, nil }, { log.data, log.ends })
  end)

  it("lets on_done cancel what is over", function()
    local over
    local log
    log = start("/plain", { on_done = function() over = log.handle:cancel() end })
    turn_until(function() return over ~= nil end)
    assert.is_false(over)
  end)

  it("runs a request started inside a callback", function()
    local inner
    local outer = start("/stream", { on_data = function() inner = inner or start "/plain" end })
    outer.wait()
    assert.equal("hello", inner.wait().body())
  end)

  it("holds back everything while paused", function()
    local log = start "/stream"
    turn_until(function() return #log.data == 1 end)
    log.handle:pause(true)
    turn_a_while(60)
    assert.same({ "piece 1\n" }, log.data)
    assert.is_nil(log.ends)
    log.handle:pause(false)
    assert.equal("piece 1\npiece 2\npiece 3\n", log.wait().body())
  end)

  it("counts no idle time while paused", function()
    local log
    log = start("/slow", { idle_ms = 1000, on_header = function() log.handle:pause(true) end })
    turn_a_while(2000)
    assert.is_nil(log.ends)
    log.handle:pause(false)
    assert.equal(200, log.wait().status)
  end)

  it("holds an end back that came together with the bytes", function()
    local log
    log = start("/plain", { on_header = function() log.handle:pause(true) end })
    turn_a_while(40)
    assert.same({ {}, nil }, { log.data, log.ends })
    log.handle:pause(false)
    assert.same({ 200, "hello" }, { log.wait().status, log.body() })
  end)

  it("hands over at most about a megabyte at a time", function()
    local log = start("/large").wait()
    assert.equal(8 * 1024 * 1024, #log.body())
    for _, piece in ipairs(log.data) do assert.is_true(#piece <= 1024 * 1024) end
  end)

  it("ends a transfer whose callback raises, and only that", function()
    local other = start "/stream"
    local log = start("/stream", { on_data = function() error "slip" end }).wait()
    assert.same({ nil, 1, 42 }, { log.status, log.ends, log.code })
    assert.matches("^http: fault in on_data: .*slip$", log.err)
    assert.equal(200, other.wait().status)
  end)

  it("goes on when the module is loaded once more", function()
    local log = start "/stream"
    package.loaded["host.http"] = nil
    local again = require "host.http"
    collectgarbage()
    collectgarbage()
    assert.equal(200, log.wait().status)
    local status
    assert(again.request { url = server.url .. "/plain", on_done = function(s) status = s end })
    turn_until(function() return status end)
    assert.equal(200, status)
  end)

  it("outlives an on_done that raises", function()
    local raised
    start("/plain", { on_done = function()
      raised = true
      error "slip in on_done, told here on purpose"
    end })
    turn_until(function() return raised end)
    assert.equal("hello", start("/plain").wait().body())
  end)

  it("survives any number of streams at once", function()
    local logs = {}
    streams = 0
    for i = 1, 200 do logs[i] = start "/stream" end
    for _, log in ipairs(logs) do
      assert.equal("piece 1\npiece 2\npiece 3\n", log.wait().body())
      assert.equal(1, log.ends)
    end
    assert.equal(200, streams)
  end)

  it("survives cancelling at every moment", function()
    math.randomseed(7)
    for round = 1, 100 do
      local log
      local n, after = 0, round % 7
      local function maybe()
        n = n + 1
        if n == after then log.handle:cancel() end
      end
      log = start("/stream", { on_header = maybe, on_data = maybe })
      for _ = 1, math.random(0, 6) do uv.run "nowait" end
      if round % 3 == 0 then log.handle:cancel() end
    end
    assert.equal("hello", start("/plain").wait().body())
  end)

  it("keeps a transfer alive that nobody holds, and frees it after", function()
    local seen = setmetatable({}, { __mode = "k" })
    local done
    seen[http.request { url = server.url .. "/stream", on_done = function() done = true end }] = true
    collectgarbage()
    turn_until(function() return done end)
    collectgarbage()
    collectgarbage()
    assert.is_nil(next(seen))
  end)
end)
