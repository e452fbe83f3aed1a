--- Chat completions, as OpenAI has them and many servers after it (Ollama, vLLM, OpenRouter).
--- Those differ in small things, so what is read is taken as it comes: ids that repeat or are
--- missing, calls without an index, an answer in one piece where a stream was asked for.

local fault = require "runtime.llm.fault"
local json = require "runtime.json"
local received = require "runtime.llm.received"
local stream = require "runtime.llm.stream"
local strict = require "runtime.llm.strict"

local openai = {}

local MAX_TOKENS = 4096
local OWN_SERVERS = "https://api.openai.com/v1"

local STOPS = { stop = "done", length = "length", tool_calls = "calls", function_call = "calls",
  content_filter = "refused" }

-- A reply as it goes back. Arguments that nobody could read would make some servers fail on
-- every later request, so they are left out; the tool's result says what was wrong with them.
local function assistant_message(text, calls)
  local list
  for i, call in ipairs(calls or {}) do
    list = list or {}
    list[i] = { id = call.id, type = "function", ["function"] = { name = call.name,
      arguments = call.arguments or json.encode(json.object(call.args or {})) } }
  end
  local content = text and text ~= "" and text or (list and json.null or "")
  return { role = "assistant", content = content, tool_calls = list }
end

-- There is no field for "this is an error" here; a text that is no {"error": …} already, is made one.
local function result_message(result)
  local says_so = result.ok or result.text:find '^{"error":'
  return { role = "tool", tool_call_id = result.id, content = says_so and result.text
    or json.encode { error = result.text } }
end

local function messages_of(request)
  local out = { { role = "system", content = request.system } }
  for _, message in ipairs(request.messages) do
    if message.role == "user" then
      out[#out + 1] = { role = "user", content = message.text }
    elseif message.role == "assistant" then
      out[#out + 1] = message.raw or assistant_message(message.text, message.calls)
    else
      for _, result in ipairs(message.results) do out[#out + 1] = result_message(result) end
    end
  end
  return out
end

local function tools_of(self, tools)
  local out, kept = {}, self.strict and strict.tools(tools, "openai") or tools
  for i, tool in ipairs(tools) do
    out[i] = { type = "function", ["function"] = { name = tool.name, description = tool.description,
      parameters = kept[i].parameters, strict = kept[i].strict } }
  end
  return out
end

-- The last step may call none. OpenAI's own servers are told so and keep what they have cached, which begins with
-- the tools; many others do not know the word "none", so they are shown no tools.
local function put_tools(self, body, request)
  local now = request.tools and #request.tools > 0 and request.tools
  self.tools = now or request.known_tools or self.tools
  local shown = now or self.own and self.tools
  if not shown then return end
  body.tools, body.tool_choice = tools_of(self, shown), now and "auto" or "none"
  if self.knows.parallel_tool_calls then body.parallel_tool_calls = true end
end

-- The conversation goes last: what stands before it is the same in each request of a run.
local function body_json(self, request)
  local body = { stream = true, stream_options = self.knows.stream_options and { include_usage = true } or nil }
  if not self.nameless then body.model = self.model end
  -- OpenAI's newer models refuse the old name, most other servers know no other.
  body[self.knows.max_completion_tokens and "max_completion_tokens" or "max_tokens"] = request.max_tokens or MAX_TOKENS
  put_tools(self, body, request)
  return ('%s,"messages":%s}'):format(json.encode(body):sub(1, -2), json.encode(messages_of(request)))
end

local text, count, fields = received.text, received.count, received.fields

local function take_usage(reply, usage)
  if type(usage) ~= "table" then return end
  local details = fields(usage.prompt_tokens_details)
  local cached, written = count(details.cached_tokens), count(details.cache_write_tokens)
  reply.usage = { input = math.max(0, count(usage.prompt_tokens) - cached - written), cache_read = cached,
    cache_write = written, output = count(usage.completion_tokens),
    cost_usd = type(usage.cost) == "number" and usage.cost or nil } -- OpenRouter says what it took
end

-- The call that a piece belongs to: by index; without one, a new id or a new name begins a call.
local function call_for(reply, piece)
  local id, name = text(piece.id), text(fields(piece["function"]).name)
  local index = type(piece.index) == "number" and piece.index
  local last = reply.calls[#reply.calls]
  local call
  if index then
    call = reply.by_index[index]
    -- Some give every call the index 0: then another id means another call.
    if call and id and call.id and id ~= call.id then call = nil end
  elseif last and not (id and last.id ~= id) and not (not id and name) then
    call = last
  end
  if not call then
    call = { parts = {} }
    reply.calls[#reply.calls + 1] = call
    if index then reply.by_index[index] = call end
  end
  call.id, call.name = call.id or id, call.name or name
  return call
end

local function take_call(reply, piece)
  local call = call_for(reply, piece)
  local arguments = fields(piece["function"]).arguments
  if type(arguments) == "table" then arguments = json.encode(json.object(arguments)) end
  call.parts[#call.parts + 1] = text(arguments)
end

local function take_choice(reply, choice)
  local delta = type(choice.delta) == "table" and choice.delta or fields(choice.message)
  local said = text(delta.content) or text(delta.refusal)
  if said then
    reply.texts[#reply.texts + 1] = said
    if reply.on_text then reply.on_text(said) end
  end
  if text(delta.refusal) then reply.reason = "content_filter" end
  for _, piece in ipairs(fields(delta.tool_calls)) do
    if type(piece) == "table" then take_call(reply, piece) end
  end
  if reply.reason ~= "content_filter" then reply.reason = text(choice.finish_reason) or reply.reason end
end

local function on_event(reply, data)
  if data:match "^%s*%[DONE%]" then
    reply.ended = true
    return
  end
  local chunk = received.event(data)
  if type(chunk) ~= "table" then
    return received.no_json(reply.who, "check " .. (reply.who.base or "its address"))
  end
  if type(chunk.error) == "table" or text(chunk.error) then return fault.of_event(reply.who, chunk.error, {}) end
  take_usage(reply, chunk.usage)
  local choice = fields(chunk.choices)[1]
  if type(choice) == "table" then take_choice(reply, choice) end
end

local function finished_calls(reply, stop)
  local calls = {}
  for i, c in ipairs(reply.calls) do
    local arguments = table.concat(c.parts)
    if not arguments:match "%S" then arguments = "{}" end
    local args, bad, sound = received.arguments(arguments)
    local half = stop == "length" and i == #reply.calls and bad
    if not half then
      calls[#calls + 1] = { id = c.id or "call_" .. reply.serial .. "_" .. i, name = c.name or "unnamed",
        args = args, bad_args = bad, arguments = sound }
    end
  end
  return calls
end

-- Two calls of one id could not be told apart in our answer.
local function with_own_ids(calls)
  local seen = {}
  for i, call in ipairs(calls) do
    if seen[call.id] then call.id = call.id .. "_" .. i end
    seen[call.id] = true
  end
  return calls
end

local function finished(reply)
  if not (reply.ended or reply.reason) then return nil, received.cut(reply.who) end
  local stop = STOPS[reply.reason] or "done"
  local calls = with_own_ids(finished_calls(reply, stop))
  if #calls > 0 and stop == "done" then stop = "calls" end  -- as some servers say
  local said = table.concat(reply.texts)
  local raw = assistant_message(said, calls)
  for _, call in ipairs(calls) do call.arguments = nil end
  return { text = said, calls = calls, stop = stop, usage = reply.usage, raw = raw }
end

local OpenAI = {}
OpenAI.__index = OpenAI

local function once(self, request)
  self.serial = self.serial + 1
  local reply = { texts = {}, calls = {}, by_index = {}, on_text = request.on_text, serial = self.serial,
    usage = received.no_usage(), who = self.who }
  local headers = { "content-type: application/json" }
  if self.key then headers[2] = self.key_header .. self.key end
  local ok, err = stream.post(self.who, { url = self.url, body = body_json(self, request),
    deadline = request.deadline, headers = headers, show = self.show }, function(data) return on_event(reply, data) end)
  if not ok then return nil, err end
  return finished(reply)
end

-- Servers and models differ in what they know, and refuse by name what they do not. Each is done without once,
-- and then for good.
local GIVEN_UP = { "parallel_tool_calls", "stream_options" }

local function does_without(self, err)
  if err.status ~= 400 or err.class ~= "fatal" then return false end
  if self.strict and strict.is_refused(err) then
    self.strict = false
    return true
  end
  for _, name in ipairs(GIVEN_UP) do
    if self.knows[name] and err.message:find(name, 1, true) then
      self.knows[name] = false
      return true
    end
  end
  if self.renamed or not err.message:find "max_[%l_]*tokens" then return false end
  self.renamed, self.knows.max_completion_tokens = true, not self.knows.max_completion_tokens
  return true
end

---@param request table   see runtime/llm/init.lua
---@return table|nil reply
---@return ProviderFault? err
function OpenAI:ask(request)
  local reply, err
  repeat reply, err = once(self, request) until reply or not does_without(self, err)
  return reply, err
end

---@class OpenAIOptions
---@field key? string
---@field model string
---@field base_url string
---@field who table           for its errors: { name, env, base? }
---@field show? boolean
---@field url? string         where it is not base_url/chat/completions
---@field key_header? string  what stands before the key
---@field own? boolean        OpenAI's own servers, or the same elsewhere
---@field nameless? boolean   the address says which model it is
---@field strict? boolean     tools are kept to letter for letter; true for OpenAI's own servers if left out

---@param options OpenAIOptions
---@return table provider
function openai.new(options)
  local base_url, who = options.base_url:gsub("/+$", ""), options.who
  local own, keep_to = options.own, options.strict
  if own == nil then own = base_url == OWN_SERVERS end
  if keep_to == nil then keep_to = base_url == OWN_SERVERS end
  return setmetatable({ name = who.name, who = who, key = options.key, model = options.model, serial = 0,
    show = options.show, url = options.url or base_url .. "/chat/completions", own = own,
    knows = { max_completion_tokens = own, parallel_tool_calls = true, stream_options = true },
    key_header = options.key_header or "authorization: Bearer ", nameless = options.nameless, strict = keep_to,
  }, OpenAI)
end

return openai
