--- What Bedrock's Converse answers, event by event, as a reply: in pieces of its blocks, or from a server
--- between us and theirs in one piece.

local fault = require "runtime.llm.fault"
local json = require "runtime.json"
local received = require "runtime.llm.received"

local bedrock_reply = {}

local STOPS = { end_turn = "done", stop_sequence = "done", tool_use = "calls", max_tokens = "length",
  guardrail_intervened = "refused", content_filtered = "refused", model_context_window_exceeded = "context_full" }

local text, count, fields = received.text, received.count, received.fields

local function take_usage(reply, usage)
  if type(usage) ~= "table" then return end
  reply.usage = { input = count(usage.inputTokens), cache_read = count(usage.cacheReadInputTokens),
    cache_write = count(usage.cacheWriteInputTokens), output = count(usage.outputTokens) }
end

local function block_at(reply, index)
  index = type(index) == "number" and index or 0
  reply.open[index] = reply.open[index] or { parts = {} }
  return reply.open[index]
end

local function add(block, kind, part)
  block.kind = block.kind or kind
  if text(part) then block.parts[#block.parts + 1] = part end
end

local function take_delta(reply, event)
  local block, delta = block_at(reply, event.contentBlockIndex), fields(event.delta)
  if type(delta.text) == "string" then
    add(block, "text", delta.text)
    if reply.on_text and delta.text ~= "" then reply.on_text(delta.text) end
  elseif type(delta.toolUse) == "table" then
    add(block, "call", delta.toolUse.input)
  elseif type(delta.reasoningContent) == "table" then
    local thought = delta.reasoningContent
    add(block, "thought", thought.text)
    block.signature = text(thought.signature) or block.signature
    block.redacted = text(thought.redactedContent) or block.redacted
  end
end

local closers = {}

function closers.text(reply, block)
  local said = table.concat(block.parts)
  if not said:find "%S" then return end -- no empty one is taken back
  reply.texts[#reply.texts + 1] = said
  reply.raw[#reply.raw + 1] = json.encode { text = said }
end

function closers.call(reply, block)
  -- Without both, we could not answer the call, and it would not be taken back.
  if not (block.id and block.name) then error { "a call without id or name" } end
  local input = table.concat(block.parts)
  if not input:find "%S" then input = "{}" end
  local args, bad, sound = received.arguments(input)
  reply.calls[#reply.calls + 1] = { id = block.id, name = block.name, args = args, bad_args = bad }
  reply.raw[#reply.raw + 1] = ('{"toolUse":{"input":%s,"name":%s,"toolUseId":%s}}'):format(sound,
    json.encode(block.name), json.encode(block.id))
end

function closers.thought(reply, block)
  reply.raw[#reply.raw + 1] = json.encode { reasoningContent = block.redacted and { redactedContent = block.redacted }
    or { reasoningText = { text = table.concat(block.parts), signature = block.signature } } }
end

local function close(reply, index)
  local block = reply.open[index]
  reply.open[index] = nil
  if block and block.kind then closers[block.kind](reply, block) end
end

-- Events by name; one that is not here is news from a later version, and ignored.
local events = {
  contentBlockStart = function(reply, event)
    local block, start = block_at(reply, event.contentBlockIndex), fields(fields(event.start).toolUse)
    block.id, block.name = text(start.toolUseId), text(start.name)
    if block.id then block.kind = "call" end
  end,
  contentBlockDelta = take_delta,
  contentBlockStop = function(reply, event) close(reply, event.contentBlockIndex or 0) end,
  messageStop = function(reply, event) reply.reason = event.stopReason end,
  metadata = function(reply, event) take_usage(reply, event.usage) end,
}

-- A server between us and theirs may answer in one piece; it is told as the events it stands for.
local function whole(reply, answer)
  for i, block in ipairs(answer.output.message.content) do
    local call, thought = block.toolUse, block.reasoningContent
    events.contentBlockStart(reply, { contentBlockIndex = i, start = { toolUse = call } })
    take_delta(reply, { contentBlockIndex = i, delta = { text = block.text,
      toolUse = call and { input = json.encode(json.object(call.input or {})) },
      reasoningContent = thought and (thought.reasoningText or thought) } })
    close(reply, i)
  end
  take_usage(reply, answer.usage)
  reply.reason = answer.stopReason
end

---@param who table
---@param on_text? fun(delta: string)
function bedrock_reply.new(who, on_text)
  return { texts = {}, calls = {}, raw = {}, open = {}, on_text = on_text, who = who,
    usage = received.no_usage() }
end

--- Takes one event.
---@param reply table    from bedrock_reply.new
---@param data string
---@param name? string   nil: it is the whole answer
---@param headers? table<string, string>
---@return ProviderFault?
function bedrock_reply.take(reply, data, name, headers)
  local event = received.event(data)
  if type(event) ~= "table" then return received.no_json(reply.who) end
  local kind = headers and headers[":message-type"]
  if kind == "exception" or kind == "error" then
    return fault.of_event(reply.who, { type = name, message = event.message or headers[":error-message"] }, {})
  end
  local handle = not name and event.output and whole or events[name]
  if not handle then return end
  -- Fields that are missing or of another kind are the sender's fault, not ours.
  if not pcall(handle, reply, event) then return received.broken(reply.who, name) end
end

--- The reply, when all events came.
---@param reply table
---@return table|nil reply   see runtime/llm/init.lua
---@return ProviderFault?
function bedrock_reply.finished(reply)
  if not reply.reason then return nil, received.cut(reply.who) end
  local stop = STOPS[reply.reason] or "done"
  received.drop_half_call(stop, reply.calls, reply.raw)
  if stop == "done" and #reply.calls > 0 then stop = "calls" end
  return { text = table.concat(reply.texts), calls = reply.calls, stop = stop, usage = reply.usage,
    raw = #reply.raw > 0 and reply.raw or nil }
end

return bedrock_reply
