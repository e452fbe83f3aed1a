-- Time is handed in: what is looked at is what was asked, how often and with which pauses.
local anthropic = require "runtime.llm.anthropic"
local async = require "runtime.async"
local fault = require "runtime.llm.fault"
local http_server = require "spec.support.http_server"
local retry = require "runtime.llm.retry"
local telemetry = require "runtime.telemetry"

local function failing(...)
  local answers, asked = { ... }, 0
  return { name = "played", ask = function()
    asked = asked + 1
    local answer = answers[math.min(asked, #answers)]
    if answer.class then return nil, answer end
    return answer
  end, asked = function() return asked end }
end

local function soon() return fault.new("retry", "not now") end

describe("retry", function()
  local pauses

  local function time(random)
    pauses = {}
    return { random = function() return random or 1 end, sleep = function(s)
      pauses[#pauses + 1] = s
      return true
    end }
  end

  local function ask(inner, deadline, random)
    return async.run(function() return retry.new(inner, time(random)):ask { deadline = deadline } end)
  end

  it("asks again until there is an answer", function()
    local inner = failing(soon(), soon(), { text = "ok" })
    assert.equal("ok", ask(inner).text)
    assert.same({ 0.2, 0.2 * 1.5 }, pauses)
  end)

  it("asks three times more, then gives the last error", function()
    local inner = failing(soon())
    local reply, err = ask(inner)
    assert.same({ nil, "not now", 4, 3 }, { reply, tostring(err), inner.asked(), #pauses })
  end)

  it("pauses a random share, so that many do not come back together", function()
    ask(failing(soon()), nil, 0.5)
    assert.near(0.1, pauses[1], 1e-9)
    assert.near(0.15, pauses[2], 1e-9)
  end)

  it("gives a provider that cannot serve now seconds, and never much less", function()
    for _, busy in ipairs { fault.new("wait", "slow down", { status = 429 }),
      fault.new("retry", "overloaded", { status = 529 }), fault.new("retry", "unavailable", { status = 503 }) } do
      ask(failing(busy), nil, 0)
      assert.same({ 1.5, 1.5 * 1.5, 1.5 * 1.5 ^ 2 }, pauses)
    end
  end)

  it("spreads those who come back to such a provider", function()
    ask(failing(fault.new("retry", "overloaded", { status = 529 })), nil, 1)
    assert.same({ 2.5, 2.5 * 1.5, 2.5 * 1.5 ^ 2 }, pauses)
  end)

  it("asks once only where time mends nothing", function()
    for _, class in ipairs { "fatal", "shrink", "quota", "cancelled" } do
      local inner = failing(fault.new(class, "no"), { text = "ok" })
      local _, err = ask(inner)
      assert.same({ class, 1, {} }, { err.class, inner.asked(), pauses })
    end
  end)

  it("waits as long as it was asked to", function()
    assert.equal("ok", ask(failing(fault.new("wait", "slow", { wait_s = 42 }), { text = "ok" })).text)
    assert.same({ 42 }, pauses)
  end)

  it("does not wait past the deadline", function()
    local inner = failing(fault.new("wait", "slow", { wait_s = 42 }), { text = "ok" })
    local _, err = ask(inner, async.now() + 10)
    assert.same({ "slow", 1, {} }, { tostring(err), inner.asked(), pauses })
  end)

  it("stops waiting when it is cancelled", function()
    local inner = failing(fault.new("wait", "slow", { wait_s = 60 }), { text = "ok" })
    local err = async.run(function()
      local task = async.spawn(function() return select(2, retry.new(inner):ask {}) end)
      task:cancel()
      return select(2, task:join())
    end)
    assert.same({ "cancelled", 1 }, { err.class, inner.asked() })
  end)

  it("tells each further try", function()
    local told = {}
    local off = telemetry.on("llm.retry", function(_, measurements, metadata)
      told[#told + 1] = { measurements.attempt, metadata.provider, metadata.reason }
    end)
    ask(failing(soon(), { text = "ok" }))
    off()
    assert.same({ { 1, "played", "not now" } }, told)
  end)

  it("gets through to a real server that was overloaded and asked for patience", function()
    local answers, asked = { 529, 429 }, 0
    local server = http_server.start { ["POST /v1/messages"] = function(_, response)
      asked = asked + 1
      if answers[asked] then
        return response:send(answers[asked], { error = { type = "x", message = "later" } }, { ["retry-after-ms"] = 30 })
      end
      response:send(200, { type = "message", content = { { type = "text", text = "ok" } }, stop_reason = "end_turn",
        usage = {} }, { ["content-type"] = "application/json" })
    end }
    local provider = anthropic.new { key = "k", who = { name = "anthropic", env = "KEY" }, model = "m",
      base_url = server.url }
    local reply = async.run(function()
      return retry.new(provider, time()):ask { system = "s", messages = { { role = "user", text = "x" } } }
    end)
    server.stop()
    assert.same({ "ok", 3, { 0.03, 0.03 } }, { reply.text, asked, pauses })
    assert.equal(server.requests[1].body, server.requests[3].body)
  end)
end)
