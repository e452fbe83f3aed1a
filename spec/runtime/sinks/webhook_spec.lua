-- The webhook against a real server, which goes by the signature as a user's would.

local async = require "runtime.async"
local crypto = require "host.crypto"
local http_server = require "spec.support.http_server"
local json = require "runtime.json"
local live = require "spec.support.live_node"
local until_true = require "spec.support.until_true"
local webhook = require "runtime.sinks.webhook"

local SECRET = "whsec_0123456789"
local ITEM = { event = "coordinator.insight_produced", at = "2026-01-01T12:00:00.000Z", measurements = json.object {},
  metadata = { severity = "critical", summary = "orders_inbox grows" } }

local server, secret_file, before, answers, elsewhere

-- What a server has to do: the time is not old, and the bytes are those that were signed.
local function is_ours(request)
  local at, given = request.headers["beamlens-timestamp"], request.headers["beamlens-signature"]
  return math.abs(os.time() - tonumber(at)) < 300
    and crypto.same(given, "v1=" .. crypto.hmac(SECRET, at .. "." .. request.body))
end

local function sink(more)
  local settings = { url = server.url .. "/hook", secret_file = secret_file }
  for name, value in pairs(more or {}) do settings[name] = value end
  return assert(webhook.open(settings))
end

describe("the webhook", function()
  before_each(function()
    answers, elsewhere = {}, 0
    server = http_server.start {
      ["POST /hook"] = function(_, response)
        local answer = table.remove(answers, 1) or { 204 }
        response:send(answer[1], "", answer[2])
      end,
      ["POST /elsewhere"] = function(_, response)
        elsewhere = elsewhere + 1
        response:send(200, "")
      end,
      ["POST /never"] = function() end,
    }
    secret_file = os.tmpname()
    local file = assert(io.open(secret_file, "w"))
    file:write(SECRET, "\n")
    file:close()
    os.execute(("chmod 600 '%s'"):format(secret_file))
    before = { webhook.first_s, webhook.timeout_s }
    webhook.first_s = 0.01
  end)
  after_each(function()
    server.stop()
    os.remove(secret_file)
    webhook.first_s, webhook.timeout_s = unpack(before)
  end)

  it("sends an event as JSON, signed", live.test(function()
    assert.is_true(sink():send(ITEM))
    local request = server.requests[1]
    assert.same({ schema = 1, event = ITEM.event, at = ITEM.at, measurements = {}, metadata = ITEM.metadata },
      json.decode(request.body))
    assert.is_true(is_ours(request))
    request.body = request.body:gsub("grows", "shrinks")
    assert.is_false(is_ours(request))
    assert.equal("application/json", request.headers["content-type"])
  end))

  it("sends without a signature where there is no secret", live.test(function()
    assert.is_true(sink({ secret_file = false }):send(ITEM))
    assert.is_nil(server.requests[1].headers["beamlens-signature"])
  end))

  it("tries again what may pass, under one name, and signs each try", live.test(function()
    answers = { { 503 }, { 429, { ["retry-after"] = 0 } }, { 500 } }
    assert.is_true(sink():send(ITEM))
    local names = {}
    for _, request in ipairs(server.requests) do
      names[request.headers["beamlens-delivery"]] = true
      assert.is_true(is_ours(request))
    end
    local name = next(names)
    assert.same({ 4, nil }, { #server.requests, (next(names, name)) })
  end))

  it("gives up after five tries, and says of whom", live.test(function()
    for i = 1, 9 do answers[i] = { 503 } end
    local ok, why = sink():send(ITEM)
    assert.same({ nil, server.url:match "//(.*)" .. " answered 503, 5 times", 5 }, { ok, why, #server.requests })
  end))

  it("does not try again what no try mends", live.test(function()
    for _, status in ipairs { 400, 401, 404, 410 } do
      answers = { { status } }
      local ok, why = sink():send(ITEM)
      assert.is_nil(ok)
      assert.matches("answered " .. status, why)
    end
    assert.equal(4, #server.requests)
  end))

  it("goes nowhere else, whatever the server says", live.test(function()
    for _, status in ipairs { 301, 302, 307, 308 } do
      answers = { { status, { location = server.url .. "/elsewhere" } } }
      local ok, why = sink():send(ITEM)
      assert.is_nil(ok)
      assert.matches("answered " .. status, why)
    end
    assert.equal(0, elsewhere)
  end))

  it("does not wait for a server that never answers", live.test(function()
    webhook.timeout_s = 0.05
    local ok, why = sink({ url = server.url .. "/never" }):send(ITEM)
    assert.is_nil(ok)
    assert.matches("cannot be reached", why)
  end))

  it("says that nobody is there", live.test(function()
    server.stop()
    local ok, why = sink():send(ITEM)
    assert.is_nil(ok)
    assert.matches("cannot be reached", why)
  end))

  it("tells of the host and never of the address, which may be a secret", live.test(function()
    local path = os.tmpname()
    local file = assert(io.open(path, "w"))
    file:write(server.url .. "/services/T0/B0/SECRETPATH")
    file:close()
    os.execute(("chmod 600 '%s'"):format(path))
    local _, why = sink({ url = false, url_file = path }):send(ITEM)
    os.remove(path)
    assert.matches("^127.0.0.1:%d+ answered 404$", why)
  end))

  it("sends less of what is too large", live.test(function()
    local large = {}
    for i = 1, 100 do large[i] = ("x"):rep(1500) end
    sink():send { event = "run.stop", at = "", measurements = json.object {}, metadata = { node = "a@b", all = large } }
    local got = json.decode(server.requests[1].body)
    assert.same({ true, { node = "a@b" } }, { got.cut, got.metadata })
  end))

  it("tries once more when the end is near, and waits no longer", live.test(function()
    webhook.first_s = 3600
    answers = { { 503 }, { 503 } }
    local one, why = sink()
    local task = async.spawn(function() why = select(2, one:send(ITEM)) end)
    until_true("the pause", function() return #server.requests > 0 and one.wake end)
    one:hurry()
    assert.is_true((task:join(async.now() + 30)))
    assert.matches("answered 503, 2 times$", why)
  end))

  it("ends in the middle when it is asked to", live.test(function()
    local task = async.spawn(function() return sink({ url = server.url .. "/never" }):send(ITEM) end)
    until_true("a request", function() return #server.requests > 0 end)
    task:cancel "closing"
    local ok = task:join(async.now() + 30)
    assert.is_true(ok)
  end))
end)
