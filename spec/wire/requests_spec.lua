-- What we send, as it goes over the wire: held against the types of the official SDKs, which nobody here
-- wrote, and against the rules that no type can say.
local aimock = require "spec.wire.support.aimock"
local json = require "runtime.json"
local provider_rules = require "spec.support.provider_rules"
local recorder = require "spec.wire.support.recorder"
local talk = require "spec.wire.support.talk"
local typed = require "spec.wire.support.typed"
local wires = require "spec.wire.support.wires"

-- What an agent told another provider, in our own form: no block of it is this provider's.
local RETOLD = {
  { role = "user", text = "say one word" },
  { role = "assistant", text = "", calls = {
    { id = "a1", name = "execute", args = { code = "return 1" } },
    { id = "a2", name = "take_snapshot", args = {} },
    { id = "a3", name = "execute", bad_args = '{"code": ' },
  } },
  { role = "tool", results = {
    { id = "a1", name = "execute", ok = true, text = "1", data = 1 },
    { id = "a2", name = "take_snapshot", ok = false, text = '{"error":"no snapshot"}' },
    { id = "a3", name = "execute", ok = false, text = "", data = json.null },
  } },
  { role = "assistant", text = "Nothing yet.", calls = {} },
  { role = "user", text = "say one word, once more" },
}

local OWN_REQUESTS = 8

local function every_kind_of_request(provider)
  local messages = { { role = "user", text = "look twice" } }
  local reply = assert(talk.ask(provider, messages))
  messages[2], messages[3] = talk.said(reply), talk.results(reply)
  reply = assert(talk.ask(provider, messages))
  messages[4], messages[5] = talk.said(reply), { role = "user", text = "say one word" }
  assert(talk.ask(provider, messages))
  messages = { { role = "user", text = "think first" } }
  reply = assert(talk.ask(provider, messages))
  messages[2], messages[3] = talk.said(reply), talk.results(reply)
  messages[4] = { role = "user", text = "This was the last step. Now say one word." }
  assert(talk.ask(provider, messages, { tools = false }))
  assert(talk.ask(provider, RETOLD, { tools = talk.coordinator }))
  assert(talk.ask(provider, RETOLD, { tools = false }))
end

describe("what goes over the wire", function()
  local servers, betweens, providers, bodies, wrong = {}, {}, {}, {}, nil

  local function names_of(kind)
    local names = {}
    for name, body in pairs(bodies) do
      if body.kind == kind then names[#names + 1] = name end
    end
    table.sort(names)
    return names
  end

  local function add(kind, name, wire, body)
    typed.add(name, wire.form, body)
    bodies[name] = { kind = kind }
  end

  local function begin(wire)
    local kind = wire.key and "keyed" or "keyless"
    servers[kind] = servers[kind] or aimock.start(not wire.key)
    betweens[wire.name] = recorder.start(servers[kind].url, wire.form.for_aimock)
    providers[wire.name] = wires.provider(wire, betweens[wire.name].url)
    every_kind_of_request(providers[wire.name])
    if not wire.strict then return end
    assert(talk.ask(wires.provider(wire, betweens[wire.name].url, nil, true), "say one word"))
    local exchanges = betweens[wire.name].exchanges
    assert(exchanges[#exchanges].request.body:find('"strict":true', 1, true))
  end

  -- As a fallback does it: what one has thought and called goes on with another.
  local function go_on_with_others(wire)
    local messages = { { role = "user", text = "think first" } }
    local reply = assert(talk.ask(providers[wire.name], messages))
    messages[2], messages[3] = talk.said(reply), talk.results(reply)
    for _, other in ipairs(wires.list) do
      if other ~= wire then assert(talk.ask(providers[other.name], messages)) end
    end
  end

  local function write_down(wire)
    local between = betweens[wire.name]
    for i, exchange in ipairs(between.exchanges) do
      add(wire.name, ("%s_%d"):format(wire.name, i), wire, exchange.request.body)
    end
    for i, plant in ipairs(wire.form.plants) do
      local body = between.exchanges[plant[3] or 1].request.body
      local at, to = body:find(plant[1], 1, true)
      assert(at, ("%s: nothing to plant at: %s"):format(wire.name, plant[1]))
      add(wire.name .. " planted", ("%s_planted_%d"):format(wire.name, i), wire,
        body:sub(1, at - 1) .. plant[2] .. body:sub(to + 1))
    end
  end

  setup(function()
    typed.open "requests"
    for _, step in ipairs { begin, go_on_with_others, write_down } do
      for _, wire in ipairs(wires.list) do step(wire) end
    end
    local all = {}
    for name in pairs(bodies) do all[#all + 1] = name end
    wrong = typed.check(all)
  end)

  teardown(function()
    for _, between in pairs(betweens) do between.stop() end
    for _, server in pairs(servers) do server.stop() end
  end)

  for _, wire in ipairs(wires.list) do
    it("is what the official types take: " .. wire.name, function()
      local names = names_of(wire.name)
      assert.equal(OWN_REQUESTS + (wire.strict and 1 or 0) + #wires.list - 1, #names)
      for _, name in ipairs(names) do assert.is_nil(wrong[name], name) end
    end)

    it("would be refused with one wrong field in it: " .. wire.name, function()
      local names = names_of(wire.name .. " planted")
      assert.equal(#wire.form.plants, #names)
      for _, name in ipairs(names) do assert.is_string(wrong[name], name) end
    end)

    it("keeps the rules between messages: " .. wire.name, function()
      for _, exchange in ipairs(betweens[wire.name].exchanges) do
        local request = exchange.request
        assert.is_nil(provider_rules[wire.form.rules](json.decode(request.body), request.headers))
      end
    end)

    it("would be told from a request with one result answered twice: " .. wire.name, function()
      local request = betweens[wire.name].exchanges[2].request
      local body, count = request.body:gsub("^(.*)call_one", "%1call_two") -- the last place is the result's
      assert.equal(1, count)
      assert.is_string(provider_rules[wire.form.rules](json.decode(body), request.headers))
    end)

    it("goes to the path of the provider: " .. wire.name, function()
      for _, exchange in ipairs(betweens[wire.name].exchanges) do
        assert.same({ "POST", wire.path }, { exchange.request.method, exchange.request.path })
      end
    end)
  end
end)
