local async = require "runtime.async"
local clients = require "spec.support.wire_clients"
local http_server = require "spec.support.http_server"
local rate = require "runtime.llm.rate"
local telemetry = require "runtime.telemetry"
local wire_replies = require "spec.support.wire_replies"

local function anthropic(remaining, reset)
  return { ["anthropic-ratelimit-input-tokens-limit"] = "1000", ["anthropic-ratelimit-input-tokens-remaining"] =
    remaining, ["anthropic-ratelimit-input-tokens-reset"] = reset }
end

local function openai(remaining, reset)
  return { ["x-ratelimit-limit-requests"] = "60", ["x-ratelimit-remaining-requests"] = remaining,
    ["x-ratelimit-reset-requests"] = reset }
end

describe("rate", function()
  it("waits for nothing while there is room", function()
    assert.is_nil(rate.pause_s {})
    assert.is_nil(rate.pause_s(anthropic("100", "2000-01-01T00:00:00Z")))
    assert.is_nil(rate.pause_s(openai("6", "6s")))
    assert.is_nil(rate.pause_s(openai("no number", "6s")))
  end)

  it("waits until the limit is counted anew, and ten seconds at most", function()
    assert.equal(6, rate.pause_s(openai("5", "6s")))
    assert.equal(0.12, rate.pause_s(openai("0", "120ms")))
    assert.equal(10, rate.pause_s(openai("0", "1m2.5s")))
    assert.equal(0, rate.pause_s(anthropic("99", "2000-01-01T00:00:00Z")))
    assert.equal(10, rate.pause_s(anthropic("0", "2099-01-01T00:00:00Z")))
    assert.equal(1, rate.pause_s(openai("0", "soon")))
  end)

  it("holds up the next request of every agent of that client, and tells it", function()
    local headers = openai("1", "10s")
    headers["content-type"] = "text/event-stream"
    local server = http_server.start { ["POST /v1/chat/completions"] = function(_, response)
      response:send(200, (wire_replies.openai { text = "ok" }), headers)
    end }
    local told = {}
    local off = telemetry.on("llm.slowed", function(_, measures, m)
      told[#told + 1] = { m.provider, measures.wait_s > 0 and measures.wait_s <= 10 }
    end)
    local mind = clients.mind({ clients.form("openai", server.url) }, "C")
    local function ask()
      return mind.operator {}:ask { system = "s", messages = { { role = "user", text = "x" } },
        deadline = async.now() + 20 }
    end
    local err = async.run(function()
      assert(ask())
      local waiting = async.spawn(ask)
      waiting:cancel() -- nobody has to wait for it here
      return select(3, waiting:join())
    end)
    off()
    server.stop()
    assert.same({ { { "C", true } }, "cancelled", 1 }, { told, err.class, #server.requests })
  end)

  it("goes on at once when there is room again", function()
    local headers = openai("60", "10s")
    headers["content-type"] = "text/event-stream"
    local server = http_server.start { ["POST /v1/chat/completions"] = function(_, response)
      response:send(200, (wire_replies.openai { text = "ok" }), headers)
    end }
    local told = 0
    local off = telemetry.on("llm.slowed", function() told = told + 1 end)
    local provider = clients.mind({ clients.form("openai", server.url) }, "C").operator {}
    for _ = 1, 2 do
      assert(clients.ask(provider, { system = "s", messages = { { role = "user", text = "x" } } }))
    end
    off()
    server.stop()
    assert.equal(0, told)
  end)
end)
