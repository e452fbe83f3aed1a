--- The providers there are, as data: which wire each speaks, where it is, whose key it wants. What the
--- makers of a provider themselves call a variable is what it is called here.

---@class ProviderKind
---@field wire string             a file beside this one
---@field keys? string[]          variables with its key, and NAME_FILE of each
---@field keyless? "always"|"loopback"   where it may be asked without a key
---@field base_env? string
---@field base? string|fun(o: table): string?   its usual address; nil from the function: it depends on what is not said
---@field base_of? string         what says it then, for the sentence
---@field makers? string          their host: a base_url elsewhere gets no key that was not named for it
---@field model? string           one for those who name none
---@field free_at_home? boolean   on this machine it costs nothing
---@field priced? boolean         our list has its prices
---@field options? string[]       beside those that all have
---@field env? table<string, string[]>   options that a variable may set
---@field signed? true           it is sent credentials beside a key, which go nowhere unencrypted either
---@field more? fun(o: table, base: string): table   further options of the wire
---@field address? fun(base: string): string         as its variable may give it, as a URL

local function without_end(url) return (url:gsub("/+$", "")) end

-- As the tools of Ollama take it: a host, with a port or without. A server that listens everywhere is here, too.
local function ollama_address(text)
  text = text:gsub("0%.0%.0%.0", "127.0.0.1")
  local url = text:find "^%a+://" and text or "http://" .. text
  if not url:find("^%a+://[^/]*:%d+") then url = url:gsub("^(http://[^/]+)", "%1:11434") end
  url = without_end(url)
  return url:find "/v1$" and url or url .. "/v1"
end

local function azure_url(o, base)
  return { url = ("%s/openai/deployments/%s/chat/completions?api-version=%s"):format(
    without_end(without_end(base):gsub("/openai$", "")), o.deployment_id or o.model, o.api_version),
    key_header = "api-key: ", own = true, nameless = true }
end

local function vertex_base(o)
  local host = o.location == "global" and "aiplatform.googleapis.com"
    or ("%s-aiplatform.googleapis.com"):format(o.location)
  return "https://" .. host .. "/v1"
end

---@type table<string, ProviderKind>
return {
  anthropic = { wire = "anthropic", keys = { "ANTHROPIC_API_KEY" }, base_env = "ANTHROPIC_BASE_URL",
    base = "https://api.anthropic.com", model = "claude-haiku-4-5-20251001", priced = true },
  openai = { wire = "openai", keys = { "OPENAI_API_KEY" }, keyless = "loopback", base_env = "OPENAI_BASE_URL",
    base = "https://api.openai.com/v1", makers = "api.openai.com", free_at_home = true, priced = true },
  -- Any server that speaks like OpenAI's. It is sent no key that was not named for it.
  ["openai-generic"] = { wire = "openai", keys = { "OPENAI_GENERIC_API_KEY" }, keyless = "always",
    base_env = "OPENAI_GENERIC_BASE_URL", base_of = "base_url", free_at_home = true },
  ollama = { wire = "openai", keys = { "OLLAMA_API_KEY" }, keyless = "always", base_env = "OLLAMA_HOST",
    base = "http://localhost:11434/v1", address = ollama_address, free_at_home = true },
  openrouter = { wire = "openai", keys = { "OPENROUTER_API_KEY" }, base_env = "OPENROUTER_BASE_URL",
    base = "https://openrouter.ai/api/v1" },
  ["azure-openai"] = { wire = "openai", keys = { "AZURE_OPENAI_API_KEY" }, base_env = "AZURE_OPENAI_ENDPOINT",
    base = function(o) return o.resource_name and ("https://%s.openai.azure.com"):format(o.resource_name) end,
    base_of = "base_url or resource_name", options = { "resource_name", "deployment_id", "api_version" },
    env = { api_version = { "OPENAI_API_VERSION" } }, usual = { api_version = "2024-10-21" }, more = azure_url },
  ["google-ai"] = { wire = "gemini", keys = { "GEMINI_API_KEY", "GOOGLE_API_KEY" }, base_env = "GOOGLE_GEMINI_BASE_URL",
    base = "https://generativelanguage.googleapis.com", priced = true,
    more = function(_, base)
      base = without_end(base)
      return { models_url = (base:find "/v1%w*$" and base or base .. "/v1beta") .. "/models/",
        key_header = "x-goog-api-key: " }
    end },
  -- The token is what `gcloud auth print-access-token` prints; in a file, it may be renewed while we run.
  ["vertex-ai"] = { wire = "gemini", keys = { "VERTEX_ACCESS_TOKEN" }, base_env = "GOOGLE_VERTEX_BASE_URL",
    base = vertex_base, options = { "project_id", "location" }, priced = true,
    env = { project_id = { "GOOGLE_CLOUD_PROJECT" }, location = { "GOOGLE_CLOUD_LOCATION" } },
    usual = { location = "global" }, needs = { "project_id" },
    more = function(o, base)
      base = without_end(base)
      return { models_url = ("%s/projects/%s/locations/%s/publishers/google/models/"):format(
        base:find "/v1%w*$" and base or base .. "/v1", o.project_id, o.location),
        key_header = "authorization: Bearer " }
    end },
  ["aws-bedrock"] = { wire = "bedrock", keys = { "AWS_BEARER_TOKEN_BEDROCK" }, keyless = "always",
    base_env = "AWS_ENDPOINT_URL_BEDROCK_RUNTIME",
    base = function(o) return o.region and ("https://bedrock-runtime.%s.amazonaws.com"):format(o.region) end,
    base_of = "region", options = { "region", "profile" }, needs = { "region" }, signed = true,
    env = { region = { "AWS_REGION", "AWS_DEFAULT_REGION" }, profile = { "AWS_PROFILE" } },
    more = function(o) return { region = o.region, profile = o.profile } end },
}
