--- Answers as the servers of each wire stream them, in bytes: { text?, calls = { { name, args, id? } }?, stop? }.

local event_stream = require "runtime.llm.event_stream"
local http_server = require "spec.support.http_server"
local json = require "runtime.json"

local wire_replies = { usage = { input = 90, cache_read = 1000, cache_write = 10, output = 20 } }

local function u32(n)
  return string.char(math.floor(n / 2 ^ 24) % 256, math.floor(n / 65536) % 256, math.floor(n / 256) % 256, n % 256)
end

local function crc(text) return u32(event_stream.crc32(text, 1, #text)) end

--- One message of AWS's framing.
---@param headers table<string, string>
---@param payload string
---@return string
function wire_replies.aws_message(headers, payload)
  local names, parts = {}, {}
  for name in pairs(headers) do names[#names + 1] = name end
  table.sort(names)
  for i, name in ipairs(names) do
    local value = headers[name]
    parts[i] = string.char(#name) .. name .. "\7" .. u32(#value):sub(3) .. value
  end
  local head = table.concat(parts)
  local prelude = u32(16 + #head + #payload) .. u32(#head)
  local text = prelude .. crc(prelude) .. head .. payload
  return text .. crc(text)
end

local function aws_event(name, event)
  return wire_replies.aws_message({ [":event-type"] = name, [":message-type"] = "event",
    [":content-type"] = "application/json" }, json.encode(event))
end

-- Never inside a character: events are whole texts.
local function halves(text)
  local half = math.floor(#text / 2)
  while (text:byte(half + 1) or 0) >= 128 and text:byte(half + 1) < 192 do half = half + 1 end
  return { text:sub(1, half), text:sub(half + 1) }
end

local function arguments_of(call) return json.encode(json.object(call[2] or {})) end

function wire_replies.anthropic(reply)
  local usage = wire_replies.usage
  local events = { { type = "message_start", message = { usage = { input_tokens = usage.input, output_tokens = 1,
    cache_creation_input_tokens = usage.cache_write, cache_read_input_tokens = usage.cache_read } } } }
  local index = -1
  local function block(start, deltas)
    index = index + 1
    events[#events + 1] = { type = "content_block_start", index = index, content_block = start }
    for _, delta in ipairs(deltas) do
      events[#events + 1] = { type = "content_block_delta", index = index, delta = delta }
    end
    events[#events + 1] = { type = "content_block_stop", index = index }
  end
  if reply.text then
    local two = halves(reply.text)
    block({ type = "text", text = "" },
      { { type = "text_delta", text = two[1] }, { type = "text_delta", text = two[2] } })
  end
  for i, call in ipairs(reply.calls or {}) do
    local two = halves(arguments_of(call))
    block({ type = "tool_use", id = call.id or "toolu_" .. i, name = call[1], input = json.object {} },
      { { type = "input_json_delta", partial_json = two[1] }, { type = "input_json_delta", partial_json = two[2] } })
  end
  events[#events + 1] = { type = "message_delta", usage = { output_tokens = usage.output },
    delta = { stop_reason = reply.stop or reply.calls and "tool_use" or "end_turn" } }
  events[#events + 1] = { type = "message_stop" }
  return http_server.sse(events), "text/event-stream"
end

function wire_replies.openai(reply)
  local usage, events = wire_replies.usage, {}
  local function chunk(delta, reason)
    events[#events + 1] = { choices = { { index = 0, delta = delta, finish_reason = reason or json.null } } }
  end
  for _, half in ipairs(reply.text and halves(reply.text) or {}) do chunk { content = half } end
  for i, call in ipairs(reply.calls or {}) do
    local two = halves(arguments_of(call))
    chunk { tool_calls = { { index = i - 1, id = call.id or "call_" .. i, type = "function",
      ["function"] = { name = call[1], arguments = two[1] } } } }
    chunk { tool_calls = { { index = i - 1, ["function"] = { arguments = two[2] } } } }
  end
  chunk(json.object {}, reply.stop or reply.calls and "tool_calls" or "stop")
  events[#events + 1] = { choices = {}, usage = { prompt_tokens = usage.input + usage.cache_read + usage.cache_write,
    completion_tokens = usage.output, prompt_tokens_details = { cached_tokens = usage.cache_read,
      cache_write_tokens = usage.cache_write } } }
  return http_server.sse(events) .. "data: [DONE]\n\n", "text/event-stream"
end

function wire_replies.gemini(reply)
  local usage, events = wire_replies.usage, {}
  local function chunk(parts, reason)
    events[#events + 1] = { candidates = { { content = { role = "model", parts = parts }, finishReason = reason } },
      usageMetadata = { promptTokenCount = usage.input + usage.cache_write + usage.cache_read,
        cachedContentTokenCount = usage.cache_read, candidatesTokenCount = usage.output - 5, thoughtsTokenCount = 5 } }
  end
  for _, half in ipairs(reply.text and halves(reply.text) or {}) do chunk { { text = half } } end
  for i, call in ipairs(reply.calls or {}) do
    chunk { { functionCall = { id = call.id, name = call[1], args = json.object(call[2] or {}) },
      thoughtSignature = i == 1 and reply.signature or nil } }
  end
  chunk({ { text = "" } }, reply.stop or "STOP")
  return http_server.sse(events), "text/event-stream"
end

function wire_replies.bedrock(reply)
  local usage, list, index = wire_replies.usage, { aws_event("messageStart", { role = "assistant" }) }, -1
  local function add(name, event) list[#list + 1] = aws_event(name, event) end
  local function block(start, deltas)
    index = index + 1
    if start then add("contentBlockStart", { contentBlockIndex = index, start = start }) end
    for _, delta in ipairs(deltas) do add("contentBlockDelta", { contentBlockIndex = index, delta = delta }) end
    add("contentBlockStop", { contentBlockIndex = index })
  end
  if reply.thought then
    block(nil, { { reasoningContent = { text = reply.thought } }, { reasoningContent = { signature = "c2ln" } } })
  end
  if reply.text then
    local two = halves(reply.text)
    block(nil, { { text = two[1] }, { text = two[2] } })
  end
  for i, call in ipairs(reply.calls or {}) do
    local two = halves(call.bad or arguments_of(call))
    block({ toolUse = { toolUseId = call.id or "tooluse_" .. i, name = call[1] } },
      { { toolUse = { input = two[1] } }, { toolUse = { input = two[2] } } })
  end
  add("messageStop", { stopReason = reply.stop or reply.calls and "tool_use" or "end_turn" })
  add("metadata", { usage = { inputTokens = usage.input, outputTokens = usage.output,
    cacheReadInputTokens = usage.cache_read, cacheWriteInputTokens = usage.cache_write } })
  return table.concat(list), "application/vnd.amazon.eventstream"
end

return wire_replies
