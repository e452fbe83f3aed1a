-- The whole program on a real node, its model played by aimock on each wire: what a coordinator and its operator
-- send, with real results, wrong calls and all, is what the official types take and keeps the rules.
local async = require "runtime.async"
local aimock = require "spec.wire.support.aimock"
local json = require "runtime.json"
local live = require "spec.support.live_node"
local program = require "spec.support.program"
local provider_rules = require "spec.support.provider_rules"
local recorder = require "spec.wire.support.recorder"
local typed = require "spec.wire.support.typed"
local wires = require "spec.wire.support.wires"

local TURNS = 9 -- of the coordinator and its operator

-- What stands before the conversation, and the conversation without the marks that move along its end.
local function halves(body)
  local head, conversation = body:match '^(.-"messages":)(.*)$'
  if not head then head, conversation = body:match '^(.-"contents":)(.*)$' end
  conversation = conversation:gsub('"cache_control":{"type":"ephemeral"},', "")
  return head, (conversation:gsub(',{"cachePoint":{"type":"default"}}', ""))
end

-- What befalls every first try of a request, by wire.
local HARMED = { anthropic = "malformed", openai = "disconnect", ["google-ai"] = "drop", ["aws-bedrock"] = "malformed" }

-- The tries of one agent follow each other, but those of two agents mix: a body seen before goes through.
local function every_other(harm)
  local seen = {}
  return function(request)
    if seen[request.body] then return end
    seen[request.body] = true
    request.head = request.head .. ("x-aimock-chaos-%s: 1\r\n"):format(harm)
  end
end

describe("a whole run", function()
  local shop, runs, harmed, wrong = nil, {}, {}, nil

  local function run(wire, id, change)
    local server = aimock.start(not wire.key)
    local between = recorder.start(server.url, wire.form.for_aimock)
    between.change = change
    local path = ("%s/%s.lua"):format(shop.home, wire.name)
    local file = assert(io.open(path, "w"))
    file:write(wires.config(wire, between.url))
    file:close()
    local env = { ERL_EPMD_PORT = tostring(shop.epmd_port), HOME = shop.home, XDG_STATE_HOME = shop.home }
    for name, value in pairs(wire.env) do env[name] = value end
    local done = program.run({ "coordinator.lua", "--node", shop.name, "--skills", "beam", "--json", "--config", path,
      "--show-outgoing", "--record", ("%s/beamlens/%s.cassette"):format(shop.home, id) }, { env = env })
    between.stop()
    server.stop()
    return { id = id, code = done.code, stdout = done.stdout, stderr = done.stderr, report = json.decode(done.stdout),
      exchanges = between.exchanges }
  end

  setup(function()
    shop = live.start()
    typed.open "program"
    local names = {}
    async.run(function()
      for _, wire in ipairs(wires.list) do runs[wire.name] = run(wire, wire.name) end
      for name, harm in pairs(HARMED) do harmed[name] = run(wires.named(name), name .. "_harmed", every_other(harm)) end
    end)
    for _, wire in ipairs(wires.list) do
      for i, exchange in ipairs(runs[wire.name].exchanges) do
        names[#names + 1] = ("%s_%d"):format(wire.name, i)
        typed.add(names[#names], wire.form, exchange.request.body)
      end
    end
    wrong = typed.check(names)
  end)

  teardown(live.stop_all)

  for _, wire in ipairs(wires.list) do
    -- A model that says healthy after two looks is not believed.
    it("ends with a verdict, and counts what it asked: " .. wire.name, function()
      local report = runs[wire.name].report
      assert.same({ 4, "cannot_tell", json.null, TURNS, "healthy" }, { runs[wire.name].code, report.verdict,
        report.incomplete, report.usage.calls, report.operators[1].state }, runs[wire.name].stderr)
    end)

    -- What a provider keeps of one turn is what the next one begins with.
    it("begins each request with the bytes of the one before: " .. wire.name, function()
      local before, grown = {}, 0
      for _, exchange in ipairs(runs[wire.name].exchanges) do
        local head, conversation = halves(exchange.request.body)
        local last = before[head]
        if last then
          grown = grown + 1
          assert.equal(last, conversation:sub(1, #last))
        end
        before[head] = conversation:sub(1, -3) -- without the brackets that close it
      end
      assert.equal(TURNS - 2, grown)
    end)

    it("sends what the official types take and what keeps the rules: " .. wire.name, function()
      local exchanges = runs[wire.name].exchanges
      assert.equal(TURNS, #exchanges)
      for i, exchange in ipairs(exchanges) do
        assert.is_nil(wrong[("%s_%d"):format(wire.name, i)])
        assert.is_nil(provider_rules[wire.form.rules](json.decode(exchange.request.body), exchange.request.headers))
      end
    end)
  end

  for name, harm in pairs(HARMED) do
    it(("ends the same where every request fails once: %s, %s"):format(name, harm), function()
      local report = harmed[name].report
      assert.same({ 4, "cannot_tell", json.null, TURNS }, { harmed[name].code, report.verdict, report.incomplete,
        report.usage.calls }, harmed[name].stderr)
      assert.equal(2 * TURNS, #harmed[name].exchanges)
    end)
  end

  it("is replayed from its cassette with nobody there, to the same verdict", function()
    for _, list in ipairs { runs, harmed } do
      for _, done in pairs(list) do
        local path = ("%s/beamlens/%s.cassette"):format(shop.home, done.id)
        local again = async.run(function()
          return program.run({ "replay", path, "--json" }, { env = { HOME = shop.home, XDG_STATE_HOME = shop.home } })
        end)
        local report = assert(json.decode(again.stdout), again.stderr).report
        assert.same({ 4, "cannot_tell", json.null, TURNS }, { again.code, report.verdict, report.incomplete,
          report.usage.calls }, again.stderr)
      end
    end
  end)

  it("leaves a key nowhere: no output, no body, no file, however often it was asked", function()
    local search = { "-rao", "wire-test-key\\|EXAMPLEKEY", shop.home .. "/beamlens" }
    local kept = async.run(function() return program.run(search, { path = "/bin/grep" }) end)
    assert.same({ 1, "" }, { kept.code, kept.stdout .. kept.stderr })
    for _, list in ipairs { runs, harmed } do
      for _, done in pairs(list) do
        local told = { done.stdout, done.stderr }
        for _, exchange in ipairs(done.exchanges) do told[#told + 1] = exchange.request.body end
        told = table.concat(told)
        assert.is_true(#told > 1000)
        assert.is_nil(told:find("wire-test-key", 1, true) or told:find("EXAMPLEKEY", 1, true))
      end
    end
  end)
end)
