--- What the real servers refuse and a kind one would not: the rules across the messages of one
--- request. A function for each wire answers what is wrong with it, or nothing.

local json = require "runtime.json"

local provider_rules = {}

local PLAIN_ID = "^[%w_%-]+$"

local function named(tools, name_of)
  local seen = {}
  for _, tool in ipairs(tools) do
    local name = name_of(tool)
    if not name:find "^[%w_%-]+$" or #name > 64 then return "tools: bad name " .. name end
    if seen[name] then return "tools: two are called " .. name end
    seen[name] = true
  end
end

-- Each id of `asked` answered once, and nothing else; ids have the form and length that the wire allows.
local function paired(asked, answered, form, longest)
  local open = {}
  for _, id in ipairs(asked) do
    if not id:find(form or "") or #id > (longest or 64) then return "an id that is not taken: " .. id end
    if open[id] then return "two calls with the id " .. id end
    open[id] = true
  end
  for _, id in ipairs(answered) do
    if not open[id] then return "a result for no call, or a second one: " .. id end
    open[id] = nil
  end
  if next(open) then return "a call without its result: " .. next(open) end
end

local function cached_blocks(body)
  local count = 0
  local function walk(value)
    if type(value) ~= "table" then return end
    if value.cache_control then count = count + 1 end
    for _, inner in pairs(value) do walk(inner) end
  end
  walk(body)
  return count
end

-- The calls and results of one message, in which results come first and no text is empty.
local function blocks_of(message)
  local calls, results, text_before = {}, {}, false
  if #message.content == 0 then return nil, "a message without content" end
  for _, block in ipairs(message.content) do
    if block.type == "text" then
      text_before = true
      if not block.text:find "%S" then return nil, "an empty text" end
    elseif block.type == "tool_use" then
      calls[#calls + 1] = block.id
      if type(block.input) ~= "table" or #block.input > 0 then return nil, "input is no object" end
    elseif block.type == "tool_result" then
      if text_before then return nil, "a text before a result" end
      results[#results + 1] = block.tool_use_id
    end
  end
  return { calls = calls, results = results }
end

function provider_rules.anthropic(body, headers)
  if not (headers["x-api-key"] and headers["anthropic-version"]) then return "headers are missing" end
  if headers["content-type"] ~= "application/json" then return "not said to be JSON" end
  if not (body.model and body.max_tokens) then return "model or max_tokens is missing" end
  if cached_blocks(body) > 4 then return "more than four cache breakpoints" end
  local open = {}
  for i, message in ipairs(body.messages) do
    if message.role ~= (i % 2 == 1 and "user" or "assistant") then return "roles do not take turns" end
    local blocks, why = blocks_of(message)
    why = why or paired(open, blocks.results, PLAIN_ID)
    if why then return why end
    open = blocks.calls
    if #open > 0 and not body.tools then return "calls without tools" end
  end
  if #body.messages % 2 == 0 then return "the last word is the model's own" end
  return body.tools and named(body.tools, function(tool) return tool.name end)
end

function provider_rules.openai(body, headers)
  local azure = headers["api-key"] ~= nil -- there the model stands in the path
  if not azure and not (headers.authorization or ""):find "^Bearer %S" then return "no key" end
  if not azure and not body.model then return "model is missing" end
  if not body.tools and body.tool_choice then return "tool_choice without tools" end
  local asked, answered = {}, {}
  for _, message in ipairs(body.messages) do
    if message.role == "tool" then
      answered[#answered + 1] = message.tool_call_id
    else
      local why = paired(asked, answered, nil, 40)
      if why then return why end
      asked, answered = {}, {}
      for _, call in ipairs(message.tool_calls or {}) do
        asked[#asked + 1] = call.id
        local given = call["function"].arguments
        if type(given) ~= "string" or type(json.decode(given)) ~= "table" then return "arguments are no JSON text" end
      end
      if message.content == nil then return "content is missing" end
      if message.content == json.null and #asked == 0 then return "neither content nor calls" end
    end
  end
  return paired(asked, answered, nil, 40)
    or body.tools and named(body.tools, function(tool) return tool["function"].name end)
end

-- Roles that take turns, begun by the user, and each turn's calls answered in the next one, by `parts_of`.
local function turns(list, model, parts_of, form)
  local open = {}
  for i, turn in ipairs(list) do
    if turn.role ~= (i % 2 == 1 and "user" or model) then return "roles do not take turns" end
    local calls, results, why = parts_of(turn)
    why = why or paired(open, results, form)
    if why then return why end
    open = calls
  end
  if #list % 2 == 0 then return "the last word is the model's own" end
end

local KINDS = { "text", "functionCall", "functionResponse", "inlineData" }

local function gemini_parts(turn)
  local calls, results, names = {}, {}, 0
  for _, part in ipairs(turn.parts) do
    local kinds = 0
    for _, kind in ipairs(KINDS) do if part[kind] ~= nil then kinds = kinds + 1 end end
    if kinds ~= 1 then return calls, results, "a part of no kind, or of two" end
    local call, answer = part.functionCall, part.functionResponse
    if call and (type(call.args) ~= "table" or #call.args > 0) then return calls, results, "args are no object" end
    if answer and (type(answer.response) ~= "table" or #answer.response > 0) then
      return calls, results, "a response that is no object"
    end
    -- Where there are no ids, a call is answered by its place and name.
    if call then calls[#calls + 1] = call.id or ("%d %s"):format(#calls + 1, call.name) end
    if answer then
      names = names + 1
      results[#results + 1] = answer.id or ("%d %s"):format(names, answer.name)
    end
  end
  if #turn.parts == 0 then return calls, results, "a turn without parts" end
  return calls, results
end

function provider_rules.gemini(body, headers)
  if not (headers["x-goog-api-key"] or (headers.authorization or ""):find "^Bearer %S") then return "no key" end
  local wrong = turns(body.contents, "model", gemini_parts)
  if wrong then return wrong end
  for _, tool in ipairs(body.tools or {}) do
    wrong = named(tool.functionDeclarations, function(declared) return declared.name end)
    if wrong then return wrong end
  end
end

local function converse_parts(message)
  local calls, results = {}, {}
  if #message.content == 0 then return calls, results, "a message without content" end
  for _, block in ipairs(message.content) do
    if block.text and not block.text:find "%S" then return calls, results, "an empty text" end
    if block.toolUse then
      calls[#calls + 1] = block.toolUse.toolUseId
      if type(block.toolUse.input) ~= "table" or #block.toolUse.input > 0 then
        return calls, results, "input is no object"
      end
    end
    if block.toolResult then
      results[#results + 1] = block.toolResult.toolUseId
      if #block.toolResult.content == 0 then return calls, results, "a result without content" end
    end
  end
  return calls, results
end

function provider_rules.converse(body, headers)
  local authorization = headers.authorization or ""
  if not authorization:find "^AWS4%-HMAC%-SHA256 Credential=%S+/bedrock/aws4_request, " then return "not signed" end
  if body.modelId then return "the model belongs into the path" end
  local wrong = turns(body.messages, "assistant", converse_parts, PLAIN_ID)
  if wrong then return wrong end
  local tools = {}
  for _, tool in ipairs(body.toolConfig and body.toolConfig.tools or {}) do
    tools[#tools + 1] = tool.toolSpec
  end
  for _, message in ipairs(body.messages) do
    for _, block in ipairs(message.content) do
      if (block.toolUse or block.toolResult) and #tools == 0 then return "calls without tools" end
    end
  end
  return named(tools, function(spec) return spec.name end)
end

return provider_rules
