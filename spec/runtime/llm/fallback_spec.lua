-- Clients of several wires at one server, whose conversation goes from one to the other.
local async = require "runtime.async"
local clients = require "spec.support.wire_clients"
local fallback = require "runtime.llm.fallback"
local fault = require "runtime.llm.fault"
local json = require "runtime.json"
local provider_rules = require "spec.support.provider_rules"
local telemetry = require "runtime.telemetry"

local function played(name, ...)
  local answers, asked = { ... }, {}
  return { name = name, asked = asked, ask = function(_, request)
    asked[#asked + 1] = request
    local answer = answers[math.min(#asked, #answers)]
    if type(answer) == "function" then answer = answer(request) end
    if answer.class then return nil, answer end
    return answer
  end }
end

local function failure(class, more) return fault.new(class, class .. " it is; do something", more) end

local OK = { text = "ok" }

describe("fallback", function()
  before_each(fallback.reset)

  local function ask(members, request)
    request = request or {}
    return async.run(function()
      request.deadline = request.deadline or async.now() + 20
      return fallback.new("Main", members):ask(request)
    end)
  end

  it("asks the next where one cannot answer and no waiting mends it", function()
    for _, class in ipairs { "fatal", "quota", "retry", "wait" } do
      local first, second = played("A" .. class, failure(class)), played("B" .. class, OK)
      assert.equal("ok", ask({ first, second }).text)
      assert.same({ 1, 1 }, { #first.asked, #second.asked })
    end
  end)

  it("asks nobody else where the conversation is too long", function()
    local second = played("B", OK)
    local _, err = ask { played("A", failure "shrink"), second }
    assert.same({ "shrink", 0 }, { err.class, #second.asked })
  end)

  it("asks nobody else when its task was cancelled, or the time is up", function()
    local second = played("B", OK)
    local err = async.run(function()
      local task = async.spawn(function()
        local first = played("A", function()
          async.sleep(60)
          return failure "cancelled"
        end)
        return select(2, fallback.new("Main", { first, second }):ask { deadline = async.now() + 100 })
      end)
      task:cancel()
      return select(2, task:join())
    end)
    assert.same({ "cancelled", 0 }, { err.class, #second.asked })
    local _, late = ask({ played("A", failure "cancelled"), second }, { deadline = async.now() - 1 })
    assert.same({ "cancelled", 0 }, { late.class, #second.asked })
  end)

  it("leaves half of the time to those behind, and lets nobody wait long while they stand there", function()
    local first, second = played("A", failure "cancelled"), played("B", OK)
    local deadline = async.now() + 100
    assert.equal("ok", ask({ first, second }, { deadline = deadline }).text)
    assert.near(async.now() + 50, first.asked[1].deadline, 20)
    assert.same({ deadline, 5 }, { second.asked[1].deadline, first.asked[1].patience_s })
    assert.is_nil(second.asked[1].patience_s)
  end)

  it("asks last for a while who failed, also for agents of later runs", function()
    local first, second = played("A", failure "quota", OK), played("B", OK, OK, failure "retry")
    ask { first, second }
    assert.equal("ok", ask({ first, second }).text)
    assert.same({ 1, 2 }, { #first.asked, #second.asked })
    assert.equal("ok", ask({ first, second }).text) -- B fails now, and A is asked though it failed before
    assert.same({ 2, 3 }, { #first.asked, #second.asked })
  end)

  it("forgets it of one that answered again", function()
    local rest_s = fallback.rest_s
    fallback.rest_s = 0
    local first, second = played("A", failure "quota", OK), played("B", OK, failure "retry", OK)
    for _ = 1, 3 do ask { first, second } end
    fallback.rest_s = rest_s
    assert.same({ 3, 2 }, { #first.asked, #second.asked })
  end)

  it("holds nothing against a client that finds the request wrong", function()
    local first, second = played("A", failure("fatal", { status = 400 }), OK), played("B", OK)
    ask { first, second }
    ask { first, second }
    assert.same({ 2, 1 }, { #first.asked, #second.asked })
  end)

  it("says what was the matter with each when none answers", function()
    local _, err = ask { played("A", failure "quota"), played("B", failure("fatal", { status = 401 })) }
    assert.same({ "fatal", 401, "B: fatal it is; do something (before that A: quota it is)" },
      { err.class, err.status, tostring(err) })
  end)

  it("names each once, where its sentence begins with its name", function()
    local function overloaded(name) return fault.new("retry", name .. " is overloaded; try again later", {}) end
    local _, err = ask { played("A", overloaded "A"), played("B", overloaded "B") }
    assert.equal("B is overloaded; try again later (before that A is overloaded)", tostring(err))
  end)

  it("tells who is asked in place of whom, and why", function()
    local told = {}
    local off = telemetry.on("llm.fallback", function(_, _, m)
      told[#told + 1] = { m.provider, m.from, m.to, m.reason }
    end)
    ask { played("A", failure "quota"), played("B", OK) }
    off()
    assert.same({ { "Main", "A", "B", "quota it is; do something" } }, told)
  end)

  describe("on the wire", function()
    local server, say
    local TOOLS = { { name = "look", description = "looks", parameters = { type = "object",
      properties = { b = { type = "string" } } } } }

    setup(function() server = clients.serve(function(...) return say(...) end) end)

    teardown(function() server.stop() end)

    -- A mind of one client of each kind.
    local function main(kinds, provider)
      local list, names = {}, {}
      for i, kind in ipairs(kinds) do list[i], names[i] = clients.form(kind, server.url, kind), kind end
      list[#list + 1] = { name = "Main", provider = provider or "fallback", options = { strategy = names } }
      return clients.mind(list, "Main")
    end

    local function turn(agent, messages, tools)
      local reply = assert(clients.ask(agent, { system = "You look.", tools = tools, messages = messages }))
      messages[#messages + 1] = { role = "assistant", text = reply.text, calls = reply.calls, raw = reply.raw }
      local results = {}
      for i, call in ipairs(reply.calls) do
        results[i] = { id = call.id, name = call.name, ok = true, text = '{"n":1}' }
      end
      if #results > 0 then messages[#messages + 1] = { role = "tool", results = results } end
      return reply
    end

    local RULES = { anthropic = "anthropic", openai = "openai", ["google-ai"] = "gemini", ["aws-bedrock"] = "converse" }

    -- From each to each: the second has to take what the first has begun.
    for from in pairs(RULES) do
      for to, rules in pairs(RULES) do
        if from ~= to then
          it(("tells %s by its own rules the conversation that %s began"):format(to, from), function()
            local wire = clients.kinds[from].wire
            local calls = { { "look", { b = "x" }, "an id: of <another> kind" }, { "bad name!", {} } }
            say = function(asked) return asked == wire and { text = "first", calls = calls } or { text = "second" } end
            local agent, messages = main({ from, to }).operator {}, { { role = "user", text = "Look." } }
            assert.equal(from, turn(agent, messages, TOOLS).provider)
            agent.members[1] = { name = from, ask = function() return nil, failure("retry") end }
            assert.equal(to, turn(agent, messages, TOOLS).provider)
            local request = server.requests[#server.requests]
            local body = json.decode(request.body)
            assert.is_nil(provider_rules[rules](body, request.headers))
            assert.is_truthy(request.body:find("first", 1, true))
            assert.is_truthy(request.body:find("bad_name_", 1, true))
            messages[#messages + 1] = { role = "user", text = "That was the last step." }
            turn(agent, messages, nil) -- whose tools it never saw in a request without them
            request = server.requests[#server.requests]
            assert.is_nil(provider_rules[rules](json.decode(request.body), request.headers))
          end)
        end
      end
    end

    it("hands tools that another client was shown to one that is asked in the last step alone", function()
      say = function(wire) return wire == "openai" and { calls = { { "look", {} } } } or { text = "end" } end
      local agent, messages = main({ "openai", "anthropic" }).operator {}, { { role = "user", text = "Look." } }
      turn(agent, messages, TOOLS)
      agent.members[1] = { name = "openai", ask = function() return nil, failure("retry") end }
      turn(agent, messages, nil)
      local body = json.decode(server.requests[#server.requests].body)
      assert.same({ "look", "none" }, { body.tools[1].name, body.tool_choice.type })
    end)

    it("takes the next client for each agent in turn, and keeps it", function()
      say = function() return { text = "ok" } end
      local mind = main({ "anthropic", "openai" }, "round-robin")
      local asked = {}
      for i = 1, 4 do
        local agent = mind.operator {}
        for k = 1, 2 do
          asked[2 * i - 2 + k] = turn(agent, { { role = "user", text = "x" } }).provider
        end
      end
      assert.same({ "anthropic", "anthropic", "openai", "openai", "anthropic", "anthropic", "openai", "openai" }, asked)
    end)

    it("says of each reply who made it and what it cost", function()
      say = function() return { text = "ok" } end
      local agent = main({ "anthropic", "openai-generic" }).operator {}
      local reply = turn(agent, { { role = "user", text = "x" } })
      assert.same({ "anthropic", "claude-sonnet-4-5" }, { reply.provider, reply.model })
      assert.near((90 * 3 + 10 * 3.75 + 1000 * 0.3 + 20 * 15) / 1e6, reply.usage.cost_usd, 1e-12)
      agent.members[1] = { name = "anthropic", ask = function() return nil, failure("retry") end }
      reply = turn(agent, { { role = "user", text = "x" } })
      assert.same({ "openai-generic", "llama3", 0 }, { reply.provider, reply.model, reply.usage.cost_usd })
    end)
  end)
end)
