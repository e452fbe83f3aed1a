-- Our providers against aimock, a server that nobody here wrote: what it answers on each wire is read as it
-- was meant, streamed and in one piece, in good days and bad ones.
local aimock = require "spec.wire.support.aimock"
local recorder = require "spec.wire.support.recorder"
local talk = require "spec.wire.support.talk"
local wires = require "spec.wire.support.wires"

local TWO_CALLS = {
  { name = "execute", args = { code = "return beam_memory()\n-- Größe" } },
  { name = "take_snapshot", args = {} },
}

local servers = {}

-- One for all; another, that wants no key, for the wire whose key is a signature.
local function server(wire)
  local kind = wire.key and "keyed" or "keyless"
  if not servers[kind] then servers[kind] = aimock.start(not wire.key) end
  return servers[kind]
end

local function named(calls)
  local list = {}
  for i, call in ipairs(calls) do list[i] = { name = call.name, args = call.args } end
  return list
end

teardown(function()
  for _, one in pairs(servers) do one.stop() end
end)

for _, wire in ipairs(wires.list) do
  describe(wire.name .. " by aimock", function()
    local between, provider

    setup(function() between = recorder.start(server(wire).url, wire.form.for_aimock) end)
    teardown(function() between.stop() end)

    before_each(function()
      between.change = nil
      provider = wires.provider(wire, between.url)
    end)

    for way, change in pairs { ["streamed"] = false, ["in one piece"] = wire.form.unstreamed } do
      describe(way, function()
        before_each(function() between.change = change or nil end)

        it("reads a text, with its tokens", function()
          local reply = assert(talk.ask(provider, "say one word"))
          assert.same({ "Healthy – “gesund”, 健康.", "done", 120, 9 },
            { reply.text, reply.stop, reply.usage.input, reply.usage.output })
        end)

        it("reads a text and two calls, and sends their results", function()
          local messages = { { role = "user", text = "look twice" } }
          local reply = assert(talk.ask(provider, messages))
          assert.same({ 'I look at "queues" → 12 €.', "calls" }, { reply.text, reply.stop })
          assert.same(TWO_CALLS, named(reply.calls))
          messages[2], messages[3] = talk.said(reply), talk.results(reply)
          local last = assert(talk.ask(provider, messages))
          assert.same({ "Both looks are in.", "done", {} }, { last.text, last.stop, last.calls })
        end)

        it("keeps what was thought out of the text, and sends it back", function()
          local messages = { { role = "user", text = "think first" } }
          local reply = assert(talk.ask(provider, messages))
          assert.same({ "I look.", "take_snapshot" }, { reply.text, reply.calls[1].name })
          messages[2], messages[3] = talk.said(reply), talk.results(reply)
          assert.equal("It is ETS.", assert(talk.ask(provider, messages)).text)
        end)

        it("sends a call back as it came: no empty object becomes a list", function()
          local messages = { { role = "user", text = "empty things" } }
          local reply = assert(talk.ask(provider, messages))
          messages[2], messages[3] = talk.said(reply), talk.results(reply)
          assert.equal("Seen.", assert(talk.ask(provider, messages)).text)
          local sent = between.exchanges[#between.exchanges].request.body:gsub("\\", "")
          assert.matches('"arguments":{}', sent, 1, true)
          assert.matches('"list":[]', sent, 1, true)
        end)

        it("says when an answer was cut for its length", function()
          local reply = assert(talk.ask(provider, "too long"))
          assert.same({ "This goes on and", "length" }, { reply.text, reply.stop })
        end)
      end)
    end

    it("lets the text be heard while it comes", function()
      local heard = {}
      assert(talk.ask(provider, "say one word", { on_text = function(text) heard[#heard + 1] = text end }))
      assert.equal("Healthy – “gesund”, 健康.", table.concat(heard))
      assert.is_true(#heard > 1)
    end)

    local FIRST_AN_ERROR = { ["slow down"] = { 429, "Thank you." }, ["be overloaded"] = { 529, "Here again." } }
    for question, answer in pairs(FIRST_AN_ERROR) do
      it(("asks once more after a %d"):format(answer[1]), function()
        -- aimock counts what it has said for each test by itself.
        between.change = function(request) request.head = request.head .. "x-test-id: " .. wire.name .. "\r\n" end
        local before = #between.exchanges
        assert.equal(answer[2], assert(talk.ask(provider, question)).text)
        assert.equal(before + 2, #between.exchanges)
        assert.matches("^HTTP/1.1 " .. answer[1], between.exchanges[before + 1].head)
      end)
    end

    it("gives up at once where the wait is longer than its time", function()
      local reply, err = talk.ask(provider, "never again", { seconds = 5 })
      assert.is_nil(reply)
      assert.same({ "wait", 429, 77 }, { err.class, err.status, err.wait_s })
    end)

    it("gives up at once when a model is unknown", function()
      local before = #between.exchanges
      local _, err = talk.ask(provider, "unknown model")
      assert.same({ "fatal", 404 }, { err.class, err.status })
      assert.equal(1, #between.exchanges - before)
    end)

    it("never asks again where it wants to be paid first", function()
      local before = #between.exchanges
      local _, err = talk.ask(provider, "no credits")
      assert.equal("quota", err.class)
      assert.equal(1, #between.exchanges - before)
    end)

    it("tells a stream that was cut from an answer", function()
      provider = wires.provider(wire, between.url, { max_retries = 0 })
      local _, err = talk.ask(provider, "be cut")
      assert.equal("retry", err.class)
    end)

    for _, harm in ipairs { "malformed", "disconnect", "drop" } do
      it("takes no answer from aimock's chaos: " .. harm, function()
        provider = wires.provider(wire, between.url, { max_retries = 0 })
        between.change = function(request)
          request.head = request.head .. ("x-aimock-chaos-%s: 1\r\n"):format(harm)
        end
        local reply, err = talk.ask(provider, "say one word")
        assert.is_nil(reply)
        assert.equal("retry", err.class)
      end)
    end

    if wire.key then
      it("shows the key where the wire has it, and tells a key that is refused", function()
        assert(talk.ask(provider, "say one word"))
        local sent = between.exchanges[#between.exchanges].request
        assert.equal(wire.key[2] .. aimock.key, sent.headers[wire.key[1]])
        between.change = function(request) request.head = request.head:gsub("wire%-test", "other-test") end
        local _, err = talk.ask(provider, "say one word")
        assert.same({ "fatal", 401 }, { err.class, err.status })
      end)
    end
  end)
end

describe("openai by aimock", function()
  it("never asks again when the quota is used up, which is a 429 too", function()
    local wire = wires.list[2]
    local between = recorder.start(server(wire).url, wire.form.for_aimock)
    local _, err = talk.ask(wires.provider(wire, between.url), "no money")
    assert.equal("quota", err.class)
    assert.equal(1, #between.exchanges)
    between.stop()
  end)
end)
