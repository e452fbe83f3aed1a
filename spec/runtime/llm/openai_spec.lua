local openai = require "runtime.llm.openai"
local async = require "runtime.async"
local http_server = require "spec.support.http_server"
local json = require "runtime.json"

local KEY = "sk-proj-Very-Secret-0123456789"
local WHO = { name = "openai", env = "OPENAI_API_KEY", base = "OPENAI_BASE_URL" }
local USAGE = { choices = {}, usage = { prompt_tokens = 1000, completion_tokens = 50,
  prompt_tokens_details = { cached_tokens = 600 } } }

local function chunk(delta, reason)
  return { object = "chat.completion.chunk", choices = { { index = 0, delta = json.object(delta),
    finish_reason = reason } } }
end

local function piece(index, id, name, arguments)
  return { index = index, id = id, type = id and "function", ["function"] = { name = name, arguments = arguments } }
end

local function calls(...) return chunk { tool_calls = { ... } } end

local function answer(reason, ...)
  local events = { ... }
  events[#events + 1] = chunk({}, reason)
  events[#events + 1] = USAGE
  return http_server.sse(events) .. "data: [DONE]\n\n"
end

describe("openai", function()
  local server, respond, provider

  setup(function()
    server = http_server.start { ["POST /v1/chat/completions"] = function(request, response)
      respond(request, response)
    end }
  end)

  teardown(function() server.stop() end)

  local function open(key) return openai.new { key = key, who = WHO, model = "m", base_url = server.url .. "/v1/" } end

  before_each(function() provider = open(KEY) end)

  local function stream(text)
    respond = function(_, response)
      response:stream()
      response:write(text)
      response:finish()
    end
  end

  local function ask(request)
    request = request or {}
    request.system = "You look at nodes."
    request.messages = request.messages or { { role = "user", text = "look" } }
    return async.run(function()
      request.deadline = request.deadline or async.now() + 20
      return provider:ask(request)
    end)
  end

  local function sent() return json.decode(server.requests[#server.requests].body) end

  it("sends key, model, tools and conversation as the servers want them", function()
    stream(answer("stop", chunk { content = "ok" }))
    local tool = { name = "look", description = "looks", parameters = { type = "object" } }
    assert(ask { max_tokens = 77, tools = { tool }, messages = { { role = "user", text = "look" },
        { role = "assistant", text = "", calls = { { id = "a", name = "look", args = {} } } },
        { role = "tool", results = { { id = "a", name = "look", ok = false, text = "no such table" } } } } })
    local body = sent()
    assert.equal("Bearer " .. KEY, server.requests[#server.requests].headers.authorization)
    assert.same({ "m", 77, true, true },
      { body.model, body.max_tokens, body.stream, body.stream_options.include_usage })
    assert.same(tool, body.tools[1]["function"])
    assert.same({ role = "system", content = "You look at nodes." }, body.messages[1])
    assert.same({ name = "look", arguments = "{}" }, body.messages[3].tool_calls[1]["function"])
    assert.equal(json.null, body.messages[3].content)
    assert.same({ role = "tool", tool_call_id = "a", content = '{"error":"no such table"}' }, body.messages[4])
  end)

  it("sends no authorization without a key", function()
    provider = open(nil)
    stream(answer("stop", chunk { content = "ok" }))
    assert(ask())
    assert.is_nil(server.requests[#server.requests].headers.authorization)
  end)

  it("reads text and usage, what was cached apart", function()
    stream(answer("stop", chunk { role = "assistant", content = "" }, chunk { content = "Grüße " },
      chunk { content = "€" }))
    local reply = assert(ask())
    assert.same({ "Grüße €", {}, "done" }, { reply.text, reply.calls, reply.stop })
    assert.same({ input = 400, cache_read = 600, cache_write = 0, output = 50 }, reply.usage)
  end)

  local TWO = { { id = "c1", name = "look", args = { limit = 5 } }, { id = "c2", name = "count", args = {} } }

  it("reads two calls of one turn, their pieces mixed", function()
    stream(answer("tool_calls", calls(piece(0, "c1", "look", '{"li')), calls(piece(1, "c2", "count", "")),
      calls(piece(0, nil, nil, 'mit":5}'))))
    local reply = assert(ask())
    assert.same({ TWO, "calls" }, { reply.calls, reply.stop })
  end)

  it("reads calls from servers that repeat id and name with each piece", function()
    stream(answer("stop", calls(piece(0, "c1", "look", '{"limit"')), calls(piece(0, "c1", "look", ":5}")),
      calls(piece(1, "c2", "count", "{}"))))
    local reply = assert(ask())
    assert.same({ TWO, "calls" }, { reply.calls, reply.stop })
  end)

  it("reads calls from servers that give all the index 0, or none", function()
    for _, index in ipairs { 0, false } do
      stream(answer("tool_calls", calls(piece(index or nil, "c1", "look", '{"limit":5}')),
        calls(piece(index or nil, "c2", "count", "{}"))))
      assert.same(TWO, assert(ask()).calls)
    end
  end)

  it("gives ids to calls that have none, and their own to those that share one", function()
    stream(answer("tool_calls", calls(piece(0, nil, "look", "{}"), piece(1, nil, "count", "{}"))))
    local reply = assert(ask())
    assert.same({ "look", "count" }, { reply.calls[1].name, reply.calls[2].name })
    assert.are_not.equal(reply.calls[1].id, reply.calls[2].id)
    stream(answer("tool_calls", calls(piece(0, "same", "look", "{}"), piece(1, "same", "count", "{}"))))
    reply = assert(ask())
    assert.are_not.equal(reply.calls[1].id, reply.calls[2].id)
  end)

  it("hands over arguments that are no JSON, and sends them to no server again", function()
    stream(answer("tool_calls", calls(piece(0, "c1", "look", '{"limit":'))))
    local reply = assert(ask())
    assert.same({ { id = "c1", name = "look", bad_args = '{"limit":' } }, reply.calls)
    stream(answer("stop", chunk { content = "ok" }))
    assert(ask { messages = { { role = "user", text = "look" },
      { role = "assistant", text = "", calls = reply.calls, raw = reply.raw },
      { role = "tool", results = { { id = "c1", name = "look", ok = false, text = "no JSON" } } } } })
    assert.equal("{}", sent().messages[3].tool_calls[1]["function"].arguments)
  end)

  it("reads an answer in one piece from a server that does not stream", function()
    respond = function(_, response)
      response:send(200, { choices = { { index = 0, finish_reason = "tool_calls", message = { role = "assistant",
        content = json.null, tool_calls = { { id = "c1", type = "function",
          ["function"] = { name = "look", arguments = '{"limit":5}' } } } } } }, usage = USAGE.usage },
        { ["content-type"] = "application/json" })
    end
    local reply = assert(ask())
    assert.same({ { TWO[1] }, 50 }, { reply.calls, reply.usage.output })
  end)

  it("drops the half of a call that the limit has cut", function()
    stream(answer("length", calls(piece(0, "c1", "look", '{"lim'))))
    local reply = assert(ask())
    assert.same({ {}, "length" }, { reply.calls, reply.stop })
  end)

  it("knows a refusal", function()
    stream(answer("stop", chunk { refusal = "I will not." }))
    local reply = assert(ask())
    assert.same({ "refused", "I will not." }, { reply.stop, reply.text })
  end)

  it("notices a stream that was cut", function()
    stream(http_server.sse { chunk { content = "half" } })
    local _, err = ask()
    assert.same({ "retry", "the answer of openai was cut in the middle; try again, or use --provider analyst" },
      { err.class, tostring(err) })
  end)

  for _, words in ipairs { "parallel_tool_calls", "stream_options", "max_tokens" } do
    it(("does without %s for good where a server does not know it"):format(words), function()
      local refused = 0
      respond = function(request, response)
        if request.body:find(('"%s":'):format(words), 1, true) then
          refused = refused + 1
          return response:send(400, { error = { type = "invalid_request_error",
            message = ("Unsupported parameter: '%s' is not supported with this model."):format(words) } })
        end
        response:stream()
        response:write(answer("stop", chunk { content = "ok" }))
        response:finish()
      end
      local tools = { { name = "look", description = "looks", parameters = { type = "object" } } }
      for _ = 1, 2 do assert.equal("ok", assert(ask { tools = tools }).text) end
      assert.equal(1, refused)
    end)
  end

  it("takes a second refusal of the same for what it is", function()
    local asked = 0
    respond = function(_, response)
      asked = asked + 1
      response:send(400, { error = { message = "max_tokens is wrong in either way" } })
    end
    local _, err = ask()
    assert.same({ "fatal", 2 }, { err.class, asked })
  end)

  -- status, error -> class, sentence
  local CASES = {
    { 401, { message = "Incorrect API key provided: " .. KEY, type = "invalid_request_error" },
      "fatal", "openai refused the key (HTTP 401, invalid_request_error, Incorrect API key provided: <key>); "
        .. "check OPENAI_API_KEY" },
    { 429, { message = "Rate limit", type = "requests", code = "rate_limit_exceeded" }, "wait",
      "openai asks us to slow down (HTTP 429, requests, Rate limit); wait a while, or use another --model" },
    { 429, { message = "You exceeded your quota", type = "insufficient_quota", code = "insufficient_quota" }, "quota",
      "the quota of this key at openai is used up (HTTP 429, insufficient_quota, You exceeded your quota); "
        .. "raise it, or use --provider analyst" },
    { 400, { message = "too long", type = "invalid_request_error", code = "context_length_exceeded" }, "shrink",
      "the conversation is longer than the model of openai can read (HTTP 400, invalid_request_error, too long); "
        .. "use fewer --skills, or another --model" },
    { 404, "model 'm' not found", "fatal", "openai does not know this model or address (HTTP 404, model 'm' not "
      .. "found); check --model and the base URL" },
    { 500, { message = "boom" }, "retry", "openai has a fault of its own (HTTP 500, boom); try again later, "
      .. "or use --provider analyst" },
  }

  for _, case in ipairs(CASES) do
    it(("says in a sentence what failed: %d as %s"):format(case[1], case[3]), function()
      respond = function(_, response) response:send(case[1], { error = case[2] }) end
      local _, err = ask()
      assert.same({ case[3], case[4] }, { err.class, tostring(err) })
      assert.is_nil(json.encode(err):find("Secret", 1, true))
    end)
  end
end)
