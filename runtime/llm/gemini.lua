--- Gemini's generateContent, streamed, as Google AI and Vertex have it. The parts of a reply go back as
--- they came, for a thinking model signs them and takes no call back without its signature.
---
--- Calls need not have an id; then a result belongs to its call by place and name, and the ids that the
--- rest of us goes by are ours alone.

local alternating = require "runtime.llm.alternating"
local fault = require "runtime.llm.fault"
local gemini_schema = require "runtime.llm.gemini_schema"
local json = require "runtime.json"
local received = require "runtime.llm.received"
local stream = require "runtime.llm.stream"

local gemini = {}

local MAX_TOKENS = 4096

local STOPS = { STOP = "done", MAX_TOKENS = "length", SAFETY = "refused", RECITATION = "refused",
  BLOCKLIST = "refused", PROHIBITED_CONTENT = "refused", SPII = "refused", LANGUAGE = "refused" }
local UNREADABLE = { MALFORMED_FUNCTION_CALL = true, UNEXPECTED_TOOL_CALL = true }

-- A call that another model made has no signature. Models from the third kind on insist on one with the first
-- call of a turn, and take this word for it.
local NO_SIGNATURE = "skip_thought_signature_validator"

local function insists(model) return tonumber(model:match "gemini%-(%d+)" or 0) >= 3 end

local function call_json(name, args, id, signature)
  return json.encode { functionCall = { id = id, name = name, args = json.object(args) }, thoughtSignature = signature }
end

local function text_json(text) return json.encode { text = text } end

-- A reply of somebody else's, in parts.
local function told_parts(self, message)
  local parts = {}
  if message.text and message.text:find "%S" then parts[1] = text_json(message.text) end
  for i, call in ipairs(message.calls or {}) do
    local signature = i == 1 and insists(self.model) and NO_SIGNATURE or nil
    parts[#parts + 1] = call_json(call.name, call.args or {}, nil, signature)
  end
  return parts
end

-- Our tools answer in JSON, which goes in as it is; anything else as a text.
local function response_json(result, id)
  local text = result.text
  local value = type(json.decode(text)) == "table" and not text:find "%c" and text or json.encode(text)
  local known = id and '"id":' .. json.encode(id) .. "," or ""
  return ('{"functionResponse":{%s"name":%s,"response":{"%s":%s}}}'):format(known, json.encode(result.name),
    result.ok and "output" or "error", value)
end

local function user_parts(message, ids)
  if message.role == "user" then return { text_json(message.text) } end
  local parts = {}
  for i, result in ipairs(message.results) do parts[i] = response_json(result, ids[result.id]) end
  return parts
end

local function contents_json(self, messages)
  local ids = {} -- of the calls that the next results answer
  return alternating.json(alternating.turns(messages, "model", function(message)
    if message.role ~= "assistant" then return user_parts(message, ids) end
    ids = message.raw and message.raw.ids or {}
    return message.raw and message.raw.parts or told_parts(self, message)
  end), "parts")
end

-- The conversation goes last: what stands before it is the same in each request of a run.
local function body_json(self, request)
  local body = { generationConfig = { maxOutputTokens = request.max_tokens or MAX_TOKENS },
    systemInstruction = { parts = { { text = request.system } } } }
  local now = request.tools and #request.tools > 0 and request.tools
  self.tools = now or request.known_tools or self.tools
  if self.tools then
    local declared = {}
    for i, tool in ipairs(self.tools) do declared[i] = gemini_schema.declaration(tool) end
    body.tools = { { functionDeclarations = declared } }
    body.toolConfig = { functionCallingConfig = { mode = now and "AUTO" or "NONE" } }
  end
  return ('%s,"contents":%s}'):format(json.encode(body):sub(1, -2), contents_json(self, request.messages))
end

local text, count, fields = received.text, received.count, received.fields

-- Each piece tells the sums so far.
local function take_usage(reply, usage)
  if type(usage) ~= "table" then return end
  local cached = count(usage.cachedContentTokenCount)
  reply.usage = { input = math.max(0, count(usage.promptTokenCount) + count(usage.toolUsePromptTokenCount) - cached),
    cache_read = cached, cache_write = 0,
    output = count(usage.candidatesTokenCount) + count(usage.thoughtsTokenCount) }
end

local function close_text(reply)
  if #reply.open > 0 then reply.parts[#reply.parts + 1] = text_json(table.concat(reply.open)) end
  reply.open = {}
end

local function take_call(reply, part)
  local call = part.functionCall
  local name, id = text(call.name) or "unnamed", text(call.id)
  local own = id or ("call_%d_%d"):format(reply.serial, #reply.calls + 1)
  local args = fields(call.args)
  close_text(reply)
  reply.parts[#reply.parts + 1] = call_json(name, args, id, text(part.thoughtSignature))
  if id then reply.ids[id] = id end
  reply.calls[#reply.calls + 1] = { id = own, name = name, args = gemini_schema.arguments(reply.tools[name], args) }
end

-- Pieces of a text become one part, but for those that are signed.
local function take_text(reply, part)
  if part.thought == true and not part.thoughtSignature then return end
  if part.thought ~= true and part.text ~= "" then
    reply.texts[#reply.texts + 1] = part.text
    if reply.on_text then reply.on_text(part.text) end
  end
  if part.thoughtSignature then
    close_text(reply)
    reply.parts[#reply.parts + 1] = json.encode(part)
  elseif part.text ~= "" then
    reply.open[#reply.open + 1] = part.text
  end
end

local function take_chunk(reply, chunk)
  if chunk.error then return fault.of_event(reply.who, chunk.error, {}) end
  take_usage(reply, chunk.usageMetadata)
  if text(fields(chunk.promptFeedback).blockReason) then reply.reason = "SAFETY" end
  local candidate = fields(fields(chunk.candidates)[1])
  for _, part in ipairs(fields(fields(candidate.content).parts)) do
    if type(part) == "table" and type(part.functionCall) == "table" then
      take_call(reply, part)
    elseif type(part) == "table" and type(part.text) == "string" then
      take_text(reply, part)
    end
  end
  reply.reason = text(candidate.finishReason) or reply.reason
end

local function on_event(reply, data)
  local chunk = received.event(data)
  if type(chunk) ~= "table" then return received.no_json(reply.who, "check its base URL") end
  -- Without the stream, all chunks come as one list.
  for _, one in ipairs(chunk[1] ~= nil and chunk or { chunk }) do
    local err = type(one) == "table" and take_chunk(reply, one)
    if err then return err end
  end
end

local function finished(reply)
  if not reply.reason then return nil, received.cut(reply.who) end
  close_text(reply)
  if UNREADABLE[reply.reason] and #reply.calls == 0 and #reply.texts == 0 then
    return nil, fault.new("retry", ("the model of %s made a call that nobody can read; try again")
      :format(reply.who.name))
  end
  local stop = STOPS[reply.reason] or "done"
  if #reply.calls > 0 and stop == "done" then stop = "calls" end
  return { text = table.concat(reply.texts), calls = reply.calls, stop = stop, usage = reply.usage,
    raw = #reply.parts > 0 and { parts = reply.parts, ids = reply.ids } or nil }
end

local Gemini = {}
Gemini.__index = Gemini

---@param request table   see runtime/llm/init.lua
---@return table|nil reply
---@return ProviderFault? err
function Gemini:ask(request)
  self.serial = self.serial + 1
  local body = body_json(self, request)
  local tools = {}
  for _, tool in ipairs(self.tools or {}) do tools[tool.name] = tool end
  local reply = { texts = {}, calls = {}, parts = {}, open = {}, ids = {}, tools = tools, on_text = request.on_text,
    serial = self.serial, usage = received.no_usage(), who = self.who }
  local headers = { "content-type: application/json" }
  if self.key then headers[2] = self.key_header .. self.key end
  local ok, err = stream.post(self.who, { url = self.url, body = body, deadline = request.deadline, headers = headers,
    show = self.show }, function(data) return on_event(reply, data) end)
  if not ok then return nil, err end
  return finished(reply)
end

local function escaped(model)
  return (model:gsub("^models/", ""):gsub("[^%w%-%._~:@]", function(c) return ("%%%02X"):format(c:byte()) end))
end

---@param options { key?: string, key_header: string, model: string, models_url: string, who: table, show?: boolean }
---@return table provider
function gemini.new(options)
  return setmetatable({ name = options.who.name, who = options.who, key = options.key, key_header = options.key_header,
    model = options.model, serial = 0, show = options.show,
    url = options.models_url .. escaped(options.model) .. ":streamGenerateContent?alt=sse" }, Gemini)
end

return gemini
