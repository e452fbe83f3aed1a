local clients = require "spec.support.wire_clients"
local http_server = require "spec.support.http_server"
local json = require "runtime.json"
local openai = require "runtime.llm.openai"
local strict = require "runtime.llm.strict"
local wire_replies = require "spec.support.wire_replies"

local SCHEMA = { type = "object", required = { "name" }, properties = {
  name = { type = "string", minLength = 1, description = "who" },
  limit = { type = "integer", minimum = 1, maximum = 50 },
  kind = { type = "string", enum = { "a", "b" } },
  value = { type = { "number", "string" } },
  list = { type = "array", items = { type = "object", properties = { id = { type = "string" } } } },
} }

-- What both refuse at once: an object that is not closed, or names in `required` that it has not.
local function fault_of(schema, where)
  if schema.type == "object" or type(schema.type) == "table" and schema.properties then
    if schema.additionalProperties ~= false then return where .. " is open" end
    for _, name in ipairs(schema.required or {}) do
      if not schema.properties[name] then return where .. " requires what it has not" end
    end
    for name, inner in pairs(schema.properties) do
      local why = fault_of(inner, where .. "." .. name)
      if why then return why end
    end
  end
  return schema.items and fault_of(schema.items, where .. "[]") or nil
end

describe("strict", function()
  it("makes of what may be left out what may be null, for OpenAI", function()
    local schema = assert(strict.schema(SCHEMA, "openai"))
    assert.same({ "kind", "limit", "list", "name", "value" }, schema.required)
    assert.same({ type = "string", description = "who" }, schema.properties.name)
    assert.same({ type = { "integer", "null" }, minimum = 1, maximum = 50 }, schema.properties.limit)
    assert.same({ type = { "string", "null" }, enum = { "a", "b", json.null } }, schema.properties.kind)
    assert.same({ "number", "string", "null" }, schema.properties.value.type)
    assert.same({ "array", "null" }, schema.properties.list.type)
    assert.same({ "id" }, schema.properties.list.items.required)
    assert.is_nil(fault_of(schema, "schema"))
  end)

  it("leaves out bounds, which Anthropic does not take, and keeps what is optional so", function()
    local schema, sums = strict.schema(SCHEMA, "anthropic")
    assert.same({ "name" }, schema.required)
    assert.same({ type = "integer" }, schema.properties.limit)
    assert.same({ optional = 5, unions = 1, top = false }, sums)
    assert.is_nil(fault_of(schema, "schema"))
  end)

  it("changes nothing in the tool's own schema", function()
    local before = json.encode(SCHEMA)
    strict.schema(SCHEMA, "openai")
    strict.schema(SCHEMA, "anthropic")
    assert.equal(before, json.encode(SCHEMA))
  end)

  it("cannot be where any field may stand", function()
    assert.is_nil(strict.schema({ type = "object", properties = { any = { type = "object" } } }, "openai"))
    assert.is_truthy(strict.schema({ type = "object" }, "openai"))
  end)

  it("stays within what Anthropic takes of one request", function()
    local tools = {}
    for i = 1, 30 do tools[i] = { name = "t" .. i, parameters = { type = "object", properties = {
      a = { type = "string" }, b = { type = "string" } } } } end
    local count = 0
    for _, tool in ipairs(strict.tools(tools, "anthropic")) do count = count + (tool.strict and 1 or 0) end
    assert.equal(12, count) -- of 24 optional arguments in all
  end)

  for _, agent in ipairs { "operator", "coordinator" } do
    for _, way in ipairs { "openai", "anthropic" } do
      it(("holds for every tool of the %s but open ones, as %s has it"):format(agent, way), function()
        local without = {}
        for _, tool in ipairs(require("runtime.tools." .. agent).list) do
          local schema = strict.schema(tool.parameters, way)
          if schema then assert.is_nil(fault_of(schema, tool.name)) else without[#without + 1] = tool.name end
        end
        assert.same({ "propose_action" }, without)
      end)
    end
  end

  describe("on the wire", function()
    local server, answers
    local TOOLS = { { name = "look", description = "looks", parameters = SCHEMA } }

    setup(function()
      local function answer(wire)
        return function(_, response)
          local refusal = table.remove(answers, 1)
          if refusal then
            return response:send(400, { error = { type = "invalid_request_error", message = refusal } })
          end
          response:stream()
          response:write((wire_replies[wire] { text = "ok" }))
          response:finish()
        end
      end
      server = http_server.start { ["POST /v1/chat/completions"] = answer "openai",
        ["POST /v1/messages"] = answer "anthropic" }
    end)

    teardown(function() server.stop() end)

    before_each(function() answers = {} end)

    local function sent() return json.decode(server.requests[#server.requests].body) end

    local function provider(kind, is_strict)
      local form = clients.form(kind, server.url)
      form.options.strict = is_strict
      return clients.mind({ form }, "C").operator {}
    end

    local function ask(of)
      return clients.ask(of, { system = "s", tools = TOOLS, messages = { { role = "user", text = "x" } } })
    end

    it("is asked for where the config says so, and of OpenAI's own servers", function()
      assert(ask(provider("openai", true)))
      assert.is_true(sent().tools[1]["function"].strict)
      assert(ask(provider("openai", nil)))
      assert.is_nil(sent().tools[1]["function"].strict)
      assert(ask(provider("anthropic", true)))
      assert.same({ true, false }, { sent().tools[1].strict, sent().tools[1].input_schema.additionalProperties })
      assert(ask(provider("anthropic", nil)))
      assert.is_nil(sent().tools[1].strict)
      assert.is_true(openai.new({ who = {}, model = "m", base_url = "https://api.openai.com/v1" }).strict)
    end)

    for _, kind in ipairs { "openai", "anthropic" } do
      it("is given up for good when a model of " .. kind .. " does not know it", function()
        local of, before = provider(kind, true), #server.requests
        answers = { "strict is not supported by this model" }
        assert.equal("ok", assert(ask(of)).text)
        assert.equal(2, #server.requests - before)
        assert(ask(of))
        assert.equal(3, #server.requests - before)
        assert.is_nil(server.requests[#server.requests].body:find('"strict"', 1, true))
      end)
    end

    it("has nulls taken for arguments that are left out", function()
      local checked = require("runtime.arguments").check(SCHEMA, { name = "x", limit = json.null, kind = json.null,
        value = json.null, list = json.null })
      assert.same({ name = "x" }, checked)
    end)
  end)
end)
