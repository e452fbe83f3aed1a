local clients = require "spec.support.wire_clients"
local gemini_schema = require "runtime.llm.gemini_schema"
local http_server = require "spec.support.http_server"
local json = require "runtime.json"
local wire_replies = require "spec.support.wire_replies"

local KEY = clients.key
local TOOLS = { { name = "look", description = "looks", parameters = { type = "object", required = { "b" },
  properties = { b = { type = "string" } } } }, { name = "stop", description = "stops", parameters = {
  type = "object", properties = {} } } }

describe("gemini", function()
  local server, respond, provider

  setup(function()
    local function route(request, response) respond(request, response) end
    server = http_server.start { ["POST " .. clients.kinds["google-ai"].path] = route,
      ["POST " .. clients.kinds["vertex-ai"].path] = route,
      ["POST /v1beta/models/gemini-3-pro:streamGenerateContent?alt=sse"] = route }
  end)

  teardown(function() server.stop() end)

  local function open(kind, model)
    local form = clients.form(kind or "google-ai", server.url)
    form.options.model = model or form.options.model
    return clients.mind({ form }, "C").operator {}
  end

  before_each(function() provider = open() end)

  local function stream(bytes)
    respond = function(_, response)
      response:stream()
      for _, piece in ipairs(type(bytes) == "table" and bytes or { bytes }) do response:write(piece) end
      response:finish()
    end
  end

  local function say(reply) stream((wire_replies.gemini(reply))) end

  local function ask(request)
    request = request or {}
    request.system, request.messages = "You look.", request.messages or { { role = "user", text = "look" } }
    return clients.ask(provider, request)
  end

  local function sent() return json.decode(server.requests[#server.requests].body) end

  local function after(reply, results)
    return { { role = "user", text = "look" }, { role = "assistant", text = reply.text, calls = reply.calls,
      raw = reply.raw }, { role = "tool", results = results } }
  end

  it("sends key, system text, tools and conversation in Gemini's form", function()
    say { text = "ok" }
    assert(ask { max_tokens = 77, tools = TOOLS })
    local body = sent()
    assert.equal(KEY, server.requests[#server.requests].headers["x-goog-api-key"])
    assert.same({ { text = "You look." } }, body.systemInstruction.parts)
    assert.same({ { role = "user", parts = { { text = "look" } } } }, body.contents)
    assert.same({ { name = "look", description = "looks", parameters = { type = "OBJECT", required = { "b" },
      properties = { b = { type = "STRING" } } } }, { name = "stop", description = "stops" } },
      body.tools[1].functionDeclarations)
    assert.same({ 77, "AUTO" }, { body.generationConfig.maxOutputTokens, body.toolConfig.functionCallingConfig.mode })
  end)

  it("sends a token in place of the key to Vertex", function()
    provider = open "vertex-ai"
    say { text = "ok" }
    assert(ask())
    assert.equal("Bearer " .. KEY, server.requests[#server.requests].headers.authorization)
  end)

  it("allows no call in the last step, and keeps the tools", function()
    say { text = "ok" }
    assert(ask { tools = TOOLS })
    assert(ask {})
    assert.same({ "NONE", "look" }, { sent().toolConfig.functionCallingConfig.mode,
      sent().tools[1].functionDeclarations[1].name })
  end)

  it("reads text and usage, what was cached apart and thoughts with the answer", function()
    say { text = "Grüße €" }
    local heard = {}
    local reply = assert(ask { on_text = function(delta) heard[#heard + 1] = delta end })
    assert.same({ "Grüße €", "Grüße €", {}, "done" }, { reply.text, table.concat(heard), reply.calls, reply.stop })
    reply.usage.cost_usd = nil
    assert.same({ input = 100, cache_read = 1000, cache_write = 0, output = 20 }, reply.usage)
  end)

  local CALLS = { text = "I look.", signature = "c2ln", calls = { { "look", { b = "x" } }, { "stop" } } }

  it("reads calls of one turn, and answers them by place with the signature sent back", function()
    say(CALLS)
    local reply = assert(ask { tools = TOOLS })
    assert.same({ "calls", "I look." }, { reply.stop, reply.text })
    assert.same({ { "look", { b = "x" } }, { "stop", {} } }, { { reply.calls[1].name, reply.calls[1].args },
      { reply.calls[2].name, reply.calls[2].args } })
    say { text = "ok" }
    assert(ask { tools = TOOLS, messages = after(reply, { { id = reply.calls[1].id, name = "look", ok = true,
      text = '{"n":[]}' }, { id = reply.calls[2].id, name = "stop", ok = false, text = "not now" } }) })
    local contents = sent().contents
    assert.same({ { text = "I look." },
      { functionCall = { name = "look", args = { b = "x" } }, thoughtSignature = "c2ln" },
      { functionCall = { name = "stop", args = {} } } }, contents[2].parts)
    assert.same({ { functionResponse = { name = "look", response = { output = { n = {} } } } },
      { functionResponse = { name = "stop", response = { error = "not now" } } } }, contents[3].parts)
    assert.is_truthy(server.requests[#server.requests].body:find('"args":{}', 1, true))
    assert.is_truthy(server.requests[#server.requests].body:find('{"output":{"n":[]}}', 1, true))
  end)

  it("answers by id where the call has one", function()
    say { calls = { { "stop", {}, nil, id = "fc-7" } } }
    local reply = assert(ask { tools = TOOLS })
    assert.equal("fc-7", reply.calls[1].id)
    say { text = "ok" }
    assert(ask { messages = after(reply, { { id = "fc-7", name = "stop", ok = true, text = "{}" } }) })
    assert.same({ "fc-7", "fc-7" }, { sent().contents[2].parts[1].functionCall.id,
      sent().contents[3].parts[1].functionResponse.id })
  end)

  it("reads the same reply wherever the stream is cut", function()
    local bytes = wire_replies.gemini(CALLS)
    stream(bytes)
    local wanted = assert(ask())
    for at = 1, #bytes - 1 do
      stream { bytes:sub(1, at), bytes:sub(at + 1) }
      local reply = assert(ask())
      assert.same({ wanted.text, wanted.stop, wanted.usage }, { reply.text, reply.stop, reply.usage })
      assert.same({ "look", { b = "x" }, "stop" }, { reply.calls[1].name, reply.calls[1].args, reply.calls[2].name })
      assert.same(wanted.raw.blocks.parts, reply.raw.blocks.parts)
    end
  end)

  it("reads an answer in one piece, and a list of pieces", function()
    local one = { candidates = { { content = { parts = { { text = "whole" } } }, finishReason = "STOP" } },
      usageMetadata = { promptTokenCount = 5, candidatesTokenCount = 2 } }
    for _, body in ipairs { one, { { candidates = { { content = { parts = { { text = "who" } } } } } },
      { candidates = { { content = { parts = { { text = "le" } } }, finishReason = "STOP" } } } } } do
      respond = function(_, response) response:send(200, body, { ["content-type"] = "application/json" }) end
      assert.same({ "whole", "done" }, { assert(ask()).text, assert(ask()).stop })
    end
  end)

  it("shows nobody what the model only thought, and sends signed thoughts back", function()
    stream(http_server.sse { { candidates = { { content = { parts = { { text = "hm", thought = true },
      { text = "said", thoughtSignature = "c2ln" } } }, finishReason = "STOP" } } } })
    local reply = assert(ask())
    assert.equal("said", reply.text)
    assert.same({ '{"text":"said","thoughtSignature":"c2ln"}' }, reply.raw.blocks.parts)
  end)

  it("stands in for the signature that a newer model wants of the first call of a turn that it did not make", function()
    local calls = { { id = "a", name = "look", args = { b = "x" } }, { id = "b", name = "look", args = { b = "y" } } }
    local messages = { { role = "user", text = "look" }, { role = "assistant", text = "", calls = calls },
      { role = "tool", results = { { id = "a", name = "look", ok = true, text = "{}" },
      { id = "b", name = "look", ok = true, text = "{}" } } } }
    say { text = "ok" }
    assert(ask { messages = messages })
    assert.is_nil(sent().contents[2].parts[1].thoughtSignature)
    provider = open("google-ai", "gemini-3-pro")
    assert(ask { messages = messages })
    assert.equal("skip_thought_signature_validator", sent().contents[2].parts[1].thoughtSignature)
    assert.is_nil(sent().contents[2].parts[2].thoughtSignature)
  end)

  it("knows a refusal, a length, and a stream that was cut", function()
    for reason, stop in pairs { SAFETY = "refused", MAX_TOKENS = "length", OTHER = "done" } do
      say { text = "so", stop = reason }
      assert.equal(stop, assert(ask()).stop)
    end
    stream(http_server.sse { { promptFeedback = { blockReason = "SAFETY" } } })
    assert.equal("refused", assert(ask()).stop)
    stream(http_server.sse { { candidates = { { content = { parts = { { text = "half" } } } } } } })
    local _, err = ask()
    assert.same({ "retry", "the answer of C was cut in the middle; try again, or use --provider analyst" },
      { err.class, tostring(err) })
    say { stop = "MALFORMED_FUNCTION_CALL" }
    _, err = ask()
    assert.same({ "retry", "the model of C made a call that nobody can read; try again" }, { err.class, tostring(err) })
  end)

  -- status, error -> class, seconds, sentence
  local CASES = {
    { 400, { code = 400, status = "INVALID_ARGUMENT", message = "API key not valid. Please pass a valid API key." },
      "fatal", nil, "C refused the key (HTTP 400, INVALID_ARGUMENT, API key not valid. Please pass a valid API key.); "
        .. "check GEMINI_API_KEY" },
    { 400, { code = 400, status = "INVALID_ARGUMENT", message = "The input token count (9) exceeds the maximum number "
      .. "of tokens allowed (8)." }, "shrink" },
    { 429, { code = 429, status = "RESOURCE_EXHAUSTED", message = "slow", details = {
      { ["@type"] = "type.googleapis.com/google.rpc.RetryInfo", retryDelay = "34.5s" } } }, "wait", 34.5 },
    { 429, { code = 429, status = "RESOURCE_EXHAUSTED", message = "quota", details = { { violations = { {
      quotaId = "GenerateRequestsPerDayPerProjectPerModel-FreeTier" } } } } }, "quota" },
    { 503, { code = 503, status = "UNAVAILABLE", message = "overloaded" }, "retry" },
  }

  for i, case in ipairs(CASES) do
    it(("says what failed: %s (%d)"):format(case[3], i), function()
      respond = function(_, response) response:send(case[1], { error = case[2] }) end
      local _, err = ask()
      assert.same({ case[3], case[4] or "none" }, { err.class, err.wait_s or "none" })
      assert.equal(case[5] or tostring(err), tostring(err))
    end)
  end

  it("reads an error that comes as a list, or within the stream", function()
    respond = function(_, response)
      response:send(429, { { error = { code = 429, status = "RESOURCE_EXHAUSTED", message = "slow" } } })
    end
    assert.equal("wait", select(2, ask()).class)
    stream(http_server.sse { { error = { code = 503, status = "UNAVAILABLE", message = "later" } } })
    assert.equal("retry", select(2, ask()).class)
  end)

  describe("schema", function()
    local TOOL = { name = "t", description = "d", parameters = { type = "object", required = { "value" }, properties = {
      value = { type = { "number", "string" }, description = "v" }, limit = { type = "integer", minimum = 1 },
      list = { type = "array", minItems = 1, items = { type = "string", enum = { "a" }, minLength = 1 } },
      open = { type = "object" } }, additionalProperties = false } }

    it("has Gemini's words, and none that it does not know", function()
      assert.same({ type = "OBJECT", required = { "value" }, properties = {
        value = { anyOf = { { type = "NUMBER" }, { type = "STRING" } }, description = "v" },
        limit = { type = "INTEGER", minimum = 1 },
        list = { type = "ARRAY", items = { type = "STRING", enum = { "a" } } },
        open = { type = "STRING", description = "a JSON object" } } }, gemini_schema.declaration(TOOL).parameters)
    end)

    it("takes an open object as text, and hands it over as the object it is", function()
      assert.same({ value = 1, open = { a = 1 } }, gemini_schema.arguments(TOOL, { value = 1, open = '{"a":1}' }))
      assert.same({ open = "no JSON" }, gemini_schema.arguments(TOOL, { open = "no JSON" }))
    end)
  end)
end)
