-- Answers in which every single value is once of another kind, or gone: whatever a server sends, a provider
-- gives a reply that can be read, or says in a sentence why not.
local clients = require "spec.support.wire_clients"
local event_stream = require "runtime.llm.event_stream"
local http_server = require "spec.support.http_server"
local json = require "runtime.json"
local sse = require "runtime.llm.sse"
local utf8 = require "runtime.utf8"
local wire_replies = require "spec.support.wire_replies"

local REPLY = { thought = "hm", text = "I look.", signature = "c2ln", calls = { { "look", { b = "x" } } } }
local OTHERS = { json.null, 5, "x", true, {}, json.object { a = 1 }, "\255\254" }
local KINDS = { anthropic = "anthropic", openai = "openai", gemini = "google-ai", bedrock = "aws-bedrock" }

-- The events of an answer: { name, text }.
local function events_of(wire, bytes)
  local list = {}
  local decoder = (wire == "bedrock" and event_stream or sse).new(function(data, name)
    list[#list + 1] = { name = name, data = data }
  end)
  decoder:feed(bytes)
  return list
end

local function bytes_of(wire, events)
  local out = {}
  for i, event in ipairs(events) do
    out[i] = wire == "bedrock" and wire_replies.aws_message({ [":event-type"] = event.name,
      [":message-type"] = "event" }, event.data) or ("data: %s\n\n"):format(event.data)
  end
  return table.concat(out)
end

-- Calls `fn` with each way to spoil one value of a decoded event.
local function spoil(value, fn)
  for key, inner in pairs(value) do
    for _, other in ipairs(OTHERS) do
      value[key] = other
      fn()
    end
    value[key] = nil
    fn()
    value[key] = inner
    if type(inner) == "table" then spoil(inner, fn) end
  end
end

local function answers_of(wire)
  local list, events = {}, events_of(wire, (wire_replies[wire](REPLY)))
  for i, event in ipairs(events) do
    local value = json.faithful(event.data)
    if type(value) == "table" then
      local before = event.data
      spoil(value, function()
        event.data = json.encode(value)
        list[#list + 1] = bytes_of(wire, events)
      end)
      event.data = before
    end
    local others = { unpack(events) }
    table.remove(others, i)
    list[#list + 1] = bytes_of(wire, others)
  end
  return list
end

local CLASSES = { retry = true, wait = true, fatal = true, shrink = true, quota = true }

-- What is wrong with what a provider gave.
local function unreadable(reply, err)
  if not reply then
    local told = type(err) == "table" and CLASSES[err.class] and tostring(err):find("^%S.+; ")
    return (not told or tostring(err):find("please report", 1, true)) and "no fault: " .. tostring(err)
  end
  if type(reply.text) ~= "string" or type(reply.stop) ~= "string" then return "no text" end
  for name, n in pairs(reply.usage) do
    if type(n) ~= "number" then return "no number: usage." .. name end
  end
  for _, call in ipairs(reply.calls) do
    if type(call.id) ~= "string" or type(call.name) ~= "string" then return "no call" end
    if type(call.args) ~= "table" and type(call.bad_args) ~= "string" then return "a call without arguments" end
  end
end

for wire, kind in pairs(KINDS) do
  describe("a broken answer of " .. kind, function()
    local server, answer

    setup(function()
      server = http_server.start { ["POST " .. clients.kinds[kind].path] = function(_, response)
        response:send(200, answer, { ["content-type"] = select(2, wire_replies[wire](REPLY)) })
      end }
    end)

    teardown(function() server.stop() end)

    it("gives a reply that can be read and sent back, or a sentence", function()
      local provider = clients.mind({ clients.form(kind, server.url) }, "C").operator {}
      local asked = { { role = "user", text = "x" } }
      for _, bytes in ipairs(answers_of(wire)) do
        answer = bytes
        local reply, err = clients.ask(provider, { system = "s", messages = asked })
        assert.is_falsy(unreadable(reply, err), bytes)
        if reply and #reply.calls > 0 then
          answer = (wire_replies[wire] { text = "ok" })
          local call = reply.calls[1]
          assert(clients.ask(provider, { system = "s", messages = { asked[1],
            { role = "assistant", text = reply.text, calls = reply.calls, raw = reply.raw },
            { role = "tool", results = { { id = call.id, name = call.name, ok = true, text = "{}" } } } } }))
          assert.is_truthy(json.decode(server.requests[#server.requests].body), bytes)
        end
        server.requests = {}
      end
    end)

    -- An answer with a word put in place of MARK, in its bytes.
    local function spoiled(reply, by)
      local events = events_of(wire, (wire_replies[wire](reply)))
      for _, event in ipairs(events) do event.data = event.data:gsub("MARK", (by:gsub("%%", "%%%%"))) end
      return bytes_of(wire, events)
    end

    local function ask(messages)
      local provider = clients.mind({ clients.form(kind, server.url) }, "C").operator {}
      return assert(clients.ask(provider, { system = "s", messages = messages }))
    end

    it("never has bytes that are no UTF-8 go back to it", function()
      local asked = { { role = "user", text = "x" } }
      answer = spoiled({ calls = { { "look", { b = "so many words that stand before MARK" } } } }, "\255\254\195(")
      local reply = ask(asked)
      answer = (wire_replies[wire] { text = "ok" })
      ask { asked[1], { role = "assistant", text = reply.text, calls = reply.calls, raw = reply.raw },
        { role = "tool", results = { { id = reply.calls[1].id, name = "look", ok = true, text = "{}" } } } }
      local body = server.requests[#server.requests].body
      assert.equal(utf8.well_formed(body), body)
      assert.truthy(body:find("that stand before \239\191\189", 1, true), body)
      assert.equal("so many words that stand before \239\191\189\239\191\189\239\191\189(", reply.calls[1].args.b)
    end)

    it("is read where half a surrogate pair stands alone", function()
      answer = spoiled({ text = "so many words that stand before MARK" }, "\\ud83d")
      assert.equal("so many words that stand before \239\191\189", ask({ { role = "user", text = "x" } }).text)
    end)

    it("is read where a whole surrogate pair stands", function()
      answer = spoiled({ text = "so many words that stand before MARK" }, "\\ud83d\\ude00")
      assert.equal("so many words that stand before \240\159\152\128", ask({ { role = "user", text = "x" } }).text)
    end)
  end)
end
