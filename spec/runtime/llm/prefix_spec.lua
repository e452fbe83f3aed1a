-- What a provider has cached is read again only where the bytes are the same: over three turns and a last one
-- without tools, each request begins as the one before did.
local clients = require "spec.support.wire_clients"
local json = require "runtime.json"

local TOOLS = {}
for i, name in ipairs { "look", "count", "wait", "stop" } do
  TOOLS[i] = { name = name, description = "does " .. name, parameters = { type = "object", required = { "b" },
    properties = { b = { type = "string" }, a = { type = "integer" }, z = { type = "string", enum = { "x", "y" } } } } }
end

-- Where a breakpoint stands is no part of what is cached, and it moves on with the conversation.
local function unmarked(body)
  return (body:gsub('"cache_control":{"type":"ephemeral"},', ""):gsub(',{"cachePoint":{"type":"default"}}', ""))
end

-- The last step may call none: that is said before the conversation.
local function of_all_turns(body) return (body:gsub('"tool_choice":[^,]-}?,', ""):gsub('"mode":"%u+"', "")) end

describe("what is sent", function()
  local server

  setup(function()
    server = clients.serve(function(_, n)
      return { text = "I look.", calls = { { "look", { b = tostring(n) } }, { "count", { b = "x" } } } }
    end)
  end)

  teardown(function() server.stop() end)

  local function conversation(kind)
    local provider = clients.mind({ clients.form(kind, server.url) }, "C").operator {}
    local messages, bodies = { { role = "user", text = "Look." } }, {}
    for turn = 1, 3 do
      local reply = assert(clients.ask(provider, { system = "You look.", tools = TOOLS, messages = messages }))
      messages[#messages + 1] = { role = "assistant", text = reply.text, calls = reply.calls, raw = reply.raw }
      local results = {}
      for i, call in ipairs(reply.calls) do
        results[i] = { id = call.id, name = call.name, ok = i == 1, text = ('{"observation":"o%d%d"}'):format(turn, i) }
      end
      messages[#messages + 1] = { role = "tool", results = results }
    end
    messages[#messages + 1] = { role = "user", text = "That was the last step." }
    assert(clients.ask(provider, { system = "You look.", messages = messages }))
    for i = 1, 4 do bodies[i] = server.requests[#server.requests - 4 + i].body end
    return bodies
  end

  for _, kind in ipairs(clients.names()) do
    it(("to %s begins each time as before, byte for byte"):format(kind), function()
      local bodies = conversation(kind)
      for i = 2, 3 do
        local before = unmarked(bodies[i - 1]):match "^(.*)%]}$"
        assert.equal(before, unmarked(bodies[i]):sub(1, #before))
        assert.is_true(#bodies[i] > #bodies[i - 1])
      end
    end)

    it(("to %s is the same before the conversation in each run"):format(kind), function()
      local first, second = conversation(kind), conversation(kind)
      assert.is_truthy(json.decode(first[1]))
      assert.is_nil(table.concat(first):find(clients.key, 1, true))
      local head = first[1]:match '^.-"[mc][eo][sn][st][ae][gn][et]s":%['
      assert.equal(head, second[3]:sub(1, #head))
      assert.is_nil(head:find("Look.", 1, true))
    end)
  end

  for _, kind in ipairs { "anthropic", "azure-openai", "google-ai", "aws-bedrock" } do
    it(("to %s keeps tools and conversation in the last step, which may call none"):format(kind), function()
      local bodies = conversation(kind)
      local before = of_all_turns(unmarked(bodies[3])):match "^(.*)%]}$"
      assert.equal(before, of_all_turns(unmarked(bodies[4])):sub(1, #before))
    end)
  end
end)
