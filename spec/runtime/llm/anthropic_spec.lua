-- The provider against a real server on this machine; the answers are written as the API's
-- documentation has them.
local anthropic = require "runtime.llm.anthropic"
local async = require "runtime.async"
local http_server = require "spec.support.http_server"
local json = require "runtime.json"

local KEY = "sk-ant-api03-Very-Secret-0123456789"
local WHO = { name = "anthropic", env = "ANTHROPIC_API_KEY" }
local START = { type = "message_start", message = { id = "msg_1",
  usage = { input_tokens = 12, cache_creation_input_tokens = 300, cache_read_input_tokens = 4000,
    output_tokens = 1 } } }

local function block(index, start, deltas)
  local events = { { type = "content_block_start", index = index, content_block = start } }
  for _, delta in ipairs(deltas) do
    events[#events + 1] = { type = "content_block_delta", index = index, delta = delta }
  end
  events[#events + 1] = { type = "content_block_stop", index = index }
  return events
end

local function text_block(index, ...)
  local deltas = {}
  for i, piece in ipairs { ... } do deltas[i] = { type = "text_delta", text = piece } end
  return block(index, { type = "text", text = "" }, deltas)
end

local function call_block(index, id, name, ...)
  local deltas = {}
  for i, piece in ipairs { ... } do deltas[i] = { type = "input_json_delta", partial_json = piece } end
  return block(index, { type = "tool_use", id = id, name = name, input = json.object {} }, deltas)
end

local function answer(stop, ...)
  local events = { START, { type = "ping" } }
  for _, of_block in ipairs { ... } do for _, event in ipairs(of_block) do events[#events + 1] = event end end
  events[#events + 1] = { type = "message_delta", delta = { stop_reason = stop }, usage = { output_tokens = 80 } }
  events[#events + 1] = { type = "message_stop" }
  return http_server.sse(events)
end

describe("anthropic", function()
  local server, respond

  setup(function()
    server = http_server.start { ["POST /v1/messages"] = function(request, response) respond(request, response) end }
  end)

  teardown(function() server.stop() end)

  local function stream(text)
    respond = function(_, response)
      response:stream()
      response:write(text)
      response:finish()
    end
  end

  local function fail(status, body, headers)
    respond = function(_, response) response:send(status, body, headers) end
  end

  local provider

  local function ask(request)
    request = request or {}
    request.system = request.system or "You look at nodes."
    request.messages = request.messages or { { role = "user", text = "Reason: memory alert" } }
    return async.run(function()
      request.deadline = request.deadline or async.now() + 20
      return provider:ask(request)
    end)
  end

  local function sent() return json.decode(server.requests[#server.requests].body) end

  before_each(function()
    provider = anthropic.new { key = KEY, who = WHO, model = "m", base_url = server.url }
  end)

  local TOOLS = { { name = "look", description = "looks",
    parameters = { type = "object", properties = json.object {} } } }

  describe("request", function()
    before_each(function() stream(answer("end_turn", text_block(0, "ok"))) end)

    it("has the key in its header, and the model and max_tokens in its body", function()
      assert(ask { max_tokens = 99 })
      local request, body = server.requests[#server.requests], sent()
      assert.equal(KEY, request.headers["x-api-key"])
      assert.equal("2023-06-01", request.headers["anthropic-version"])
      assert.same({ "m", 99, true }, { body.model, body.max_tokens, body.stream })
      assert(ask {})
      assert.is_true(sent().max_tokens > 0)
    end)

    it("lets the stable prefix and the conversation so far be cached", function()
      assert(ask { tools = TOOLS })
      local body = sent()
      assert.same({ type = "ephemeral" }, body.system[1].cache_control)
      assert.same({ type = "ephemeral" }, body.messages[1].content[1].cache_control)
      local first = server.requests[#server.requests].body
      assert(ask { tools = TOOLS })
      assert.equal(first, server.requests[#server.requests].body)
    end)

    it("marks where the request before ended, too, however many calls the turn had", function()
      local calls, results = {}, {}
      for i = 1, 16 do
        calls[i] = { id = "c" .. i, name = "look", args = {} }
        results[i] = { id = "c" .. i, name = "look", ok = true, text = "{}" }
      end
      assert(ask { tools = TOOLS, messages = { { role = "user", text = "look" },
        { role = "assistant", text = "", calls = calls }, { role = "tool", results = results },
        { role = "assistant", text = "", calls = { { id = "d", name = "look", args = {} } } },
        { role = "tool", results = { { id = "d", name = "look", ok = true, text = "{}" } } } } })
      local marked = {}
      for i, message in ipairs(sent().messages) do
        for k, part in ipairs(message.content) do
          if part.cache_control then marked[#marked + 1] = { i, k } end
        end
      end
      assert.same({ { 3, 16 }, { 5, 1 } }, marked)
    end)

    it("answers all calls of a turn in one message, results before text", function()
      assert(ask { tools = TOOLS, messages = {
        { role = "user", text = "look" },
        { role = "assistant", text = "", calls = { { id = "a", name = "look", args = {} }, { id = "b", name = "look",
          args = { limit = 1 } } } },
        { role = "tool", results = { { id = "a", name = "look", ok = true, text = '{"n":1}' },
          { id = "b", name = "look", ok = false, text = "limit must be from 1 to 50" } } },
        { role = "user", text = "go on" } } })
      local messages = sent().messages
      assert.equal(3, #messages)
      assert.same({ type = "tool_use", id = "b", name = "look", input = { limit = 1 } }, messages[2].content[2])
      assert.matches('"input":{}', server.requests[#server.requests].body, 1, true)
      local content = messages[3].content
      assert.same({ type = "tool_result", tool_use_id = "a", content = '{"n":1}' }, content[1])
      assert.is_true(content[2].is_error)
      assert.equal("go on", content[3].text)
    end)

    it("keeps the tools in a last step that may call none", function()
      assert(ask { tools = TOOLS })
      assert.same({ type = "auto" }, sent().tool_choice)
      assert(ask {})
      assert.same({ type = "none" }, sent().tool_choice)
      assert.equal("look", sent().tools[1].name)
    end)
  end)

  it("reads text, and tells it as it comes", function()
    stream(answer("end_turn", text_block(0, "All ", "is well.")))
    local heard = {}
    local reply = assert(ask { on_text = function(delta) heard[#heard + 1] = delta end })
    assert.same({ "All is well.", {}, "done" }, { reply.text, reply.calls, reply.stop })
    assert.same({ "All ", "is well." }, heard)
  end)

  it("counts what came from the cache apart", function()
    stream(answer("end_turn", text_block(0, "ok")))
    assert.same({ input = 12, cache_write = 300, cache_read = 4000, output = 80 }, assert(ask()).usage)
  end)

  it("reads two calls of one turn, their arguments joined from pieces", function()
    stream(answer("tool_use", text_block(0, "I look."), call_block(1, "t1", "beam_top", '{"limit"', ':5}'),
      call_block(2, "t2", "beam_memory")))
    local reply = assert(ask())
    assert.equal("calls", reply.stop)
    assert.same({ { id = "t1", name = "beam_top", args = { limit = 5 } },
      { id = "t2", name = "beam_memory", args = {} } }, reply.calls)
  end)

  it("sends a reply's blocks back as they came, thinking and empty arguments too", function()
    stream(answer("tool_use", block(0, { type = "thinking", thinking = "", signature = "" },
      { { type = "thinking_delta", thinking = "hm" }, { type = "signature_delta", signature = "c2ln" } }),
      block(1, { type = "redacted_thinking", data = "xyz" }, {}),
      call_block(2, "t1", "look", '{"deep":{},  "list":[]}')))
    local reply = assert(ask())
    stream(answer("end_turn", text_block(0, "ok")))
    assert(ask { messages = { { role = "user", text = "Reason: memory alert" },
      { role = "assistant", text = reply.text, calls = reply.calls, raw = reply.raw },
      { role = "tool", results = { { id = "t1", name = "look", ok = true, text = "{}" } } } } })
    local raw = server.requests[#server.requests].raw
    assert.truthy(raw:find('{"signature":"c2ln","thinking":"hm","type":"thinking"}', 1, true))
    assert.truthy(raw:find('{"data":"xyz","type":"redacted_thinking"}', 1, true))
    assert.truthy(raw:find('"input":{"deep":{},  "list":[]}', 1, true))
  end)

  describe("thinking, which is bound to what stood before it,", function()
    local FIRST = { role = "user", text = "look" }
    local THOUGHT = { { type = "thinking_delta", thinking = "hm" }, { type = "signature_delta", signature = "c2ln" } }

    -- A turn: what the model thinks and calls, and the result of it.
    local function turn(messages, id, system)
      stream(answer("tool_use", block(0, { type = "thinking", thinking = "", signature = "" }, THOUGHT),
        call_block(1, id, "look", "{}")))
      local reply = assert(ask { messages = messages, system = system })
      messages[#messages + 1] = { role = "assistant", text = reply.text, calls = reply.calls, raw = reply.raw }
      messages[#messages + 1] = { role = "tool", results = { { id = id, name = "look", ok = true, text = "{}" } } }
      return messages
    end

    -- Which replies of the last request still have their thoughts.
    local function thoughts()
      local list = {}
      for _, message in ipairs(sent().messages) do
        if message.role == "assistant" then list[#list + 1] = message.content[1].type == "thinking" end
      end
      return list
    end

    it("goes back while nothing before it changes, whatever the breakpoints do", function()
      turn(turn(turn(turn({ FIRST }, "t1"), "t2"), "t3"), "t4")
      assert.same({ true, true, true }, thoughts())
    end)

    it("stays out from where an old result was made shorter, and is kept again from then on", function()
      local messages = turn(turn(turn({ FIRST }, "t1"), "t2"), "t3")
      messages[3] = { role = "tool", results = { { id = "t1", name = "look", ok = true, text = "short" } } }
      turn(messages, "t4")
      assert.same({ true, false, false }, thoughts())
      turn(turn(messages, "t5"), "t6")
      assert.same({ true, false, false, true, true }, thoughts())
    end)

    it("stays out once the prompt is another", function()
      local messages = turn(turn({ FIRST }, "t1"), "t2")
      turn(messages, "t3", "You look at other nodes.")
      assert.same({ false, false }, thoughts())
    end)

    it("stays out for good where the provider refuses it all the same", function()
      local messages, refused = turn(turn({ FIRST }, "t1"), "t2"), 0
      respond = function(request, response)
        if not request.body:find('"thinking"', 1, true) then return response:send(200, {}, {}) end
        refused = refused + 1
        response:send(400, { type = "error", error = { type = "invalid_request_error",
          message = "messages.1.content.0: Invalid `signature` in `thinking` block. The block is bound to a different "
            .. "conversation." } })
      end
      ask { messages = messages }
      assert.same({ 1, { false, false } }, { refused, thoughts() })
      turn(messages, "t3")
      turn(messages, "t4")
      assert.same({ false, false, true }, thoughts())
    end)

    it("leaves a word behind where a reply was nothing but it", function()
      stream(answer("end_turn", block(0, { type = "thinking", thinking = "", signature = "" }, THOUGHT)))
      local reply = assert(ask { messages = { FIRST } })
      stream(answer("end_turn", text_block(0, "ok")))
      assert(ask { messages = { { role = "user", text = "another" }, { role = "assistant", text = "", calls = {},
        raw = reply.raw }, { role = "user", text = "and?" } } })
      assert.same({ { type = "text", text = "(a thought)" } }, sent().messages[2].content)
    end)
  end)

  it("reads a stream that is split anywhere, inside a character too", function()
    local text = answer("tool_use", text_block(0, "Grüße €"), call_block(1, "t1", "look", '{"name":"Zoë"}'))
    respond = function(_, response)
      response:stream()
      for at = 1, #text, 3 do
        response:write(text:sub(at, at + 2))
        if at % 60 == 1 then response:pause(1) end
      end
      response:finish()
    end
    local reply = assert(ask())
    assert.same({ "Grüße €", { name = "Zoë" } }, { reply.text, reply.calls[1].args })
  end)

  it("ignores events and deltas that it does not know", function()
    stream(http_server.sse { { type = "news", about = 1 }, START } .. answer("end_turn",
      block(0, { type = "text", text = "" }, { { type = "citations_delta", citation = {} },
        { type = "text_delta", text = "ok" } }), block(1, { type = "tomorrow" }, {})))
    assert.equal("ok", assert(ask()).text)
  end)

  it("hands over arguments that are no JSON as they are", function()
    stream(answer("tool_use", call_block(0, "t1", "look", '{"limit":')))
    assert.same({ { id = "t1", name = "look", bad_args = '{"limit":' } }, assert(ask()).calls)
  end)

  it("drops the half of a call that max_tokens has cut", function()
    stream(answer("max_tokens", call_block(0, "t1", "look", "{}"), call_block(1, "t2", "look", '{"lim')))
    local reply = assert(ask())
    assert.same({ "length", 1, 1 }, { reply.stop, #reply.calls, #reply.raw })
  end)

  it("knows why the model stopped", function()
    for reason, stop in pairs { refusal = "refused", pause_turn = "pause", stop_sequence = "done",
      model_context_window_exceeded = "context_full", something_new = "done" } do
      stream(answer(reason, text_block(0, "x")))
      assert.equal(stop, assert(ask()).stop)
    end
  end)

  it("reads an answer in one piece from a server that does not stream", function()
    fail(200, { type = "message", content = { { type = "text", text = "ok" }, { type = "tool_use", id = "t1",
      name = "look", input = { limit = 2 } } }, stop_reason = "tool_use",
      usage = { input_tokens = 3, output_tokens = 4 } }, { ["content-type"] = "application/json" })
    local reply = assert(ask())
    assert.same({ "ok", { limit = 2 }, "calls", 4 },
      { reply.text, reply.calls[1].args, reply.stop, reply.usage.output })
  end)

  describe("when it fails", function()
    local function api_error(kind, message, more)
      local err = { type = kind, message = message }
      for k, v in pairs(more or {}) do err[k] = v end
      return { type = "error", error = err, request_id = "req_1" }
    end

    -- status, error, headers -> class, sentence
    local CASES = {
      { 400, api_error("invalid_request_error", "max_tokens: too large"), nil, "fatal",
        "anthropic refused the request (HTTP 400, invalid_request_error, max_tokens: too large); check --model" },
      { 400, api_error("invalid_request_error", "prompt is too long: 210000 tokens > 200000 maximum"), nil, "shrink",
        "^the conversation is longer than the model of anthropic can read .*; use fewer %-%-skills" },
      { 401, api_error("authentication_error", "invalid x-api-key"), nil, "fatal",
        "anthropic refused the key (HTTP 401, authentication_error, invalid x-api-key); check ANTHROPIC_API_KEY" },
      { 402, api_error("billing_error", "pay"), nil, "quota", "^anthropic wants to be paid first" },
      { 403, api_error("permission_error", "no"), nil, "fatal", "^anthropic does not allow this key to do that" },
      { 404, api_error("not_found_error", "model: x"), nil, "fatal", "^anthropic does not know this model" },
      { 413, api_error("request_too_large", "big"), nil, "shrink", "^anthropic finds the request too large" },
      { 429, api_error("rate_limit_error", "slow down"), { ["retry-after"] = "7" }, "wait",
        "anthropic asks us to slow down (HTTP 429, rate_limit_error, slow down); wait a while, "
          .. "or use another --model" },
      { 429, api_error("rate_limit_error", "slow down"), { ["retry-after"] = "3600" }, "wait",
        "anthropic asks us to slow down (HTTP 429, rate_limit_error, slow down); it wants us to wait 60 minutes; "
          .. "until then use another --model" },
      { 302, {}, nil, "fatal",
        "anthropic sends us elsewhere, and no key is sent there (HTTP 302); check the base URL" },
      { 429, api_error("rate_limit_error", "spent", { details = { error_code = "enforced_spend_limit_reached" } }),
        nil, "quota", "^the quota of this key at anthropic is used up" },
      { 500, api_error("api_error", "oops"), nil, "retry",
        "anthropic has a fault of its own (HTTP 500, api_error, oops); try again later, or use --provider analyst" },
      { 500, api_error("api_error", "oops"), { ["x-should-retry"] = "false" }, "fatal", "^anthropic has a fault" },
      { 529, api_error("overloaded_error", "Overloaded"), nil, "retry",
        "anthropic is overloaded (HTTP 529, overloaded_error, Overloaded); try again later, "
          .. "or use --provider analyst" },
      { 503, "<html>Bad gateway</html>", nil, "retry", "anthropic has a fault of its own (HTTP 503); try again later, "
        .. "or use --provider analyst" },
    }

    for _, case in ipairs(CASES) do
      it(("says it in a sentence: %d as %s"):format(case[1], case[4]), function()
        fail(case[1], case[2], case[3])
        local reply, err = ask()
        assert.is_nil(reply)
        assert.equal(case[4], err.class)
        local found = tostring(err):find(case[5], 1, case[5]:sub(1, 1) ~= "^")
        assert.equal(1, found, tostring(err))
      end)
    end

    it("reads how long to wait", function()
      fail(429, api_error("rate_limit_error", "x"), { ["retry-after"] = "7", ["request-id"] = "req_9" })
      local _, err = ask()
      assert.same({ 7, "req_9" }, { err.wait_s, err.request_id })
      fail(429, api_error("rate_limit_error", "x"), { ["retry-after"] = "7", ["retry-after-ms"] = "250" })
      _, err = ask()
      assert.equal(0.25, err.wait_s)
      fail(429, api_error("rate_limit_error", "x"),
        { ["retry-after"] = os.date("!%a, %d %b %Y %H:%M:%S GMT", os.time() + 30) })
      _, err = ask()
      assert.near(30, err.wait_s, 5)
    end)

    it("takes an error event after a 200 for what it says", function()
      stream(http_server.sse { START,
        { type = "error", error = { type = "overloaded_error", message = "Overloaded" } } })
      local _, err = ask()
      assert.same({ "retry", "overloaded_error" }, { err.class, err.type })
      assert.matches("^anthropic is overloaded", tostring(err))
    end)

    it("notices a stream that was cut, by the socket or by a missing end", function()
      local half = http_server.sse { START } .. "event: content_block_start\ndata: {\"type\":"
      respond = function(_, response)
        response:stream()
        response:write(half)
        response:cut()
      end
      local reply, err = ask()
      assert.is_nil(reply)
      assert.equal("retry", err.class)
      assert.matches("^no whole answer from anthropic %(127.0.0.1:%d+ ended the connection in the middle .*; try again",
        tostring(err))
      stream(http_server.sse { START, { type = "ping" } })
      reply, err = ask()
      assert.is_nil(reply)
      assert.equal("the answer of anthropic was cut in the middle; try again, or use --provider analyst", tostring(err))
    end)

    it("knows a web page for what it is", function()
      respond = function(_, response) response:send(200, "<html>Log in", { ["content-type"] = "text/html" }) end
      local reply, err = ask()
      assert.is_nil(reply)
      assert.same({ "fatal", "a web page came in place of anthropic's answer; check the base URL" },
        { err.class, tostring(err) })
    end)

    it("gives a sentence for events that are no JSON or lack their fields", function()
      stream "data: <html>\n\n"
      local _, err = ask()
      assert.matches("^anthropic sent an event that is no JSON", tostring(err))
      stream(http_server.sse { { type = "message_start" } })
      _, err = ask()
      assert.matches("^anthropic sent a broken message_start event", tostring(err))
    end)

    it("ends at the deadline when no answer comes", function()
      respond = function() end
      local _, err = ask { deadline = async.now() + 0.1 }
      assert.equal("cancelled", err.class)
      assert.matches("^anthropic gave no whole answer in time; give it more", tostring(err))
    end)

    it("stops when its task is cancelled", function()
      respond = function() end
      local err = async.run(function()
        local task = async.spawn(function()
          return select(2, provider:ask { system = "", messages = { { role = "user", text = "x" } } })
        end)
        task:cancel()
        return select(2, task:join())
      end)
      assert.same({ "cancelled", "the request to anthropic was stopped (cancelled)" }, { err.class, tostring(err) })
    end)

    it("never repeats the key, whatever the server says", function()
      fail(401, api_error("authentication_error", "bad key " .. KEY .. " given"))
      local _, err = ask()
      assert.is_nil(json.encode(err):find("Secret", 1, true))
      provider = anthropic.new { key = KEY, who = WHO, model = "m", base_url = "http://127.0.0.1:1" }
      _, err = ask()
      assert.matches("nothing answers at 127.0.0.1:1", tostring(err))
      assert.is_nil(json.encode(err):find("Secret", 1, true))
    end)
  end)
end)
