--- Anthropic's Messages API, streamed. The blocks of a reply go back byte for byte in the next
--- request: thinking is signed, and what does not change stays in the provider's cache.

local alternating = require "runtime.llm.alternating"
local bound = require "runtime.llm.bound"
local fault = require "runtime.llm.fault"
local json = require "runtime.json"
local received = require "runtime.llm.received"
local stream = require "runtime.llm.stream"
local strict = require "runtime.llm.strict"

local anthropic = {}

local VERSION = "2023-06-01"
local MAX_TOKENS = 4096

local STOPS = { end_turn = "done", stop_sequence = "done", tool_use = "calls", max_tokens = "length",
  refusal = "refused", pause_turn = "pause", model_context_window_exceeded = "context_full" }

-- Everything up to here is read from the provider's cache the next time.
local CACHED = { type = "ephemeral" }

local function text_block(text, cached)
  return json.encode { type = "text", text = text, cache_control = cached and CACHED or nil }
end

local function result_block(result, cached)
  return json.encode {
    type = "tool_result", tool_use_id = result.id, content = result.text ~= "" and result.text or "(nothing)",
    is_error = not result.ok and true or nil, cache_control = cached and CACHED or nil,
  }
end

-- Keys are sorted, and quotes inside a text are escaped: the type stands at the end.
local function is_thought(block)
  return block:find '"type":"thinking"}$' ~= nil or block:find '"type":"redacted_thinking"}$' ~= nil
end

-- The blocks of our own making, when a reply did not come from here.
local function assistant_blocks(message, before)
  if message.raw then
    local said = message.text and message.text:match "%S" and message.text or "(a thought)"
    return before:blocks(message.raw, is_thought, text_block(said))
  end
  local blocks = {}
  if message.text and message.text:match "%S" then blocks[1] = text_block(message.text) end
  for _, call in ipairs(message.calls or {}) do
    blocks[#blocks + 1] = json.encode { type = "tool_use", id = call.id, name = call.name,
      input = json.object(call.args or {}) }
  end
  return blocks
end

local function user_blocks(message, cached)
  if message.role == "user" then return { text_block(message.text, cached) } end
  local blocks = {}
  for i, result in ipairs(message.results) do
    blocks[i] = result_block(result, cached and i == #message.results)
  end
  return blocks
end

-- Where breakpoints stand: at the end, and where the request before this one ended. From a breakpoint the
-- provider looks for what it has cached 20 blocks back and no farther, and a turn of many calls has more.
local function breakpoints(messages)
  local marked = { [#messages] = true }
  for i = #messages, 2, -1 do
    if messages[i].role == "assistant" then
      marked[i - 1] = true
      break
    end
  end
  return marked
end

-- A breakpoint is no content.
local function unmarked(block) return (block:gsub('^{"cache_control":{"type":"ephemeral"},', "{")) end

-- `before` takes in what is sent.
local function messages_json(messages, before)
  local marked = breakpoints(messages)
  return alternating.json(alternating.turns(messages, "assistant", function(message, i)
    local blocks = message.role == "assistant" and assistant_blocks(message, before) or user_blocks(message, marked[i])
    for _, block in ipairs(blocks) do before:add(unmarked(block)) end
    return blocks
  end), "content")
end

local function tools_json(self)
  local out, kept = {}, self.strict and strict.tools(self.tools, "anthropic") or self.tools
  for i, tool in ipairs(self.tools) do
    out[i] = { name = tool.name, description = tool.description, input_schema = kept[i].parameters,
      strict = kept[i].strict }
  end
  return out
end

-- The conversation goes last: what stands before it is the same in each request of a run.
local function body_json(self, request)
  local body = {
    model = self.model, max_tokens = request.max_tokens or MAX_TOKENS, stream = true,
    system = { { type = "text", text = request.system, cache_control = CACHED } },
  }
  -- A conversation with calls in it needs their tools, also in the last step that may use none.
  local tools = request.tools and #request.tools > 0 and request.tools
  self.tools = tools or request.known_tools or self.tools
  if self.tools then
    body.tools = tools_json(self)
    body.tool_choice = { type = tools and "auto" or "none" }
  end
  local before = bound.new(request.system .. json.encode(body.tools))
  local messages = messages_json(request.messages, before)
  return ('%s,"messages":%s}'):format(json.encode(body):sub(1, -2), messages), before.digest
end

local function count(v) return type(v) == "number" and v or nil end

local function take_usage(usage, given)
  if type(given) ~= "table" then return end
  usage.input = count(given.input_tokens) or usage.input
  usage.cache_write = count(given.cache_creation_input_tokens) or usage.cache_write
  usage.cache_read = count(given.cache_read_input_tokens) or usage.cache_read
  usage.output = count(given.output_tokens) or usage.output
end

local deltas = {
  text_delta = function(block, delta, reply)
    block.parts[#block.parts + 1] = delta.text
    if reply.on_text then reply.on_text(delta.text) end
  end,
  input_json_delta = function(block, delta) block.parts[#block.parts + 1] = delta.partial_json end,
  thinking_delta = function(block, delta) block.parts[#block.parts + 1] = delta.thinking end,
  signature_delta = function(block, delta) block.signature = (block.signature or "") .. delta.signature end,
}

local closers = {}

function closers.text(reply, block)
  local text = (block.start.text or "") .. table.concat(block.parts)
  if not text:match "%S" then return end  -- the API refuses to take an empty one back
  reply.texts[#reply.texts + 1] = text
  reply.raw[#reply.raw + 1] = text_block(text)
end

function closers.tool_use(reply, block)
  -- Without both, we could not answer the call, and they would not take it back.
  local id, name = block.start.id, block.start.name
  if type(id) ~= "string" or type(name) ~= "string" then error { "a call without id or name" } end
  local input = table.concat(block.parts)
  if not input:match "%S" then input = json.encode(json.object(block.start.input or {})) end
  local args, bad, sound = received.arguments(input)
  reply.calls[#reply.calls + 1] = { id = id, name = name, args = args, bad_args = bad }
  reply.raw[#reply.raw + 1] = ('{"id":%s,"input":%s,"name":%s,"type":"tool_use"}')
    :format(json.encode(id), sound, json.encode(name))
end

function closers.thinking(reply, block)
  reply.raw[#reply.raw + 1] = json.encode { type = "thinking", signature = block.signature or block.start.signature,
    thinking = (block.start.thinking or "") .. table.concat(block.parts) }
end

-- Of any other kind nothing is known but that it has to go back.
local function keep_block(reply, block) reply.raw[#reply.raw + 1] = json.encode(block.start) end

local function close(reply, index)
  local block = reply.open[index]
  if not block then return end
  reply.open[index] = nil
  local closer = closers[block.start.type] or keep_block
  closer(reply, block)
end

-- Events by type; one that is not here is news from a later version, and ignored.
local events = {
  message_start = function(reply, event) take_usage(reply.usage, event.message.usage) end,
  content_block_start = function(reply, event)
    reply.open[event.index] = { start = event.content_block, parts = {} }
  end,
  content_block_delta = function(reply, event)
    local block, add = reply.open[event.index], deltas[event.delta.type]
    if block and add then add(block, event.delta, reply) end
  end,
  content_block_stop = function(reply, event) close(reply, event.index) end,
  message_delta = function(reply, event)
    take_usage(reply.usage, event.usage)
    reply.reason = event.delta.stop_reason
  end,
  message_stop = function(reply) reply.ended = true end,
}

-- A server between us and theirs may answer in one piece; it is told as the events it stands for.
local function whole(reply, message)
  events.message_start(reply, { message = message })
  for i, block in ipairs(message.content) do
    events.content_block_start(reply, { index = i, content_block = block })
    close(reply, i)
  end
  reply.reason, reply.ended = message.stop_reason, true
end

local function on_event(reply, data)
  local event = received.event(data)
  if type(event) ~= "table" then return received.no_json(reply.who) end
  if event.type == "error" then return fault.of_event(reply.who, event.error, {}) end
  local handle = event.type == "message" and whole or events[event.type]
  if not handle then return end
  -- Fields that are missing or of another kind are the sender's fault, not ours.
  if not pcall(handle, reply, event) then return received.broken(reply.who, event.type) end
end

local function finished(reply)
  if not reply.ended then return nil, received.cut(reply.who) end
  local stop = STOPS[reply.reason] or "done"
  received.drop_half_call(stop, reply.calls, reply.raw)
  return { text = table.concat(reply.texts), calls = reply.calls, stop = stop, usage = reply.usage, raw = reply.raw }
end

local Anthropic = {}
Anthropic.__index = Anthropic

local function once(self, request)
  local reply = { texts = {}, calls = {}, raw = {}, open = {}, on_text = request.on_text, who = self.who,
    usage = received.no_usage() }
  local body
  body, reply.raw.before = body_json(self, request)
  local ok, err = stream.post(self.who, {
    url = self.base_url .. "/v1/messages", body = body, deadline = request.deadline,
    headers = { "content-type: application/json", "anthropic-version: " .. VERSION, "x-api-key: " .. self.key },
    show = self.show,
  }, function(data) return on_event(reply, data) end)
  if not ok then return nil, err end
  return finished(reply)
end

---@param request table   see runtime/llm/init.lua
---@return table|nil reply
---@return ProviderFault? err
function Anthropic:ask(request)
  local reply, err = once(self, request)
  if bound.was_refused(err, request.messages) then reply, err = once(self, request) end
  if reply or not self.strict or not strict.is_refused(err) then return reply, err end
  self.strict = false -- an older model
  return once(self, request)
end

---@param options { key: string, model: string, base_url: string, who: table, show?: boolean, strict?: boolean }
---  strict: tools are kept to letter for letter, for some more characters in each request
---@return table provider
function anthropic.new(options)
  return setmetatable({ name = options.who.name, who = options.who, key = options.key, show = options.show,
    strict = options.strict, model = options.model,
    base_url = options.base_url:gsub("/+$", ""):gsub("/v1$", "") }, Anthropic)
end

return anthropic
