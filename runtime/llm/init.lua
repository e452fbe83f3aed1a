--- Who thinks: chooses a provider and makes one for each agent. A provider is
--- `{ name, model?, ask(self, request) -> reply | nil, ProviderFault }`:
---
---   request = { system, tools = { {name, description, parameters} } | nil, messages, max_tokens?,
---     deadline?, on_text = fn(delta)? }; on_text may hear a beginning again after a retry
---   message = { role = "user", text } | { role = "assistant", text, calls, raw }
---     | { role = "tool", results = { {id, name, ok, text, data} } }
---   reply = { text, calls = { {id, name, args | bad_args} }, stop = "done|calls|length|refused|
---     context_full|pause", usage = { input, cache_write, cache_read, output }, raw }
---
--- `raw` is the provider's own and goes back to it unchanged with its message. Tokens are counted;
--- money is not: prices change without notice, and one from memory is worse than none. So the
--- `cost_usd` of a run that went to a provider is null.

local failure = require "runtime.failure"
local keys = require "runtime.llm.keys"
local retry = require "runtime.llm.retry"

local llm = {}

local PROVIDERS = { "analyst", "anthropic", "openai", "script" }

---@class Mind
---@field name string
---@field model? string
---@field destination? string   where text goes: print it before the first request; nil: nowhere
---@field operator fun(skill: table, history: History): table   a provider for an operator with this skill
---@field coordinator fun(skills: table[]): table
---@field conceal? fun(mask: Privacy)   hides its key in whatever is masked from now on

local function same_for_all(mind, make)
  mind.operator, mind.coordinator = make, make
  return mind
end

local function hiding(key)
  return function(mask) if key then mask:know(key) end end
end

local choosers = {}

function choosers.analyst()
  local analyst = require "runtime.llm.analyst"
  return { name = "analyst", operator = analyst.operator, coordinator = analyst.coordinator }
end

function choosers.script(_, env)
  local script = require "runtime.llm.script"
  local replies, why = script.load(env "BEAMLENS_SCRIPT")
  if not replies then return nil, why end
  return {
    name = "script",
    operator = function(skill) return script.new(replies, { agent = "operator", skill = skill and skill.name }) end,
    coordinator = function() return script.new(replies, { agent = "coordinator" }) end,
  }
end

function choosers.anthropic(options, env)
  local anthropic = require "runtime.llm.anthropic"
  local key, why = keys.read("ANTHROPIC_API_KEY", env)
  if why then return nil, why end
  if not key then
    return nil, failure.new("provider", "there is no key for anthropic",
      "set ANTHROPIC_API_KEY or ANTHROPIC_API_KEY_FILE, or use --provider analyst", 2)
  end
  local url = env "ANTHROPIC_BASE_URL" or anthropic.base_url
  local address, bad = keys.address("ANTHROPIC_BASE_URL", url, true)
  if not address then return nil, bad end
  local model = options.model or anthropic.model
  return same_for_all({ name = "anthropic", model = model, destination = address.host, conceal = hiding(key) },
    function()
      return retry.new(anthropic.new { key = key, model = model, base_url = url, show = options.show_outgoing })
    end)
end

function choosers.openai(options, env)
  local openai = require "runtime.llm.openai"
  local key, why = keys.read("OPENAI_API_KEY", env)
  if why then return nil, why end
  local url = env "OPENAI_BASE_URL" or openai.base_url
  local address, bad = keys.address("OPENAI_BASE_URL", url, key ~= nil)
  if not address then return nil, bad end
  if not key and not address.loopback then
    return nil, failure.new("provider", "there is no key for " .. address.host,
      "set OPENAI_API_KEY or OPENAI_API_KEY_FILE, or use --provider analyst", 2)
  end
  -- Which models a server has, only its owner knows.
  local model = options.model
  if not model then
    return nil, failure.new("provider", ("there is no default model at %s"):format(address.host),
      "name the model: --model NAME", 2)
  end
  return same_for_all({ name = "openai", model = model, destination = address.host, conceal = hiding(key) },
    function()
      return retry.new(openai.new { key = key, model = model, base_url = url, show = options.show_outgoing })
    end)
end

local function default_name(env)
  for _, name in ipairs { "ANTHROPIC_API_KEY", "ANTHROPIC_API_KEY_FILE" } do
    if (env(name) or "") ~= "" then return "anthropic" end
  end
  return "analyst"
end

--- Chooses who thinks. Prints nothing; `destination` says where text would go.
---@param options { provider?: string, model?: string }
---@param env? fun(name: string): string?   os.getenv if left out
---@return Mind|nil
---@return Failure?
function llm.choose(options, env)
  env = env or os.getenv
  local name = options.provider or default_name(env)
  if choosers[name] then return choosers[name](options, env) end
  local near = failure.nearest(name, PROVIDERS)
  return nil, failure.new("usage", ("there is no provider %s"):format(name),
    near and ("did you mean %s?"):format(near) or "take one of " .. table.concat(PROVIDERS, ", "), 2)
end

return llm
