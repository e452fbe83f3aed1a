--- Amazon Bedrock's Converse, streamed: one form for the models of many makers. Requests are signed, and
--- events come in AWS's binary framing. The blocks of a reply go back as they came.

local alternating = require "runtime.llm.alternating"
local aws_credentials = require "runtime.llm.aws_credentials"
local bedrock_reply = require "runtime.llm.bedrock_reply"
local bound = require "runtime.llm.bound"
local event_stream = require "runtime.llm.event_stream"
local fault = require "runtime.llm.fault"
local json = require "runtime.json"
local sigv4 = require "runtime.llm.sigv4"
local stream = require "runtime.llm.stream"

local bedrock = {}

local MAX_TOKENS = 4096
local SERVICE = "bedrock"

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

local function is_thought(block) return block:find '^{"reasoningContent":' ~= nil end

local function assistant_blocks(message, before)
  if not message.raw then return told_blocks(message) end
  local said = message.text and message.text:find "%S" and message.text or "(a thought)"
  return before:blocks(message.raw, is_thought, text_json(said))
end

-- `before` takes in what is sent.
local function messages_json(self, messages, before)
  local turns = alternating.turns(messages, "assistant", function(message)
    local blocks = message.role == "assistant" and assistant_blocks(message, before) or user_blocks(self, message)
    for _, block in ipairs(blocks) do before:add(block) end
    return blocks
  end)
  -- At the end, and where the request before this one ended: a turn of many calls is longer than what the
  -- provider looks back.
  for i = #turns, math.max(1, #turns - 2), -1 do
    local blocks = turns[i].parts
    if self.can.cache and turns[i].role == "user" then blocks[#blocks + 1] = CACHE_POINT end
  end
  return alternating.json(turns, "content")
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
  local tools = self.tools and tools_json(self) or ""
  local before = bound.new(request.system .. tools)
  local messages = messages_json(self, request.messages, before)
  return ('{"inferenceConfig":{"maxTokens":%d},"system":[%s%s],%s"messages":%s}'):format(
    request.max_tokens or MAX_TOKENS, text_json(request.system), self.can.cache and "," .. CACHE_POINT or "",
    tools, messages), before.digest
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
  local reply = bedrock_reply.new(self.who, request.on_text)
  local body
  body, reply.raw.before = body_json(self, request)
  local headers, refused = headers_for(self, body)
  if not headers then return nil, refused end
  local ok, err = stream.post(self.who, { url = self.url, body = body, deadline = request.deadline, headers = headers,
    show = self.show, framing = event_stream }, function(...) return bedrock_reply.take(reply, ...) end)
  if not ok then return nil, err end
  return bedrock_reply.finished(reply)
end

---@param request table   see runtime/llm/init.lua
---@return table|nil reply
---@return ProviderFault? err
function Bedrock:ask(request)
  local reply, err = once(self, request)
  if bound.was_refused(err, request.messages) then reply, err = once(self, request) end
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
