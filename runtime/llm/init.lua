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
--- `raw` is the provider's own and goes back to it unchanged with its message. A reply says who made
--- it, `provider` and `model`, and `usage.cost_usd` where the price is known (runtime/llm/prices.lua).

local clients = require "runtime.llm.clients"
local failure = require "runtime.failure"
local kinds = require "runtime.llm.kinds"
local prices = require "runtime.llm.prices"
local registry = require "runtime.llm.registry"
local secrets = require "runtime.secrets"

local llm = {}

---@class Mind
---@field name string
---@field model? string
---@field by_rules? true       the analyst
---@field cheap? fun(skills: table[]): table   for a short question that a smaller model can answer
---@field destination? string   where text goes: print it before the first request; nil: nowhere
---@field operator fun(skill: table, history: History): table   a provider for an operator with this skill
---@field coordinator fun(skills: table[]): table
---@field conceal? fun(mask: Privacy)   hides its keys in whatever is masked from now on
---@field leaves? ClientOf[]    every client that may be asked

local choosers = {}

function choosers.analyst()
  local analyst = require "runtime.llm.analyst"
  return { name = "analyst", by_rules = true, operator = analyst.operator, coordinator = analyst.coordinator }
end

function choosers.script(_, env)
  local script = require "runtime.llm.script"
  local replies, why = script.load(env "BEAMLENS_SCRIPT")
  if not replies then return nil, why end
  return {
    name = "script",
    operator = function(skill) return script.new(replies, { agent = "operator", skill = skill and skill.name }) end,
    coordinator = function() return script.new(replies, { agent = "coordinator" }) end,
    cheap = function() return script.new(replies, { agent = "refuter" }) end,
  }
end

-- Each once, in their order.
local function listed(leaves, field)
  local words, seen = {}, {}
  for _, leaf in ipairs(leaves) do
    if not seen[leaf[field]] then words[#words + 1] = leaf[field] end
    seen[leaf[field]] = true
  end
  return table.concat(words, ", ")
end

-- A limit in money needs to know what is spent.
local function unpriced(opened, options)
  if not (options.limits and options.limits.usd) then return nil end
  for _, leaf in ipairs(opened.leaves) do
    if not prices.of_client(leaf) then
      return failure.new("provider", ("limits.usd cannot be kept: the price of %s is not known"):format(leaf.model),
        ('set prices in the config: ["%s"] = { input = …, output = … }'):format(leaf.model), 2)
    end
  end
end

local function mind_of(opened, options, cheap)
  local leaves = { unpack(opened.leaves) }
  for _, leaf in ipairs(cheap and cheap.leaves or {}) do leaves[#leaves + 1] = leaf end
  local err = unpriced({ leaves = leaves }, options)
  if err then return nil, err end
  return {
    name = opened.name, model = listed(leaves, "model"), destination = listed(leaves, "destination"),
    operator = opened.new, coordinator = opened.new, cheap = cheap and cheap.new, leaves = leaves,
    conceal = function(mask)
      for _, leaf in ipairs(leaves) do leaf.conceal(mask) end
    end,
  }
end

-- It belongs to the primary: who names another client asks nobody else.
local function cheap_of(c, options, env)
  local given = options.client_registry
  if not given.cheap or given.cheap == c.name or options.model or options.provider
    and options.provider ~= given.primary then return nil end
  return registry.open(given, registry.find(given, given.cheap), env, options)
end

local function of_registry(c, options, env)
  if options.model then
    if not kinds[c.provider] then
      return nil, failure.new("usage", ("--model, but %s is several clients"):format(c.name),
        "name one of them with --provider, or take --model away", 2)
    end
    local own = {}
    for key, value in pairs(c.options or {}) do own[key] = value end
    own.model = options.model
    c = { name = c.name, provider = c.provider, options = own, retry_policy = c.retry_policy }
  end
  local opened, err = registry.open(options.client_registry, c, env, options)
  if not opened then return nil, err end
  local cheap
  cheap, err = cheap_of(c, options, env)
  if err then return nil, err end
  return mind_of(opened, options, cheap)
end

local function by_itself(name, options, env)
  local leaf, err = clients.open({ name = name, provider = name, options = { model = options.model } }, env, options)
  if not leaf then return nil, err end
  return mind_of({ name = name, new = leaf.new, leaves = { leaf } }, options)
end

local function default_name(env)
  for _, name in ipairs { "ANTHROPIC_API_KEY", "ANTHROPIC_API_KEY_FILE" } do
    if (env(name) or "") ~= "" then return "anthropic" end
  end
  return "analyst"
end

--- Who may think: the analyst, the providers, and the clients of a config.
---@param given? table   client_registry
---@return string[] sorted
function llm.names(given)
  local names = { "analyst", "script" }
  for name in pairs(kinds) do names[#names + 1] = name end
  for _, c in ipairs(given and given.clients or {}) do names[#names + 1] = c.name end
  table.sort(names)
  return names
end

--- Chooses who thinks. Prints nothing; `destination` says where text would go.
---@param options { provider?: string, model?: string, client_registry?: table, prices?: table, limits?: table }
---@param env? fun(name: string): string?   os.getenv if left out
---@return Mind|nil
---@return Failure?
function llm.choose(options, env)
  env = env or os.getenv
  local given = options.client_registry
  local err = given and registry.fault(given) or options.prices and prices.fault(options.prices)
  if err then return nil, err end
  local name = options.provider or given and given.primary or default_name(env)
  local c = given and registry.find(given, name)
  if c then return of_registry(c, options, env) end
  if choosers[name] then return choosers[name](options, env) end
  if kinds[name] then return by_itself(name, options, env) end
  local names = llm.names(given)
  local shown = secrets.hide(name, function() return "<key>" end)
  return nil, failure.new("usage", ("there is no provider %s"):format(shown),
    failure.meant(name, names, "take one of " .. table.concat(names, ", ")), 2)
end

return llm
