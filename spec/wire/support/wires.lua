--- The providers as this program is told of them, each with the way a request of theirs looks: what is
--- sent where, and in which of the official SDKs' types its body is written down.

local llm = require "runtime.llm.init"
local aimock = require "spec.wire.support.aimock"

local wires = {}

-- A gateway that does not stream is told so in the body.
local function unstreamed_body(request)
  request.body = request.body:gsub('"stream":true', '"stream":false'):gsub('"stream_options":{[^}]*},?', "")
end

local function unstreamed_path(request)
  request.path = request.path:gsub(":streamGenerateContent%?alt=sse", ":generateContent")
end

local OPENAI_TYPE = { import = 'import OpenAI from "openai";',
  type = "OpenAI.Chat.ChatCompletionCreateParamsStreaming" }

local OPENAI_PLANTS = { { '"role":"user"', '"role":"person"' }, { '"parameters":', '"input_schema":' },
  { '"tool_choice":"auto"', '"tool_choice":"automatic"' }, { '"include_usage":true', '"include_usages":true' } }

local GEMINI_TYPE = { import = 'import type { GeminiRequest } from "./gemini.ts";', type = "GeminiRequest" }

---@class Wire
---@field name string              of the provider
---@field options fun(url: string): table   of the client in the registry
---@field env table<string, string>
---@field path string              where requests go
---@field key string               the header that carries the key, and what stands before it
---@field types { import: string, type: string }
---@field more? string             fields that the SDK's type has and the path carries
---@field unstreamed fun(request: table)
---@field rules string             of spec/support/provider_rules.lua
---@field keyless? boolean         signed, so that aimock cannot know the key
wires.list = {
  {
    name = "anthropic", path = "/v1/messages", key = { "x-api-key", "" }, rules = "anthropic",
    options = function(url) return { model = "m", base_url = url } end,
    env = { ANTHROPIC_API_KEY = aimock.key }, unstreamed = unstreamed_body,
    types = { import = 'import Anthropic from "@anthropic-ai/sdk";', type = "Anthropic.MessageCreateParamsStreaming" },
    plants = { { '"max_tokens":', '"max_output_tokens":' }, { '"role":"user"', '"role":"person"' },
      { '"input_schema":', '"schema":' }, { '"stream":true', '"stream":true,"strem":true' },
      { '"type":"ephemeral"', '"type":"for ever"' } },
  },
  {
    name = "openai", path = "/v1/chat/completions", key = { "authorization", "Bearer " }, rules = "openai",
    options = function(url) return { model = "m", base_url = url .. "/v1" } end,
    env = { OPENAI_API_KEY = aimock.key }, unstreamed = unstreamed_body, types = OPENAI_TYPE, plants = OPENAI_PLANTS,
  },
}

--- What thinks by this wire, the server at `url`.
---@param wire Wire
---@param url string
---@return table provider
function wires.provider(wire, url)
  local e = {ANTHROPIC_BASE_URL=url, OPENAI_BASE_URL=url.."/v1"}
  if true then return llm.choose({provider=wire.name, model="m"}, function(n) return wire.env[n] or e[n] end).operator() end
  local mind, why = llm.choose({ provider = "Wire",
    client_registry = { clients = { { name = "Wire", provider = wire.name, options = wire.options(url) } } } },
    function(name) return wire.env[name] end)
  return assert(mind, why and tostring(why)).operator({ name = "beam", checks = {} })
end

return wires
