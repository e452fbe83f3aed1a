-- The door of a watch over real sockets: who may ask what, and what becomes of a run that was asked for.
-- What investigates is played here; spec/service_spec.lua has the program and a node.

local async = require "runtime.async"
local client = require "spec.support.http_client"
local json = require "runtime.json"
local live = require "spec.support.live_node"
local runs = require "runtime.service.runs"
local service = require "runtime.service"
local until_true = require "spec.support.until_true"

local TOKEN = "0123456789abcdef-token"
local WAITING = "POST /run?wait=30 HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nAuthorization: Bearer %s\r\n"
  .. "Content-Length: 1\r\n\r\nx"
local door, port, asked, hold, nodes, token_file

local function write(path, text, mode)
  local file = assert(io.open(path, "w"))
  file:write(text)
  file:close()
  os.execute(("chmod %s '%s'"):format(mode or "600", path))
  return path
end

local function start(more)
  local o = {
    listen = "127.0.0.1:0", token_file = token_file, nodes = function() return nodes end,
    metrics = function() return "beamlens_info 1\n" end,
    investigate = function(wanted)
      asked[#asked + 1] = wanted
      while hold do
        if not async.sleep(0.005) then return nil, "interrupted" end
      end
      return { schema = 1, verdict = "healthy", reason = wanted.reason }
    end,
  }
  for name, value in pairs(more or {}) do o[name] = value or nil end
  local err
  door, err = service.start(o)
  port = door and tonumber(door.url:match ":(%d+)$")
  return door, err
end

local function ask(method, path, o)
  o = o or {}
  local headers = { Authorization = o.token ~= false and "Bearer " .. (o.token or TOKEN) or nil }
  for name, value in pairs(o.headers or {}) do headers[name] = value end
  return client.ask(port, method, path, { headers = headers, body = o.body })
end

local function post(body, kind, path)
  if type(body) == "table" then body, kind = json.encode(body), "application/json" end
  return ask("POST", path or "/run?wait=30", { body = body, headers = { ["Content-Type"] = kind } })
end

local function someone_asked() return #asked > 0 end

describe("the service of a watch", function()
  before_each(function()
    asked, hold, nodes = {}, false, { { name = "shop@host", state = "up" } }
    token_file = write(os.tmpname(), TOKEN .. "\n")
    start()
  end)
  after_each(function()
    hold = false
    os.remove(token_file)
    async.run(function() if door then door:close() end end)
  end)

  it("is well while a node can be asked, and tells of each", live.test(function()
    local told = ask("GET", "/healthz", { token = false })
    assert.same({ 200, "ok", { { name = "shop@host", state = "up" } } }, { told.status, told.json.status,
      told.json.nodes })
  end))

  it("is not well when no node can be asked", live.test(function()
    nodes = { { name = "shop@host", state = "reconnecting" } }
    assert.equal(503, ask("GET", "/healthz", { token = false }).status)
  end))

  it("gives the figures to whoever is on this machine", live.test(function()
    local told = ask("GET", "/metrics", { token = false })
    assert.same({ 200, "text/plain; version=0.0.4; charset=utf-8", "beamlens_info 1\n" },
      { told.status, told.headers["content-type"], told.body })
  end))

  it("runs for a plain reason and answers with the report when it is waited for", live.test(function()
    local told = post("memory alert", "text/plain")
    assert.same({ 200, "done", "healthy" }, { told.status, told.json.state, told.json.report.verdict })
    assert.same({ { reason = "memory alert", node = "shop@host" } },
      { { reason = asked[1].reason, node = asked[1].node } })
  end))

  it("takes what curl -d sends", live.test(function()
    assert.equal("done", post("memory alert", "application/x-www-form-urlencoded").json.state)
  end))

  it("runs with the skills and on the node that JSON names", live.test(function()
    nodes[2] = { name = "billing@host", state = "up" }
    post { reason = "slow", skills = { "ets", "gc" }, node = "billing@host" }
    assert.same({ "slow", { "ets", "gc" }, "billing@host" }, { asked[1].reason, asked[1].skills, asked[1].node })
  end))

  it("answers at once when it is not waited for, and tells later what came of it", live.test(function()
    hold = true
    local told = post("memory alert", nil, "/run")
    assert.same({ 202, "running", "/runs/" .. told.json.id },
      { told.status, told.json.state, told.headers.location })
    assert.equal("running", ask("GET", told.headers.location).json.state)
    hold = false
    local path = told.headers.location
    until_true("its end", function()
      told = ask("GET", path)
      return told.json.ended_at
    end)
    assert.same({ "done", "healthy" }, { told.json.state, told.json.report.verdict })
  end))

  it("answers 202 when the run takes longer than it is waited for", live.test(function()
    hold = true
    local told = post("memory alert", nil, "/run?wait=0")
    assert.same({ 202, "running" }, { told.status, told.json.state })
  end))

  it("tells why a run failed", live.test(function()
    door:close()
    start { investigate = function() error "the node went" end }
    local told = post "memory alert"
    assert.same({ 200, "failed" }, { told.status, told.json.state })
    assert.matches("the node went", told.json.error.message)
  end))

  it("has one run at a time, a queue behind it, and says when that is full", live.test(function()
    hold = true
    local states = {}
    for i = 1, runs.waiting + 1 do states[i] = post("reason " .. i, nil, "/run").json.state end
    assert.same({ "running", "queued", 1 }, { states[1], states[runs.waiting + 1], #asked })
    local full = post("one more", nil, "/run")
    assert.same({ 429, "60" }, { full.status, full.headers["retry-after"] })
    hold = false
    assert.equal("done", post("reason " .. runs.waiting + 1).json.state)
    assert.equal(runs.waiting + 1, #asked)
  end))

  it("begins so many runs within an hour, and says when there may be another", live.test(function()
    local before = runs.in_an_hour
    runs.in_an_hour = 2
    for i = 1, 2 do assert.equal(200, post("reason " .. i).status) end
    local refused = post "reason 3"
    runs.in_an_hour = before
    assert.same({ 429, 2 }, { refused.status, #asked })
    assert.is_true(tonumber(refused.headers["retry-after"]) > 3500)
  end))

  it("tells of a run what may be told: its reason, its report, why it failed", live.test(function()
    door:close()
    local function hide(value) return (json.encode(value):gsub("hunter2", "<secret>")) end
    start { clean = function(value) return json.decode(hide(value)) end }
    local told = post "password hunter2"
    assert.same({ "password <secret>", "password <secret>" }, { told.json.reason, told.json.report.reason })
    assert.equal("password hunter2", asked[1].reason)
    door:close()
    start { clean = function(value) return json.decode(hide(value)) end,
      investigate = function() return nil, { message = "hunter2 is gone", next = "find hunter2" } end }
    assert.same({ message = "<secret> is gone", next = "find <secret>" }, post("x").json.error)
  end))

  it("leads an alert that is told again to the run that is on", live.test(function()
    hold = true
    local first, second = post("memory alert", nil, "/run"), post("memory alert", nil, "/run")
    assert.same({ first.json.id, 1 }, { second.json.id, #asked })
  end))

  it("forgets the oldest of many runs, and none that goes on", live.test(function()
    local first = post("reason 0").json.id
    for i = 1, runs.kept do post("reason " .. i) end
    assert.equal(404, ask("GET", "/runs/" .. first).status)
    assert.equal(runs.kept, #door.runs.order)
  end))

  it("lets nobody run without the token", live.test(function()
    for _, token in ipairs { false, "wrong", TOKEN .. "x", TOKEN:sub(1, -2), "" } do
      local told = ask("POST", "/run", { body = "x", token = token })
      assert.same({ 401, "Bearer" }, { told.status, told.headers["www-authenticate"] })
    end
    assert.same({}, asked)
  end))

  it("lets nobody read a run without the token", live.test(function()
    local id = post("memory alert").json.id
    assert.equal(401, ask("GET", "/runs/" .. id, { token = false }).status)
  end))

  it("takes the token by that scheme and no other", live.test(function()
    local told = ask("POST", "/run", { body = "x", headers = { Authorization = "Basic " .. TOKEN } })
    assert.equal(401, told.status)
  end))

  it("lets nobody run where no token was set", live.test(function()
    door:close()
    start { token_file = false }
    local told = ask("POST", "/run", { body = "x" })
    assert.same({ 403, "give --token-file" }, { told.status, told.json.error.next })
  end))

  it("answers no page of a browser: not from another origin, and not under another name", live.test(function()
    for _, path in ipairs { "/healthz", "/metrics", "/run", "/runs/00" } do
      local method = path == "/run" and "POST" or "GET"
      local body = path == "/run" and "x" or nil
      assert.equal(403, ask(method, path, { body = body, headers = { Origin = "http://127.0.0.1:" .. port } }).status)
      assert.equal(421, ask(method, path, { body = body, headers = { Host = "evil.example:" .. port } }).status)
    end
    assert.same({}, asked)
  end))

  it("goes by its names on this machine", live.test(function()
    for _, name in ipairs { "localhost", "LOCALHOST", "127.0.0.1", "[::1]" } do
      assert.equal(200, ask("GET", "/healthz", { headers = { Host = ("%s:%d"):format(name, port) } }).status)
    end
    assert.equal(421, ask("GET", "/healthz", { headers = { Host = "localhost:1" } }).status)
  end))

  it("says which methods a path has", live.test(function()
    local told = ask("DELETE", "/run")
    assert.same({ 405, "POST" }, { told.status, told.headers.allow })
    assert.equal("GET, HEAD", ask("PUT", "/metrics", { body = "" }).headers.allow)
  end))

  it("shows a run by the name that its report has in the store, too", live.test(function()
    door:close()
    start { investigate = function() return { verdict = "healthy", run = "r26" } end }
    local id = post("memory alert").json.id
    assert.equal(id, ask("GET", "/runs/r26").json.id)
  end))

  it("says of a run that is not there that it is the run", live.test(function()
    local told = ask("GET", "/runs/r27")
    assert.same({ 404, "there is no run r27, or it was forgotten" }, { told.status, told.json.error.message })
  end))

  it("says with each refusal what to do", live.test(function()
    for _, told in ipairs { ask("DELETE", "/healthz"), post '{"resaon":"x"}', post { reason = 5 }, ask("GET", "/x") } do
      assert.is_string(told.json.error.next)
    end
  end))

  it("knows its paths and no other", live.test(function()
    for _, path in ipairs { "/", "/run/", "/runs/", "/runs/../etc/passwd", "/runs/xyz", "//run", "/healthz/x" } do
      assert.equal(404, ask("GET", path).status)
    end
  end))

  -- The body, its kind, and a part of what is said of it.
  local REFUSED = {
    { "", "text/plain", "say why" }, { "  \n ", "text/plain", "say why" },
    { "\255\254", "text/plain", "UTF%-8" }, { "{", "application/json", "breaks off" },
    { '{"reason" "x"}', "application/json", "no JSON from character %d+ on" },
    { "null", "application/json", "no JSON" }, { "[]", "application/json", "say why in reason" },
    { "1", "application/json", "no JSON" }, { '{"reason":""}', "application/json", "say why" },
    { '{"reason":5}', "application/json", "say why" }, { '{"raeson":"x"}', "application/json", "no field raeson" },
    { '{"reason":"x","skills":"ets"}', "application/json", "list" },
    { '{"reason":"x","skills":[]}', "application/json", "list" },
    { '{"reason":"x","skills":["../evil.lua"]}', "application/json", "word" },
    { '{"reason":"x","skills":["/tmp/a"]}', "application/json", "word" },
    { '{"reason":"x","skills":[1]}', "application/json", "word" },
    { '{"reason":"x","node":5}', "application/json", "node must be" },
    { '{"reason":"x","node":"other@host"}', "application/json", 'no node "other@host"' },
    { ("["):rep(5000), "application/json", "no JSON" },
  }
  for _, case in ipairs(REFUSED) do
    it(("refuses %s"):format(case[1] == "" and "nothing" or json.encode(case[1]:sub(1, 60))), live.test(function()
      local told = post(case[1], case[2])
      assert.equal(400, told.status)
      assert.matches(case[3], told.json.error.message)
      assert.same({}, asked)
    end))
  end

  it("knows JSON by its first character where curl calls it a form", live.test(function()
    local body = json.encode { reason = "slow", skills = { "beam" } }
    for _, kind in ipairs { "application/x-www-form-urlencoded", "" } do
      assert.equal("done", post(body, kind).json.state)
    end
    assert.same({ "slow", { "beam" } }, { asked[1].reason, asked[1].skills })
    assert.same({ "slow", { "beam" } }, { asked[2].reason, asked[2].skills })
  end))

  it("takes a text for a text where it is called one", live.test(function()
    assert.equal("{slow}", post("{slow}", "text/plain").json.reason)
  end))

  it("goes to the node that the address names, with a text and with JSON", live.test(function()
    nodes[2] = { name = "billing@host", state = "up" }
    for _, body in ipairs { "slow", '{"reason":"slow again"}' } do
      assert.equal("billing@host", post(body, nil, "/run?wait=30&node=billing@host").json.node)
    end
    assert.same({ "billing@host", "billing@host" }, { asked[1].node, asked[2].node })
  end))

  it("has the labels of an alert go before the address", live.test(function()
    nodes[2] = { name = "billing@host", state = "up" }
    local alert = { alerts = { { labels = { alertname = "A", node = "billing@host" } } } }
    assert.equal("billing@host", post(alert, nil, "/run?wait=30&node=shop@host").json.node)
  end))

  it("refuses two nodes in one asking", live.test(function()
    nodes[2] = { name = "billing@host", state = "up" }
    local told = post({ reason = "slow", node = "billing@host" }, nil, "/run?node=shop@host")
    assert.same({ 400, {} }, { told.status, asked })
    assert.matches("another node than the address", told.json.error.message)
  end))

  it("refuses a word behind ? that it does not know", live.test(function()
    local told = post("slow", "text/plain", "/run?nodes=shop@host")
    assert.same({ 400, 'there is no "nodes" to ask with', {} }, { told.status, told.json.error.message, asked })
    assert.matches("wait=SECONDS and node=NAME", told.json.error.next)
  end))

  it("refuses what is neither text nor JSON", live.test(function()
    assert.equal(415, post("<a/>", "application/xml").status)
  end))

  it("refuses a wait that is none", live.test(function()
    for _, wait in ipairs { "x", "-1", "601", "1e2", "" } do
      assert.equal(400, post("x", "text/plain", "/run?wait=" .. wait).status)
    end
  end))

  it("wants to know which of several nodes", live.test(function()
    nodes[2] = { name = "billing@host", state = "up" }
    local told = post "memory alert"
    assert.same({ 400, "one of shop@host, billing@host" }, { told.status, told.json.error.next })
    assert.matches("/run%?node=NAME", told.json.error.message)
  end))

  it("begins no run that still waits when it is closed", live.test(function()
    hold = true
    for i = 1, 6 do post("reason " .. i, nil, "/run") end
    local waited = door.runs.order[6]
    door:close()
    door = nil
    assert.same({ 1, "failed", "the watch ended before its turn" }, { #asked, waited.state, waited.error.message })
    assert.is_nil(waited.started_at)
  end))

  it("ends connections and runs when it is closed", live.test(function()
    hold = true
    local c = client.connect(port)
    c:write(WAITING:format(port, TOKEN))
    until_true("the run", someone_asked)
    local run = door.runs.order[1]
    door:close()
    assert.same({ "failed", "interrupted" }, { run.state, run.error.message })
    assert.matches("^HTTP/1.1 503 .*the watch ends; ask again", c:rest())
    c:close()
    door = nil
  end))

  it("stops waiting for a client that has gone", live.test(function()
    hold = true
    local c = client.connect(port)
    c:write(WAITING:format(port, TOKEN))
    until_true("the run", someone_asked)
    c:close()
    until_true("the end of the connection", function() return door.server.count == 0 end)
    assert.equal("running", door.runs.order[1].state)
  end))

  describe("begins", function()
    before_each(function()
      async.run(function() door:close() end)
      door = nil
    end)

    local function refused(more, pattern)
      local started, err = start(more)
      assert.is_nil(started)
      assert.matches(pattern, tostring(err))
      assert.equal(2, err.exit)
    end

    it("with no address that is none", function()
      for _, text in ipairs { "9464", "127.0.0.1", "host:9464", "127.0.0.1:99999", "127.0.0.999:1", ":1", "[::1:1" } do
        refused({ listen = text }, "give it as 127.0.0.1:9464")
      end
    end)

    it("nowhere else than on this machine without a token", function()
      refused({ listen = "0.0.0.0:0", token_file = false }, "every path wants a token")
    end)

    it("with no token that others may read, or that is short, or that is not there", function()
      refused({ token_file = write(token_file, TOKEN, "644") }, "may be read by others")
      refused({ token_file = write(token_file, "short", "600") }, "one word of 16 characters.*urandom")
      refused({ token_file = token_file .. ".no" }, "there is no token file")
    end)

    it("with the token for every path where others can reach it", live.test(function()
      assert(start { listen = "0.0.0.0:0" })
      for _, path in ipairs { "/healthz", "/metrics", "/nothing" } do
        assert.equal(401, ask("GET", path, { token = false }).status)
      end
      assert.equal(200, ask("GET", "/healthz", { headers = { Host = "watch.example" } }).status)
    end))
  end)
end)
