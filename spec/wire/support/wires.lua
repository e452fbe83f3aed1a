--- The providers as a config names them, each with the way a request of theirs looks: what is sent where,
--- and in which of the official SDKs' types its body is written down.

local llm = require "runtime.llm.init"
local aimock = require "spec.wire.support.aimock"

local wires = {}

-- How a gateway that does not stream is told so.
local unstreamed = {
  body = function(request)
    request.body = request.body:gsub('"stream":true', '"stream":false'):gsub('"stream_options":{[^}]*},?', "")
  end,
  path = function(request)
    request.path = request.path:gsub(":streamGenerateContent%?alt=sse$", ":generateContent")
      :gsub("/converse%-stream$", "/converse")
  end,
}

---@class Form
---@field import string
---@field type string
---@field more? string        what the type wants beside the body
---@field rules string        of spec/support/provider_rules.lua
---@field unstreamed fun(request: table)
---@field for_aimock? fun(request: table)   takes out what aimock stumbles over
---@field plants { [1]: string, [2]: string, [3]?: integer }[]   words of a request and the wrong ones that take
---  their place; in which request, the second has calls and results

---@type table<string, Form>
local forms = {
  anthropic = {
    import = 'import Anthropic from "@anthropic-ai/sdk";', type = "Anthropic.MessageCreateParamsStreaming",
    rules = "anthropic", unstreamed = unstreamed.body,
    plants = { { '"max_tokens":', '"max_output_tokens":' }, { '"role":"user"', '"role":"person"' },
      { '"input_schema":', '"schema":' }, { '"stream":true', '"stream":true,"strem":true' },
      { '"type":"ephemeral"', '"type":"for ever"' }, { '"tool_use_id":', '"call_id":', 2 },
      { '"is_error":', '"error":', 2 }, { '"input":', '"arguments":', 2 } },
  },
  openai = {
    import = 'import OpenAI from "openai";', type = "OpenAI.Chat.ChatCompletionCreateParamsStreaming",
    rules = "openai", unstreamed = unstreamed.body,
    plants = { { '"role":"user"', '"role":"person"' }, { '"parameters":', '"input_schema":' },
      { '"tool_choice":"auto"', '"tool_choice":"automatic"' }, { '"include_usage":true', '"include_usages":true' },
      { '"tool_call_id":', '"call_id":', 2 }, { '"tool_calls":', '"calls":', 2 } },
  },
  gemini = {
    import = 'import type { GeminiRequest } from "./gemini.ts";', type = "GeminiRequest",
    rules = "gemini", unstreamed = unstreamed.path,
    plants = { { '"role":"user"', '"role":true' }, { '"parameters":', '"input_schema":' },
      { '"type":"OBJECT"', '"type":"object"' }, { '"mode":"AUTO"', '"mode":"auto"' },
      { '"maxOutputTokens":', '"max_output_tokens":' }, { '"systemInstruction":', '"system":' },
      { '"functionResponse":', '"response":', 2 }, { '"args":', '"arguments":', 2 } },
  },
  converse = {
    import = 'import type { ConverseStreamCommandInput } from "@aws-sdk/client-bedrock-runtime";',
    type = "ConverseStreamCommandInput", more = '"modelId":"m"',
    rules = "converse", unstreamed = unstreamed.path,
    -- It takes every tool for one with a name.
    for_aimock = function(request) request.body = request.body:gsub(',{"cachePoint":{"type":"default"}}%]}', "]}") end,
    plants = { { '"role":"user"', '"role":"person"' }, { '"inputSchema":', '"parameters":' },
      { '"maxTokens":', '"max_tokens":' }, { '"toolSpec":', '"tool":' },
      { '"toolResult":', '"result":', 2 }, { '"status":"error"', '"status":"bad"', 2 } },
  },
}

-- As OpenAI's, but that the model stands in the path.
forms.azure = setmetatable({ more = '"model":"in the path"' }, { __index = forms.openai })

---@class Wire
---@field name string              of the provider
---@field form Form
---@field options fun(url: string): table   of the client in the registry
---@field env table<string, string>
---@field path string              where requests go
---@field strict? boolean         its tools may be strict
---@field key? { [1]: string, [2]: string }   the header that carries the key, and what stands before it; nil: it
---  is signed, so that aimock cannot know the key

local BEARER = { "authorization", "Bearer " }

---@type Wire[]
wires.list = {
  { name = "anthropic", strict = true, form = forms.anthropic, path = "/v1/messages", key = { "x-api-key", "" },
    options = function(url) return { model = "m", base_url = url } end,
    env = { ANTHROPIC_API_KEY = aimock.key } },
  { name = "openai", strict = true, form = forms.openai, path = "/v1/chat/completions", key = BEARER,
    options = function(url) return { model = "m", base_url = url .. "/v1", api_key_env = "OPENAI_API_KEY" } end,
    env = { OPENAI_API_KEY = aimock.key } },
  { name = "openai-generic", form = forms.openai, path = "/v1/chat/completions", key = BEARER,
    options = function(url) return { model = "m", base_url = url .. "/v1", api_key_env = "SOME_KEY" } end,
    env = { SOME_KEY = aimock.key } },
  { name = "ollama", form = forms.openai, path = "/v1/chat/completions", key = BEARER,
    options = function(url) return { model = "llama3", base_url = url .. "/v1" } end,
    env = { OLLAMA_API_KEY = aimock.key } },
  { name = "openrouter", form = forms.openai, path = "/api/v1/chat/completions", key = BEARER,
    options = function(url) return { model = "some/model", base_url = url .. "/api/v1" } end,
    env = { OPENROUTER_API_KEY = aimock.key } },
  { name = "azure-openai", strict = true, form = forms.azure, key = { "api-key", "" },
    path = "/openai/deployments/ours/chat/completions?api-version=2024-10-21",
    options = function(url) return { model = "m", base_url = url, deployment_id = "ours" } end,
    env = { AZURE_OPENAI_API_KEY = aimock.key } },
  { name = "google-ai", form = forms.gemini, path = "/v1beta/models/m:streamGenerateContent?alt=sse",
    key = { "x-goog-api-key", "" },
    options = function(url) return { model = "m", base_url = url } end,
    env = { GEMINI_API_KEY = aimock.key } },
  { name = "vertex-ai", form = forms.gemini, key = BEARER,
    path = "/v1/projects/ours/locations/europe-west4/publishers/google/models/gemini-3-m:streamGenerateContent?alt=sse",
    options = function(url)
      return { model = "gemini-3-m", base_url = url, project_id = "ours", location = "europe-west4" }
    end,
    env = { VERTEX_ACCESS_TOKEN = aimock.key } },
  { name = "aws-bedrock", form = forms.converse, path = "/model/eu.anthropic.claude-v1%3A0/converse-stream",
    options = function(url) return { model = "eu.anthropic.claude-v1:0", base_url = url, region = "eu-central-1" } end,
    env = { AWS_ACCESS_KEY_ID = "AKIDEXAMPLE", AWS_SECRET_ACCESS_KEY = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
      AWS_SESSION_TOKEN = "a/session+token/EXAMPLEKEY==" } },
}

---@param name string
---@return Wire
function wires.named(name)
  for _, wire in ipairs(wires.list) do
    if wire.name == name then return wire end
  end
  error("there is no wire " .. name)
end

--- A config file with a registry of this one client, which its `primary` names.
---@param wire Wire
---@param url string
---@return string text
function wires.config(wire, url)
  local lines = {}
  for name, value in pairs(wire.options(url)) do
    lines[#lines + 1] = type(value) == "string" and ("%s = %q"):format(name, value) or name .. " = " .. tostring(value)
  end
  return ('return { client_registry = { primary = "Wire", clients = { { name = "Wire", provider = %q,\n'
    .. "  options = { %s } } } } }\n"):format(wire.name, table.concat(lines, ", "))
end

--- What thinks by this wire, the server at `url`.
---@param wire Wire
---@param url string
---@param retry_policy? table
---@param strict? boolean
---@return table provider
function wires.provider(wire, url, retry_policy, strict)
  local client = { name = wire.name, provider = wire.name, options = wire.options(url), retry_policy = retry_policy }
  client.options.strict = strict
  local mind, why = llm.choose({ provider = wire.name, client_registry = { clients = { client } } },
    function(name) return wire.env[name] end)
  return assert(mind, why and tostring(why)).operator({ name = "beam", checks = {} })
end

return wires
