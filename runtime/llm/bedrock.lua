--- Amazon Bedrock's Converse, streamed: one form for the models of many makers. Requests are signed, and
--- events come in AWS's binary framing. The blocks of a reply go back as they came.

local aws_credentials = require "runtime.llm.aws_credentials"
local event_stream = require "runtime.llm.event_stream"
local fault = require "runtime.llm.fault"
local json = require "runtime.json"
local sigv4 = require "runtime.llm.sigv4"
local stream = require "runtime.llm.stream"

local bedrock = {}

local MAX_TOKENS = 4096
local SERVICE = "bedrock"

local STOPS = { end_turn = "done", stop_sequence = "done", tool_use = "calls", max_tokens = "length",
  guardrail_intervened = "refused", content_filtered = "refused", model_context_window_exceeded = "context_full" }

local CACHE_POINT = '{"cachePoint":{"type":"default"}}'

-- What the makers' models can beside the common form: errors marked, a cache, one before the tools too.
local function abilities(model)
  local claude, nova = model:find "anthropic%.claude" ~= nil, model:find "amazon%.nova" ~= nil
  return { status = claude or nova, cache = claude or nova, cache_tools = claude }
end

local function text_json(text) return json.encode { text = text } end

local function told_blocks(message)
  local blocks = {}
  if message.text and message.text:find "%S" then blocks[1] = text_json(message.text) end
  for _, call in ipairs(message.calls or {}) do
    blocks[#blocks + 1] = json.encode { toolUse = { toolUseId = call.id, name = call.name,
      input = json.object(call.args or {}) } }
  end
  return blocks
end

local function result_json(self, result)
  local text = result.text ~= "" and result.text or "(nothing)"
  local marked = not result.ok and self.can.status
  if not result.ok and not marked and not text:find '^{"error":' then text = json.encode { error = text } end
  return json.encode { toolResult = { toolUseId = result.id, content = { { text = text } },
    status = marked and "error" or nil } }
end

local function user_blocks(self, message)
  if message.role == "user" then return { text_json(message.text) } end
  local blocks = {}
  for i, result in ipairs(message.results) do blocks[i] = result_json(self, result) end
  return blocks
end

local function messages_json(self, messages)
  local turns = {}
  for _, message in ipairs(messages) do
    local role = message.role == "assistant" and "assistant" or "user"
    local blocks = role == "user" and user_blocks(self, message) or message.raw or told_blocks(message)
    local last = turns[#turns]
    if not last or last.role ~= role then
      last = { role = role, blocks = {} }
      turns[#turns + 1] = last
    end
    for _, block in ipairs(blocks) do last.blocks[#last.blocks + 1] = block end
  end
  local last = turns[#turns]
  if self.can.cache and last.role == "user" then last.blocks[#last.blocks + 1] = CACHE_POINT end
  for i, turn in ipairs(turns) do
    turns[i] = ('{"content":[%s],"role":"%s"}'):format(table.concat(turn.blocks, ","), turn.role)
  end
  return "[" .. table.concat(turns, ",") .. "]"
end

local function tools_json(self)
  local list = {}
  for i, tool in ipairs(self.tools) do
    list[i] = json.encode { toolSpec = { name = tool.name, description = tool.description,
      inputSchema = { json = tool.parameters } } }
  end
  if self.can.cache_tools then list[#list + 1] = CACHE_POINT end
  return '"toolConfig":{"tools":[' .. table.concat(list, ",") .. "]},"
end

-- A conversation with calls in it needs their tools, also in the last step; there is no word for "none".
-- The conversation goes last: what stands before it is the same in each request of a run.
local function body_json(self, request)
  self.tools = request.tools and #request.tools > 0 and request.tools or request.known_tools or self.tools
  return ('{"inferenceConfig":{"maxTokens":%d},"system":[%s%s],%s"messages":%s}'):format(
    request.max_tokens or MAX_TOKENS, text_json(request.system), self.can.cache and "," .. CACHE_POINT or "",
    self.tools and tools_json(self) or "", messages_json(self, request.messages))
end

local function text(v) return type(v) == "string" and v ~= "" and v or nil end
local function count(v) return type(v) == "number" and v or 0 end
local function fields(v) return type(v) == "table" and v or {} end

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
  reply.raw[#reply.raw + 1] = text_json(said)
end

function closers.call(reply, block)
  -- Without both, we could not answer the call, and it would not be taken back.
  if not (block.id and block.name) then error { "a call without id or name" } end
  local input = table.concat(block.parts)
  if not input:find "%S" then input = "{}" end
  local args = json.decode(input)
  local good = type(args) == "table" and input:find "^%s*{" ~= nil
  reply.calls[#reply.calls + 1] = { id = block.id, name = block.name, args = good and args or nil,
    bad_args = not good and input or nil }
  reply.raw[#reply.raw + 1] = ('{"toolUse":{"input":%s,"name":%s,"toolUseId":%s}}'):format(good and input or "{}",
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

local function on_event(reply, data, name, headers)
  local event = json.faithful(data)
  if type(event) ~= "table" then
    return fault.new("retry", ("%s sent an event that is no JSON; try again"):format(reply.who.name))
  end
  local kind = headers and headers[":message-type"]
  if kind == "exception" or kind == "error" then
    return fault.of_event(reply.who, { type = name, message = event.message or headers[":error-message"] }, {})
  end
  local handle = not name and event.output and whole or events[name]
  if not handle then return end
  -- Fields that are missing or of another kind are the sender's fault, not ours.
  if not pcall(handle, reply, event) then
    return fault.new("retry", ("%s sent a broken %s event; try again"):format(reply.who.name, tostring(name)))
  end
end

local function finished(reply)
  if not reply.reason then
    return nil, fault.new("retry", ("the answer of %s was cut in the middle; try again, or use --provider analyst")
      :format(reply.who.name))
  end
  local stop = STOPS[reply.reason] or "done"
  if stop == "length" and #reply.calls > 0 and reply.calls[#reply.calls].bad_args then
    table.remove(reply.calls) -- half a call
    table.remove(reply.raw)
  end
  if stop == "done" and #reply.calls > 0 then stop = "calls" end
  return { text = table.concat(reply.texts), calls = reply.calls, stop = stop, usage = reply.usage,
    raw = #reply.raw > 0 and reply.raw or nil }
end

-- The host as it stands in the request: without a port that goes without saying.
local function host_of(url)
  local scheme, authority = url:match "^(%a+)://([^/]+)"
  return (authority:gsub(scheme == "https" and ":443$" or ":80$", ""))
end

local function headers_for(self, body)
  local list = { "content-type: application/json" }
  if self.key then
    list[2] = "authorization: Bearer " .. self.key
    return list
  end
  local credentials, err = self.credentials()
  if not credentials then return nil, fault.new("fatal", tostring(err)) end
  local added = sigv4.sign { method = "POST", path = self.path, body = body, region = self.region, service = SERVICE,
    headers = { { "content-type", "application/json" }, { "host", host_of(self.url) } },
    key_id = credentials.key_id, secret = credentials.secret, token = credentials.token }
  for _, header in ipairs(added) do list[#list + 1] = header[1] .. ": " .. header[2] end
  return list
end

local Bedrock = {}
Bedrock.__index = Bedrock

local function once(self, request)
  local reply = { texts = {}, calls = {}, raw = {}, open = {}, on_text = request.on_text, who = self.who,
    usage = { input = 0, cache_write = 0, cache_read = 0, output = 0 } }
  local body = body_json(self, request)
  local headers, refused = headers_for(self, body)
  if not headers then return nil, refused end
  local ok, err = stream.post(self.who, { url = self.url, body = body, deadline = request.deadline, headers = headers,
    show = self.show, framing = event_stream }, function(...) return on_event(reply, ...) end)
  if not ok then return nil, err end
  return finished(reply)
end

---@param request table   see runtime/llm/init.lua
---@return table|nil reply
---@return ProviderFault? err
function Bedrock:ask(request)
  local reply, err = once(self, request)
  -- Older models of the same makers have no cache.
  if not reply and err.status == 400 and self.can.cache and err.message:lower():find "cach" then
    self.can.cache, self.can.cache_tools = false, false
    return once(self, request)
  end
  return reply, err
end

--- Whose signature it will be, before anybody is asked.
---@param options table   those of bedrock.new; gets `credentials`
---@return { words: string, from: string, conceal: fun(mask: Privacy) }|nil
---@return Failure?
function bedrock.open(options)
  if options.key then return { words = "there is a key", conceal = function() end } end
  local first, err = aws_credentials.find(options.env, options.profile)
  if not first then return nil, err end
  local masks, known = {}, {}
  local function know(credentials)
    for _, secret in ipairs { credentials.secret, credentials.token or credentials.secret } do
      if not known[secret] then
        for _, mask in ipairs(masks) do mask:know(secret) end
      end
      known[secret] = true
    end
    return credentials
  end
  know(first)
  function options.credentials() -- a file may be written anew while we run
    local now, why = aws_credentials.find(options.env, options.profile)
    return now and know(now), why
  end
  return { words = "there are credentials", from = first.from, conceal = function(mask)
    masks[#masks + 1] = mask
    for secret in pairs(known) do mask:know(secret) end
  end }
end

---@param options { key?: string, credentials?: fun(): AwsCredentials, model: string, base_url: string,
---  region: string, who: table, show?: boolean }
---@return table provider
function bedrock.new(options)
  local base = options.base_url:gsub("/+$", "")
  local path = ("/model/%s/converse-stream"):format(sigv4.encoded(options.model))
  return setmetatable({ name = options.who.name, who = options.who, key = options.key, model = options.model,
    credentials = options.credentials, region = options.region, show = options.show,
    can = abilities(options.model), url = base .. path, path = (base:match "^%a+://[^/]+(/.*)$" or "") .. path,
  }, Bedrock)
end

return bedrock
