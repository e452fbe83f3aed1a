--- A provider for specs: a real HTTP server on loopback that speaks Anthropic's or OpenAI's wire
--- and streams, and is as strict (spec/support/provider_rules.lua). Only the thinking is played:
--- a mind is a function that reads the conversation a request carries and says what the model answers.
---
---   mind(talk) -> { text?, calls = { {name, args} | {name, bad = text} }? }
---   talk = { who = "coordinator" | a skill, turn, results = { {name, ok, data} }, system, outside }
---
--- `results` are those of the whole conversation, in order; `outside` are the texts beside them
--- that did not come from the model.

local json = require "runtime.json"
local http_server = require "spec.support.http_server"
local provider_rules = require "spec.support.provider_rules"

local played_provider = {}

-- Of one request; every spec that counts tokens counts with these.
played_provider.usage = { input = 90, written = 10, read = 1000, output = 20 }

local function pieces(text, size)
  local list = {}
  for i = 1, #text, size do list[#list + 1] = text:sub(i, i + size - 1) end
  return list
end

local function arguments_of(call) return call.bad or json.encode(json.object(call[2] or {})) end

-- Whose conversation it is: the coordinator alone starts operators, an operator has one skill's callbacks.
local function who_asks(tools, system)
  for _, name in ipairs(tools) do
    if name == "invoke_operators" then return "coordinator" end
  end
  return system:find("ets_top_tables(", 1, true) and "ets" or "beam"
end

local wires = { anthropic = { path = "/v1/messages" }, openai = { path = "/v1/chat/completions" } }

function wires.anthropic.read(body)
  local talk, names, tools = { results = {}, outside = {}, system = "", turn = 1 }, {}, {}
  for _, block in ipairs(body.system) do talk.system = talk.system .. block.text end
  for i, tool in ipairs(body.tools or {}) do tools[i] = tool.name end
  for _, message in ipairs(body.messages) do
    if message.role == "assistant" then talk.turn = talk.turn + 1 end
    for _, block in ipairs(message.content) do
      if block.type == "tool_use" then names[block.id] = block.name end
      if block.type == "text" and message.role == "user" then talk.outside[#talk.outside + 1] = block.text end
      if block.type == "tool_result" then
        talk.results[#talk.results + 1] = { name = names[block.tool_use_id], ok = not block.is_error,
          text = block.content, data = json.decode(block.content) }
      end
    end
  end
  talk.who = who_asks(tools, talk.system)
  return talk
end

function wires.anthropic.events(reply, id)
  local usage = played_provider.usage
  local events = { { type = "message_start", message = { id = "msg_" .. id, type = "message", role = "assistant",
    content = {}, usage = { input_tokens = usage.input, cache_creation_input_tokens = usage.written,
      cache_read_input_tokens = usage.read, output_tokens = 1 } } }, { type = "ping" } }
  local index = 0
  local function block(start, deltas)
    events[#events + 1] = { type = "content_block_start", index = index, content_block = start }
    for _, delta in ipairs(deltas) do
      events[#events + 1] = { type = "content_block_delta", index = index, delta = delta }
    end
    events[#events + 1] = { type = "content_block_stop", index = index }
    index = index + 1
  end
  if reply.text then
    local deltas = {}
    for i, piece in ipairs(pieces(reply.text, 20)) do deltas[i] = { type = "text_delta", text = piece } end
    block({ type = "text", text = "" }, deltas)
  end
  for i, call in ipairs(reply.calls or {}) do
    local deltas = {}
    for k, piece in ipairs(pieces(arguments_of(call), 30)) do
      deltas[k] = { type = "input_json_delta", partial_json = piece }
    end
    block({ type = "tool_use", id = ("toolu_%d_%d"):format(id, i), name = call[1], input = json.object {} }, deltas)
  end
  events[#events + 1] = { type = "message_delta", usage = { output_tokens = usage.output },
    delta = { stop_reason = reply.calls and "tool_use" or "end_turn" } }
  events[#events + 1] = { type = "message_stop" }
  return http_server.sse(events)
end

function wires.openai.read(body)
  local talk, names, tools = { results = {}, outside = {}, system = "", turn = 1 }, {}, {}
  for i, tool in ipairs(body.tools or {}) do tools[i] = tool["function"].name end
  for _, message in ipairs(body.messages) do
    if message.role == "system" then talk.system = talk.system .. message.content end
    if message.role == "user" then talk.outside[#talk.outside + 1] = message.content end
    if message.role == "assistant" then talk.turn = talk.turn + 1 end
    for _, call in ipairs(message.tool_calls or {}) do names[call.id] = call["function"].name end
    if message.role == "tool" then
      local data = json.decode(message.content)
      talk.results[#talk.results + 1] = { name = names[message.tool_call_id], text = message.content, data = data,
        ok = not (type(data) == "table" and data.error) }
    end
  end
  talk.who = who_asks(tools, talk.system)
  return talk
end

function wires.openai.events(reply, id)
  local usage, events = played_provider.usage, {}
  local function chunk(delta, reason)
    events[#events + 1] = { id = "chatcmpl-" .. id, object = "chat.completion.chunk",
      choices = { { index = 0, delta = delta, finish_reason = reason or json.null } } }
  end
  chunk { role = "assistant", content = "" }
  for _, piece in ipairs(pieces(reply.text or "", 20)) do chunk { content = piece } end
  for i, call in ipairs(reply.calls or {}) do
    local first = { index = i - 1, id = ("call_%d_%d"):format(id, i), type = "function",
      ["function"] = { name = call[1], arguments = "" } }
    chunk { tool_calls = { first } }
    for _, piece in ipairs(pieces(arguments_of(call), 30)) do
      chunk { tool_calls = { { index = i - 1, ["function"] = { arguments = piece } } } }
    end
  end
  chunk(json.object {}, reply.calls and "tool_calls" or "stop")
  events[#events + 1] = { id = "chatcmpl-" .. id, choices = {}, usage = {
    prompt_tokens = usage.input + usage.written + usage.read, completion_tokens = usage.output,
    prompt_tokens_details = { cached_tokens = usage.read, cache_write_tokens = usage.written } } }
  return http_server.sse(events) .. "data: [DONE]\n\n"
end

-- A server of one's own: the same wire, and it is sent nobody's key.
wires.ollama = setmetatable({}, { __index = wires.openai })

function provider_rules.ollama(body, headers)
  if headers.authorization then return "a key, for a server that wants none" end
  return provider_rules.openai(body, { authorization = "Bearer none" })
end

-- In pieces whose ends fall anywhere, as they come off a network.
local function stream(response, bytes)
  response:stream()
  for _, piece in ipairs(pieces(bytes, 777)) do response:write(piece) end
  response:finish()
end

--- Starts it.
---@param wire "anthropic"|"openai"|"ollama"
---@param mind fun(talk: table): table
---@param bad? fun(n: integer, response: table, answer: string, talk: table): any   asked first for the
---  n-th request; true: it gave an answer of its own; `answer` is what would have been sent
---@return table server   { url, env, talks, refused, requests, stop() }; env: what the program needs to find
---  it; refused: what was wrong with requests that broke the rules
function played_provider.start(wire, mind, bad)
  local way, talks = wires[wire], {}
  local server
  server = http_server.start {
    ["POST " .. way.path] = function(request, response)
      local body = json.decode(request.body)
      local wrong = provider_rules[wire](body, request.headers)
      if wrong then
        server.refused[#server.refused + 1] = wrong
        return response:send(400, { error = { type = "invalid_request_error", message = wrong } })
      end
      local talk = way.read(body)
      talks[#talks + 1] = talk
      talk.request = request
      local n = #talks
      local answer = way.events(mind(talk), n)
      if bad and bad(n, response, answer, talk) then return end
      stream(response, answer)
    end,
  }
  server.talks, server.refused = talks, {}
  server.env = wire == "anthropic" and { ANTHROPIC_BASE_URL = server.url }
    or { OPENAI_BASE_URL = server.url .. "/v1" }
  return server
end

return played_provider
