local clients = require "spec.support.wire_clients"
local http_server = require "spec.support.http_server"
local json = require "runtime.json"
local sigv4 = require "runtime.llm.sigv4"
local wire_replies = require "spec.support.wire_replies"

local SECRET = clients.key
local TOOLS = { { name = "look", description = "looks", parameters = { type = "object", required = { "b" },
  properties = { b = { type = "string" } } } } }
local EVENTS = { ["content-type"] = "application/vnd.amazon.eventstream" }

describe("bedrock", function()
  local server, respond, provider

  setup(function()
    local function route(request, response) respond(request, response) end
    local routes = {}
    for _, model in ipairs { "anthropic.claude-v1%3A0", "amazon.nova-v1%3A0", "meta.llama-v1%3A0" } do
      routes[("POST /model/%s/converse-stream"):format(model)] = route
    end
    server = http_server.start(routes)
  end)

  teardown(function() server.stop() end)

  local function open(model, env)
    local form = clients.form("aws-bedrock", server.url)
    form.options.model = model or form.options.model
    local options = { client_registry = { primary = "C", clients = { form } } }
    env = env or clients.kinds["aws-bedrock"].env
    return assert(require("runtime.llm").choose(options, function(name) return env[name] end)).operator {}
  end

  before_each(function() provider = open() end)

  local function stream(bytes)
    respond = function(_, response)
      response:stream(EVENTS)
      for _, piece in ipairs(type(bytes) == "table" and bytes or { bytes }) do response:write(piece) end
      response:finish()
    end
  end

  local function say(reply) stream((wire_replies.bedrock(reply))) end

  local function ask(request)
    request = request or {}
    request.system, request.messages = "You look.", request.messages or { { role = "user", text = "look" } }
    return clients.ask(provider, request)
  end

  local function last() return server.requests[#server.requests] end
  local function sent() return json.decode(last().body) end
  local POINT = { cachePoint = { type = "default" } }

  it("sends model, system text, tools and conversation in Converse's form, with its breakpoints", function()
    say { text = "ok" }
    assert(ask { max_tokens = 77, tools = TOOLS })
    assert.same({ inferenceConfig = { maxTokens = 77 }, system = { { text = "You look." }, POINT },
      toolConfig = { tools = { { toolSpec = { name = "look", description = "looks",
        inputSchema = { json = TOOLS[1].parameters } } }, POINT } },
      messages = { { role = "user", content = { { text = "look" }, POINT } } } }, sent())
  end)

  it("sets no breakpoint where the model's maker has no cache, and none before the tools of Nova", function()
    say { text = "ok" }
    provider = open "meta.llama-v1:0"
    assert(ask { tools = TOOLS })
    assert.is_nil(last().body:find("cachePoint", 1, true))
    provider = open "amazon.nova-v1:0"
    assert(ask { tools = TOOLS })
    assert.same({ 1, 2, 2 }, { #sent().toolConfig.tools, #sent().system, #sent().messages[1].content })
  end)

  it("goes without a cache when an older model refuses it", function()
    local refused = 0
    respond = function(request, response)
      if request.body:find("cachePoint", 1, true) then
        refused = refused + 1
        return response:send(400, { message = "You invoked an unsupported model or your request did not allow prompt "
          .. "caching." }, { ["x-amzn-errortype"] = "ValidationException" })
      end
      response:stream(EVENTS)
      response:write((wire_replies.bedrock { text = "ok" }))
      response:finish()
    end
    assert.equal("ok", assert(ask { tools = TOOLS }).text)
    assert.equal("ok", assert(ask { tools = TOOLS }).text)
    assert.equal(1, refused)
  end)

  it("signs what it sends, as it is sent", function()
    say { text = "ok" }
    provider = open(nil, { AWS_ACCESS_KEY_ID = "AKIDEXAMPLE", AWS_SECRET_ACCESS_KEY = SECRET,
      AWS_SESSION_TOKEN = "session" })
    assert(ask())
    local request, headers = last(), last().headers
    local _, steps = sigv4.sign { method = "POST", path = request.path, body = request.body, region = "eu-central-1",
      service = "bedrock", key_id = "AKIDEXAMPLE", secret = SECRET, token = headers["x-amz-security-token"],
      time = headers["x-amz-date"], headers = { { "host", headers.host },
        { "content-type", headers["content-type"] } } }
    assert.equal("session", headers["x-amz-security-token"])
    assert.equal(steps.signature, headers.authorization:match "Signature=(%x+)$")
    assert.is_nil(request.raw:find(SECRET, 1, true))
  end)

  it("sends a key of Bedrock's own in place of a signature", function()
    say { text = "ok" }
    provider = open(nil, { AWS_BEARER_TOKEN_BEDROCK = "bedrock-key" })
    assert(ask())
    assert.same({ "Bearer bedrock-key" }, { last().headers.authorization, last().headers["x-amz-date"] })
  end)

  it("reads text and usage", function()
    say { text = "Grüße €" }
    local heard = {}
    local reply = assert(ask { on_text = function(delta) heard[#heard + 1] = delta end })
    assert.same({ "Grüße €", "Grüße €", {}, "done" }, { reply.text, table.concat(heard), reply.calls, reply.stop })
    assert.same({ input = 90, cache_read = 1000, cache_write = 10, output = 20 }, reply.usage)
  end)

  local CALLS = { thought = "hm", text = "I look.", calls = { { "look", { b = "x" }, id = "t1" },
    { "stop", {}, id = "t2" } } }

  it("reads calls and thoughts, and sends them back with their results", function()
    say(CALLS)
    local reply = assert(ask { tools = TOOLS })
    assert.same({ { id = "t1", name = "look", args = { b = "x" } }, { id = "t2", name = "stop", args = {} } },
      reply.calls)
    assert.same({ "calls", "I look." }, { reply.stop, reply.text })
    say { text = "ok" }
    assert(ask { messages = { { role = "user", text = "look" }, { role = "assistant", text = reply.text,
      calls = reply.calls, raw = reply.raw }, { role = "tool", results = { { id = "t1", name = "look", ok = true,
      text = '{"n":1}' }, { id = "t2", name = "stop", ok = false, text = "not now" } } },
      { role = "user", text = "go on" } } })
    local messages = sent().messages
    assert.same({ { reasoningContent = { reasoningText = { text = "hm", signature = "c2ln" } } }, { text = "I look." },
      { toolUse = { toolUseId = "t1", name = "look", input = { b = "x" } } },
      { toolUse = { toolUseId = "t2", name = "stop", input = {} } } }, messages[2].content)
    assert.same({ { text = "look" }, POINT }, messages[1].content)
    assert.same({ { toolResult = { toolUseId = "t1", content = { { text = '{"n":1}' } } } },
      { toolResult = { toolUseId = "t2", content = { { text = "not now" } }, status = "error" } },
      { text = "go on" }, POINT }, messages[3].content)
    assert.is_truthy(last().body:find('"input":{}', 1, true))
    assert.equal("look", sent().toolConfig.tools[1].toolSpec.name)
  end)

  it("leaves thoughts out once what stood before them is another", function()
    say(CALLS)
    local reply = assert(ask())
    local results = {}
    for k, call in ipairs(reply.calls) do results[k] = { id = call.id, name = call.name, ok = true, text = "{}" } end
    local function begins_with_a_thought(first)
      say { text = "ok" }
      assert(ask { messages = { { role = "user", text = first }, { role = "assistant", text = reply.text,
        calls = reply.calls, raw = reply.raw }, { role = "tool", results = results } } })
      return sent().messages[2].content[1].reasoningContent ~= nil
    end
    assert.same({ true, false }, { begins_with_a_thought "look", begins_with_a_thought "looked" })
  end)

  it("says in words that a result is an error to models that know no mark for it", function()
    say { text = "ok" }
    provider = open "meta.llama-v1:0"
    assert(ask { messages = { { role = "user", text = "look" }, { role = "assistant", text = "", calls = { { id = "t1",
      name = "look", args = {} } } }, { role = "tool", results = { { id = "t1", name = "look", ok = false,
      text = "not now" } } } } })
    assert.same({ toolResult = { toolUseId = "t1", content = { { text = '{"error":"not now"}' } } } },
      sent().messages[3].content[1])
  end)

  it("reads the same reply wherever the stream is cut", function()
    local bytes = wire_replies.bedrock(CALLS)
    stream(bytes)
    local wanted = assert(ask())
    for at = 1, #bytes - 1, 1 do
      stream { bytes:sub(1, at), bytes:sub(at + 1) }
      assert.same(wanted, assert(ask()))
    end
  end)

  it("reads an answer in one piece", function()
    respond = function(_, response)
      response:send(200, { output = { message = { role = "assistant", content = { { text = "whole" }, { toolUse = {
        toolUseId = "t1", name = "look", input = { b = "x" } } } } } }, stopReason = "tool_use",
        usage = { inputTokens = 5, outputTokens = 2 } }, { ["content-type"] = "application/json" })
    end
    local reply = assert(ask())
    assert.same({ "whole", { { id = "t1", name = "look", args = { b = "x" } } }, "calls", 5 },
      { reply.text, reply.calls, reply.stop, reply.usage.input })
  end)

  it("hands over arguments that are no JSON, drops the half of a call, and sends neither again", function()
    say { calls = { { "look", bad = '{"b":', id = "t1" } } }
    local reply = assert(ask())
    assert.same({ { id = "t1", name = "look", bad_args = '{"b":' } }, reply.calls)
    assert.same({ '{"toolUse":{"input":{},"name":"look","toolUseId":"t1"}}' }, { unpack(reply.raw.blocks) })
    say { text = "so", calls = { { "look", bad = '{"b":', id = "t1" } }, stop = "max_tokens" }
    reply = assert(ask())
    assert.same({ {}, "length", { '{"text":"so"}' } }, { reply.calls, reply.stop, { unpack(reply.raw.blocks) } })
  end)

  it("knows a refusal, a context that is full, and a stream that was cut", function()
    for reason, stop in pairs { guardrail_intervened = "refused", content_filtered = "refused",
      model_context_window_exceeded = "context_full", whatever = "done" } do
      say { text = "so", stop = reason }
      assert.equal(stop, assert(ask()).stop)
    end
    local bytes = wire_replies.bedrock { text = "half" }
    stream(bytes:sub(1, 300))
    local _, err = ask()
    assert.same({ "retry", "the answer of C was cut in the middle; try again, or use --provider analyst" },
      { err.class, tostring(err) })
    stream(bytes:sub(1, 200) .. "X" .. bytes:sub(202))
    _, err = ask()
    assert.same({ "retry", "C sent an event whose checksum is wrong; check the base URL" },
      { err.class, tostring(err) })
  end)

  -- status, error type -> class, sentence
  local CASES = {
    { 400, "ValidationException:http://internal/", "Input is too long for requested model.", "shrink",
      "the conversation is longer than the model of C can read (HTTP 400, ValidationException, Input is too long for "
        .. "requested model.); use fewer --skills, or another --model" },
    { 400, "ServiceQuotaExceededException", "quota", "quota", "the quota of this key at C is used up (HTTP 400, "
      .. "ServiceQuotaExceededException, quota); raise it, or use --provider analyst" },
    { 403, "AccessDeniedException", "no", "fatal", "C does not allow this key to do that (HTTP 403, "
      .. "AccessDeniedException, no); check AWS_ACCESS_KEY_ID and the model" },
    { 424, "ModelErrorException", "oops", "retry", "the model of C failed (HTTP 424, ModelErrorException, "
      .. "oops); try again, or use another --model" },
    { 429, "ThrottlingException", "slow", "wait", "C asks us to slow down (HTTP 429, ThrottlingException, slow); wait "
      .. "a while, or use another --model" },
    { 503, "ServiceUnavailableException", "later", "retry", "C has a fault of its own (HTTP 503, "
      .. "ServiceUnavailableException, later); try again later, or use --provider analyst" },
  }

  for _, case in ipairs(CASES) do
    it(("says in a sentence what failed: %s as %s"):format(case[2], case[4]), function()
      respond = function(_, response)
        response:send(case[1], { message = case[3] }, { ["x-amzn-errortype"] = case[2] })
      end
      local _, err = ask()
      assert.same({ case[4], case[5] }, { err.class, tostring(err) })
    end)
  end

  it("reads an exception in the middle of a stream", function()
    stream(wire_replies.aws_message({ [":message-type"] = "exception", [":exception-type"] = "throttlingException" },
      '{"message":"slow"}'))
    local _, err = ask()
    assert.same({ "wait", "throttlingException" }, { err.class, err.type })
  end)
end)
