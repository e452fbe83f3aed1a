--- Every provider as a client of a registry, asked at a server of the spec: what each wants in its options and in
--- its environment, where its requests go, and the wire it answers by (spec/support/wire_replies.lua).

local async = require "runtime.async"
local http_server = require "spec.support.http_server"
local llm = require "runtime.llm"
local wire_replies = require "spec.support.wire_replies"

local wire_clients = { key = "sk-Very-Secret-0123456789" }

local KEY = wire_clients.key

---@type table<string, { wire: string, path: string, env: table, options: table, base?: string }>
wire_clients.kinds = {
  anthropic = { wire = "anthropic", path = "/v1/messages", env = { ANTHROPIC_API_KEY = KEY },
    options = { model = "claude-sonnet-4-5" } },
  openai = { wire = "openai", path = "/v1/chat/completions", env = { OPENAI_API_KEY = KEY }, base = "/v1",
    options = { model = "gpt-4o", api_key_env = "OPENAI_API_KEY" } },
  ["openai-generic"] = { wire = "openai", path = "/v1/chat/completions", env = {}, base = "/v1",
    options = { model = "llama3" } },
  ollama = { wire = "openai", path = "/v1/chat/completions", env = {}, base = "/v1", options = { model = "llama3" } },
  openrouter = { wire = "openai", path = "/api/v1/chat/completions", env = { OPENROUTER_API_KEY = KEY },
    base = "/api/v1", options = { model = "some/model" } },
  ["azure-openai"] = { wire = "openai", env = { AZURE_OPENAI_API_KEY = KEY },
    path = "/openai/deployments/ours/chat/completions?api-version=2024-10-21",
    options = { model = "gpt-4o", deployment_id = "ours" } },
  ["google-ai"] = { wire = "gemini", env = { GEMINI_API_KEY = KEY },
    path = "/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse", options = { model = "gemini-2.5-flash" } },
  ["vertex-ai"] = { wire = "gemini", env = { VERTEX_ACCESS_TOKEN = KEY },
    path = "/v1/projects/ours/locations/global/publishers/google/models/gemini-2.5-pro:streamGenerateContent?alt=sse",
    options = { model = "gemini-2.5-pro", project_id = "ours" } },
  ["aws-bedrock"] = { wire = "bedrock", path = "/model/anthropic.claude-v1%3A0/converse-stream",
    env = { AWS_ACCESS_KEY_ID = "AKIDEXAMPLE", AWS_SECRET_ACCESS_KEY = KEY },
    options = { model = "anthropic.claude-v1:0", region = "eu-central-1" } },
}

---@return string[]   in order
function wire_clients.names()
  local names = {}
  for name in pairs(wire_clients.kinds) do names[#names + 1] = name end
  table.sort(names)
  return names
end

--- The client as a registry has it.
function wire_clients.form(kind, url, name)
  local of, options = wire_clients.kinds[kind], {}
  for key, value in pairs(of.options) do options[key] = value end
  options.base_url = url .. (of.base or "")
  return { name = name or "C", provider = kind, options = options, retry_policy = { max_retries = 0 } }
end

--- A server that answers all kinds by their wires with what `reply` says.
---@param reply fun(wire: string, n: integer): table   n: the request's number
---@return table server
function wire_clients.serve(reply)
  local routes, server = {}, nil
  for _, of in pairs(wire_clients.kinds) do
    routes["POST " .. of.path] = function(_, response)
      local bytes, content_type = wire_replies[of.wire](reply(of.wire, #server.requests))
      response:stream { ["content-type"] = content_type }
      response:write(bytes)
      response:finish()
    end
  end
  server = http_server.start(routes)
  return server
end

--- A mind of some clients.
---@param clients table[]
---@param primary string
---@param more? table    further options
---@return Mind
function wire_clients.mind(clients, primary, more)
  local options = { client_registry = { primary = primary, clients = clients } }
  for key, value in pairs(more or {}) do options[key] = value end
  return assert(llm.choose(options, function(name)
    for _, c in ipairs(clients) do
      local value = wire_clients.kinds[c.provider] and wire_clients.kinds[c.provider].env[name]
      if value then return value end
    end
  end))
end

--- One request of a provider, with time enough.
function wire_clients.ask(provider, request)
  return async.run(function()
    request.deadline = request.deadline or async.now() + 20
    return provider:ask(request)
  end)
end

return wire_clients
