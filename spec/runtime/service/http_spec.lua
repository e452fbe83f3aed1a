-- The server against what clients write: what is no HTTP, what is too long, too slow or too much.

local async = require "runtime.async"
local client = require "spec.support.http_client"
local connection = require "runtime.service.connection"
local held = require "spec.support.held"
local http = require "runtime.service.http"
local live = require "spec.support.live_node"

local server, seen, hold

local function answer(r)
  seen[#seen + 1] = r
  while hold and async.sleep(0.005) do end
  return { status = 200, kind = "text/plain", body = ("%s %s %s"):format(r.method, r.path, r.body) }
end

local function no() return nil end
local function shows_token(r) return r.headers.authorization ~= nil end

local LONG = ("x"):rep(9000)
local function many(n)
  local lines = {}
  for i = 1, n do lines[i] = ("H%d: v\r\n"):format(i) end
  return table.concat(lines)
end

local HOST = "Host: h\r\n"

-- What it is, what is written, and the status that says what is wrong with it.
local MALFORMED = {
  { "an empty line", "\r\n\r\n", 400 },
  { "binary bytes", "\0\1\2\255\r\n\r\n", 400 },
  { "a TLS hello", "\22\3\1\2\0\1\0\1\252\3\3\r\n\r\n", 400 },
  { "one word", "GET\r\n\r\n", 400 },
  { "no version", "GET /\r\n" .. HOST .. "\r\n", 400 },
  { "a method in small letters", "get / HTTP/1.1\r\n" .. HOST .. "\r\n", 400 },
  { "a method with a digit", "GET1 / HTTP/1.1\r\n" .. HOST .. "\r\n", 400 },
  { "a method without an end", ("G"):rep(40) .. " / HTTP/1.1\r\n" .. HOST .. "\r\n", 400 },
  { "two spaces", "GET  / HTTP/1.1\r\n" .. HOST .. "\r\n", 400 },
  { "a tab for a space", "GET\t/\tHTTP/1.1\r\n" .. HOST .. "\r\n", 400 },
  { "a space before the line", " GET / HTTP/1.1\r\n" .. HOST .. "\r\n", 400 },
  { "a space after the version", "GET / HTTP/1.1 \r\n" .. HOST .. "\r\n", 400 },
  { "HTTP in small letters", "GET / http/1.1\r\n" .. HOST .. "\r\n", 400 },
  { "HTTP/2 as a version", "GET / HTTP/2.0\r\n" .. HOST .. "\r\n", 505 },
  { "the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505 },
  { "HTTP/0.9 as a version", "GET / HTTP/0.9\r\n" .. HOST .. "\r\n", 505 },
  { "HTTP/1.2", "GET / HTTP/1.2\r\n" .. HOST .. "\r\n", 505 },
  { "a version of many digits", "GET / HTTP/11.11\r\n" .. HOST .. "\r\n", 400 },
  { "a whole address for a path", "GET http://h/ HTTP/1.1\r\n" .. HOST .. "\r\n", 400 },
  { "an authority for a path", "CONNECT h:80 HTTP/1.1\r\n" .. HOST .. "\r\n", 400 },
  { "a star for a path", "OPTIONS * HTTP/1.1\r\n" .. HOST .. "\r\n", 400 },
  { "a path without a slash", "GET run HTTP/1.1\r\n" .. HOST .. "\r\n", 400 },
  { "a fragment in the path", "GET /a#b HTTP/1.1\r\n" .. HOST .. "\r\n", 400 },
  { "bytes above ASCII in the path", "GET /\195\164 HTTP/1.1\r\n" .. HOST .. "\r\n", 400 },
  { "a control in the path", "GET /\127 HTTP/1.1\r\n" .. HOST .. "\r\n", 400 },
  { "a path that is too long", "GET /" .. ("a"):rep(3000) .. " HTTP/1.1\r\n" .. HOST .. "\r\n", 414 },
  { "a line that ends with LF alone", "GET / HTTP/1.1\nHost: h\r\n\r\n", 400 },
  { "a header that ends with LF alone", "GET / HTTP/1.1\r\nHost: h\nX: y\r\n\r\n", 400 },
  { "a CR inside a header", "GET / HTTP/1.1\r\nHost: h\r\nX: a\rb\r\n\r\n", 400 },
  { "a NUL in a header", "GET / HTTP/1.1\r\nHost: h\r\nX: a\0b\r\n\r\n", 400 },
  { "an escape in a header", "GET / HTTP/1.1\r\nHost: h\r\nX: \27[2J\r\n\r\n", 400 },
  { "a header without a colon", "GET / HTTP/1.1\r\nHost: h\r\nnonsense\r\n\r\n", 400 },
  { "a header without a name", "GET / HTTP/1.1\r\nHost: h\r\n: v\r\n\r\n", 400 },
  { "a space before the colon", "GET / HTTP/1.1\r\nHost : h\r\n\r\n", 400 },
  { "a folded header", "GET / HTTP/1.1\r\nHost: h\r\nX: a\r\n b\r\n\r\n", 400 },
  { "a header name in brackets", "GET / HTTP/1.1\r\nHost: h\r\n(X): a\r\n\r\n", 400 },
  { "no Host", "GET / HTTP/1.1\r\nX: y\r\n\r\n", 400 },
  { "two of Host", "GET / HTTP/1.1\r\nHost: h\r\nHost: g\r\n\r\n", 400 },
  { "two lengths", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", 400 },
  { "two lengths that are the same", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\na",
    400 },
  { "a list of lengths", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1, 1\r\n\r\na", 400 },
  { "a length with a sign", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: +1\r\n\r\na", 400 },
  { "a length below nothing", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: -1\r\n\r\na", 400 },
  { "a length in hex", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0x1\r\n\r\na", 400 },
  { "a length with a fraction", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1.0\r\n\r\na", 400 },
  { "an empty length", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: \r\n\r\na", 400 },
  { "a length beyond numbers", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: " .. ("9"):rep(40) .. "\r\n\r\n", 400 },
  { "a body that is too long", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 65537\r\n\r\n", 413 },
  { "a body without a length", "POST / HTTP/1.1\r\nHost: h\r\n\r\n", 411 },
  { "a body in chunks", "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n", 411 },
  { "chunks and a length", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n",
    411 },
  { "chunks by another spelling", "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: \tChunked\r\n\r\n0\r\n\r\n", 411 },
  { "an expectation nobody knows", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nExpect: coffee\r\n\r\na", 417 },
  { "a head that is too long", "GET / HTTP/1.1\r\nHost: h\r\nX: " .. LONG .. "\r\n\r\n", 431 },
  { "a head without an end", "GET / HTTP/1.1\r\nHost: h\r\nX: " .. LONG .. LONG, 431 },
  { "a first line without an end", ("A"):rep(20000), 431 },
  { "too many headers", "GET / HTTP/1.1\r\nHost: h\r\n" .. many(65) .. "\r\n", 431 },
}

local function until_count(n)
  local patience = async.now() + held.PATIENCE_S
  while server.count > n do
    assert(async.now() < patience, "a connection stays")
    async.sleep(0.01)
  end
end

local function until_gone() until_count(0) end

describe("the HTTP server", function()
  before_each(function()
    seen, hold = {}, false
    server = assert(http.listen("127.0.0.1", 0, { refuse = no, knows = shows_token, answer = answer }))
  end)
  after_each(function()
    async.run(function()
      server:close()
      until_gone()
    end)
  end)

  for _, case in ipairs(MALFORMED) do
    it(("answers %d to %s, and asks nobody"):format(case[3], case[1]), live.test(function()
      local told = client.raw(server.port, case[2])
      assert.same({ case[3], "close", 0 }, { told.status, told.headers.connection, #seen })
      assert.is_string(told.json.error.message)
    end))
  end

  it("answers a request, with the body that came in many pieces", live.test(function()
    local c = client.connect(server.port)
    for byte in ("POST /run?wait=3&x=%20a HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello")
      :gmatch "." do
      c:write(byte)
      async.sleep(0)
    end
    assert.matches("^HTTP/1.1 200 OK\r\n.*\r\n\r\nPOST /run hello$", c:rest())
    assert.same({ wait = "3", x = " a" }, seen[1].query)
    c:close()
  end))

  it("answers one request after the other on a connection that is kept", live.test(function()
    local c = client.connect(server.port)
    local one = "GET /%s HTTP/1.1\r\nHost: h\r\n\r\n"
    c:write(one:format "a" .. one:format "b") -- the second does not wait for the first's answer
    c:wait(function() return c.heard:find "GET /b" end)
    c:write "GET /c HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"
    local _, count = c:rest():gsub("HTTP/1.1 200 OK", "")
    assert.same({ 3, "/a", "/b", "/c" }, { count, seen[1].path, seen[2].path, seen[3].path })
    c:close()
  end))

  it("says to go on to a client that waits for it before its body", live.test(function()
    local c = client.connect(server.port)
    c:write "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n"
    c:wait(function() return c.heard:find "100 Continue\r\n\r\n" end)
    c:write "ok"
    assert.matches("200 OK.*POST / ok$", c:rest())
    c:close()
  end))

  it("sends no body to HEAD, and its length nevertheless", live.test(function()
    local told = client.ask(server.port, "HEAD", "/x")
    assert.same({ 200, "8", "" }, { told.status, told.headers["content-length"], told.body })
  end))

  it("closes after HTTP/1.0", live.test(function()
    local told = client.raw(server.port, "GET / HTTP/1.0\r\n\r\n")
    assert.same({ 200, "close" }, { told.status, told.headers.connection })
  end))

  it("ends a client that sends its head a byte at a time for ever", live.test(function()
    local before = connection.head_s
    connection.head_s = 0.3
    local c = client.connect(server.port)
    local writing = async.spawn(function()
      for i = 1, 10000 do
        if c.closed then return i end
        c:write(i == 1 and "GET / HTTP/1.1\r\nX: " or "a")
        async.sleep(0.02)
      end
    end)
    assert.matches("^HTTP/1.1 408 ", c:rest())
    writing:join()
    connection.head_s = before
    c:close()
    assert.equal(0, #seen)
  end))

  it("ends a client that does not send the body it promised", live.test(function()
    local before = connection.body_s
    connection.body_s = 0.2
    local told = client.raw(server.port, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nhalf")
    connection.body_s = before
    assert.same({ 408, 0 }, { told.status, #seen })
  end))

  it("forgets a client that goes in the middle of its head", live.test(function()
    local c = client.connect(server.port)
    c:write "GET / HT"
    c:close()
    until_gone()
    assert.equal(200, client.ask(server.port, "GET", "/").status)
  end))

  it("keeps 128 of 200 connections, tells the others so, and serves again when they are gone", live.test(function()
    local clients, turned_away = {}
    for i = 1, 200 do clients[i] = client.connect(server.port) end
    local patience = async.now() + held.PATIENCE_S
    repeat
      turned_away = 0
      for _, c in ipairs(clients) do
        turned_away = turned_away + (c.closed and c.heard:find "^HTTP/1.1 503 " and 1 or 0)
      end
      async.sleep(0.01)
    until turned_away == 72 or async.now() > patience
    assert.same({ 72, 128 }, { turned_away, server.count })
    for _, c in ipairs(clients) do c:close() end
    until_gone()
    assert.equal(200, client.ask(server.port, "GET", "/").status)
  end))

  -- So many clients that say nothing, there when this returns.
  local function silent(n)
    local clients, before = {}, server.count
    for i = 1, n do clients[i] = client.connect(server.port) end
    local patience = async.now() + held.PATIENCE_S
    while server.clearing or server.count ~= math.min(before + n, http.connections) do
      assert(async.now() < patience, "not all came")
      async.sleep(0.005)
    end
    return clients
  end

  it("serves whoever comes while silent clients hold all the room, and these leave in the order of coming",
    live.test(function()
      local clients = silent(http.connections)
      for _ = 1, 3 do
        assert.equal(200, client.ask(server.port, "GET", "/").status)
        silent(1)
      end
      assert.matches("^HTTP/1.1 503 ", clients[1]:rest())
      assert.is_nil(clients[http.connections].closed)
    end))

  it("has strangers leave before who showed the token, however long that one has been silent", live.test(function()
    local known = client.connect(server.port)
    known:write "GET /a HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer x\r\n\r\n"
    known:wait(function() return known.heard:find "GET /a" end)
    local strangers = silent(http.connections + 5)
    strangers[1]:rest()
    known:write "GET /b HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"
    assert.matches("GET /b", known:rest())
  end))

  it("turns away who comes when all the others are being answered", live.test(function()
    hold = true
    local clients = {}
    for i = 1, http.connections do
      clients[i] = client.connect(server.port)
      clients[i]:write "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"
    end
    local patience = async.now() + held.PATIENCE_S
    while #seen < http.connections and async.now() < patience do async.sleep(0.005) end
    assert.matches("^HTTP/1.1 503 ", client.connect(server.port):rest())
    hold = false
    for i = 1, http.connections do assert.matches("^HTTP/1.1 200 ", clients[i]:rest()) end
  end))

  it("keeps 32 of the connections of one address elsewhere", live.test(function()
    local new = connection.new
    connection.new = function(handle)
      local c = new(handle)
      c.peer = "192.0.2.7"
      return c
    end
    local clients = {}
    for i = 1, 36 do clients[i] = client.connect(server.port) end
    for i = 1, 4 do assert.matches("^HTTP/1.1 503 ", clients[i]:rest()) end
    connection.new = new
    until_count(32)
    assert.is_nil(clients[36].closed)
  end))

  it("takes no more than 512 at a time, whoever they are", live.test(function()
    local most, patience_s = http.most, http.patience_s
    http.most, http.patience_s = 40, held.PATIENCE_S
    local clients = {}
    for i = 1, 41 do clients[i] = client.connect(server.port) end
    assert.matches("^HTTP/1.1 503 ", clients[41]:rest())
    http.most, http.patience_s = most, patience_s
    assert.same({ 512, 40 }, { most, server.count })
  end))

  it("waits a shorter time for the next request of a stranger", live.test(function()
    local before = connection.stranger_s
    connection.stranger_s = 0.05
    local stranger, known = client.connect(server.port), client.connect(server.port)
    stranger:write "GET /a HTTP/1.1\r\nHost: h\r\n\r\n"
    known:write "GET /b HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer x\r\n\r\n"
    known:wait(function() return known.heard:find "GET /b" end)
    assert.matches("GET /a", stranger:rest())
    connection.stranger_s = before
    assert.same({ true, nil }, { stranger.closed, known.closed })
  end))

  it("ends every connection when it is closed", live.test(function()
    local c = client.connect(server.port)
    c:write "GET / HT"
    local patience = async.now() + held.PATIENCE_S
    while server.count == 0 and async.now() < patience do async.sleep(0.005) end
    server:close()
    assert.equal("", c:rest())
    c:close()
  end))

  it("tells who waits for an answer that it is closed", live.test(function()
    hold = true
    local c = client.connect(server.port)
    c:write "POST /run HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n"
    local patience = async.now() + held.PATIENCE_S
    while #seen == 0 and async.now() < patience do async.sleep(0.005) end
    server:close()
    local told = c:rest()
    assert.matches("^HTTP/1.1 503 ", told)
    assert.matches("the watch ends; ask again when it was started anew", told)
    c:close()
  end))

  it("says that somebody listens there already", function()
    local second, err = http.listen("127.0.0.1", server.port, {})
    assert.is_nil(second)
    assert.matches("cannot listen on 127.0.0.1:%d+ %(EADDRINUSE%); end what listens there", tostring(err))
  end)
end)
