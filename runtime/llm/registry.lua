--- The clients of a config by name:
---
---   client_registry = { primary = "Main", cheap = "Local", clients = {
---     { name = "Main", provider = "fallback", options = { strategy = { "Claude", "Local" } } },
---     { name = "Claude", provider = "anthropic", options = { model = "…", api_key_file = "/home/me/.claude-key" },
---       retry_policy = { max_retries = 5 } },
---     { name = "Local", provider = "openai-generic", options = { base_url = "http://localhost:11434/v1",
---       model = "llama3" } } } }
---
--- `cheap` answers short questions beside the primary: the doubt of a leading cause.
---
--- The whole of it is checked before anybody is asked, also what a run does not use: a slip in a
--- fallback would else show in the night when it is needed. Keys are looked for where they are used.

local address_parts = require "runtime.llm.address_parts"
local clients = require "runtime.llm.clients"
local failure = require "runtime.failure"
local fallback = require "runtime.llm.fallback"
local kinds = require "runtime.llm.kinds"
local retry = require "runtime.llm.retry"
local round_robin = require "runtime.llm.round_robin"
local secrets = require "runtime.secrets"
local sorted_keys = require "runtime.sorted_keys"

local registry = {}

local COMMON = { "model", "base_url", "api_key_env", "api_key_file", "strict" }
-- What others call the place of a secret; here none may stand.
local SECRETS = { api_key = true, token = true, access_token = true, access_key_id = true, secret_access_key = true,
  session_token = true, credentials = true }
local FIELDS = { "name", "provider", "options", "retry_policy" }
local JOINING = { ["fallback"] = true, ["round-robin"] = true }

-- Behind the next step: the keys to what is wrong, within the client that `where` names.
local function fault(where, message, next_step, ...)
  return failure.in_config({ ... }, ("client_registry: %s%s"):format(where and where .. ": " or "", message), next_step)
end

--- The names of the providers a client may be of.
---@return string[]
function registry.providers()
  local names = sorted_keys(kinds)
  for name in pairs(JOINING) do names[#names + 1] = name end
  table.sort(names)
  return names
end

local function among(name, names)
  for _, other in ipairs(names) do if other == name then return true end end
  return false
end

local function unknown(where, what, name, names, ...)
  if among(name, names) then return nil end
  local shown = secrets.hide(tostring(name), function() return "<key>" end)
  return fault(where, ("there is no %s %s"):format(what, shown),
    failure.meant(name, names, "there are " .. table.concat(names, ", ")), ...)
end

-- A key is easily put where the name of its variable belongs.
local function is_variable(text)
  return text:find "^[%a_][%w_]*$" and secrets.hide(text, function() return "<key>" end) == text
end

local function value_fault(c, name, value)
  if type(value) ~= (name == "strict" and "boolean" or "string") or value == "" then
    return fault(c.name, ("options.%s must be %s"):format(name, name == "strict" and "true or false" or "a text"),
      "mend it, or take it out", "options", name)
  end
  if name == "api_key_env" and not is_variable(value) then
    return fault(c.name, "options.api_key_env is no name of a variable, and is not shown, for it may be the key",
      'for example api_key_env = "MY_KEY"', "options", name)
  end
  local why = name ~= "strict" and address_parts.fault(name, value)
  if why then return fault(c.name, ("options.%s %s"):format(name, why), "check it", "options", name) end
end

local function options_fault(c, kind)
  local names = { unpack(COMMON) }
  for _, name in ipairs(kind.options or {}) do names[#names + 1] = name end
  for name, value in pairs(c.options or {}) do
    if SECRETS[name] then
      return fault(c.name, ("%s stands in the config, where it does not belong"):format(name),
        'put it into an environment variable (api_key_env = "NAME") or a file of mode 0600 (api_key_file = "/path")',
        "options", name)
    end
    local err = unknown(c.name, "option", name, names, "options", name)
    if err then return err end
    err = value_fault(c, name, value)
    if err then return err end
  end
end

local function policy_fault(c)
  if c.retry_policy == nil then return nil end
  if type(c.retry_policy) ~= "table" then
    return fault(c.name, "retry_policy must be a table", "for example { max_retries = 3 }", "retry_policy")
  end
  local names = sorted_keys(retry.policy)
  for name, value in pairs(c.retry_policy) do
    local err = unknown(c.name, "field of retry_policy", name, names, "retry_policy", name)
    if err then return err end
    if type(value) ~= "number" or not (value >= 0 and value <= 1e6) then
      return fault(c.name, ("retry_policy.%s must be a number from 0 to 1000000"):format(name), "mend it",
        "retry_policy", name)
    end
  end
end

local function strategy_fault(c, names)
  for name in pairs(c.options or {}) do
    if name ~= "strategy" then
      return fault(c.name, ("%s has no option %s"):format(c.provider, tostring(name)),
        "it has strategy; the rest belongs to the clients that it names", "options", name)
    end
  end
  if c.retry_policy ~= nil then
    return fault(c.name, "has a retry_policy", "give it to the clients that it names", "retry_policy")
  end
  local strategy = c.options and c.options.strategy
  if type(strategy) ~= "table" or #strategy == 0 then
    return fault(c.name, "options.strategy must name clients", 'for example { "Claude", "Local" }', "options",
      "strategy")
  end
  for i, name in ipairs(strategy) do
    local err = unknown(c.name, "client", name, names, "options", "strategy", i)
    if err then return err end
  end
end

-- A client that leads to itself.
local function circle_fault(by_name, name, path)
  if path[name] then return fault(name, "it leads back to itself", "take it out of the strategy behind it") end
  local c = by_name[name]
  if not JOINING[c.provider] then return nil end
  path[name] = true
  for _, member in ipairs(c.options.strategy) do
    local err = circle_fault(by_name, member, path)
    if err then return err end
  end
  path[name] = nil
end

local function client_fault(c, i)
  local where = ("client %d"):format(i)
  if type(c) ~= "table" then
    return fault(where, "must be a table", 'for example { name = "Claude", provider = "anthropic" }')
  end
  if type(c.name) ~= "string" or not c.name:find "%S" then return fault(where, "has no name", "give it one") end
  for field in pairs(c) do
    local err = unknown(c.name, "field", field, FIELDS, field)
    if err then return err end
  end
  local err = unknown(c.name, "provider", c.provider, registry.providers(), "provider")
  if err then return err end
  if c.options ~= nil and type(c.options) ~= "table" then
    return fault(c.name, "options must be a table", 'for example { model = "…" }', "options")
  end
  return policy_fault(c) or kinds[c.provider] and options_fault(c, kinds[c.provider])
end

local function fault_of(given)
  for field in pairs(given) do
    local err = unknown(nil, "field", field, { "primary", "cheap", "clients" }, field)
    if err then return err end
  end
  if type(given.clients) ~= "table" or #given.clients == 0 then
    return fault(nil, "has no clients", 'for example clients = { { name = "Claude", provider = "anthropic" } }',
      "clients")
  end
  local by_name, names = {}, {}
  for i, c in ipairs(given.clients) do
    local err = client_fault(c, i)
    if not err and by_name[c.name] then
      err = fault(c.name, "two clients have this name", "rename one of them", "name")
    end
    if err then return failure.within(err, "clients", i) end
    by_name[c.name], names[i] = c, c.name
  end
  for i, c in ipairs(given.clients) do
    local err = JOINING[c.provider] and strategy_fault(c, names)
    if err then return failure.within(err, "clients", i) end
  end
  for i, name in ipairs(names) do
    local err = circle_fault(by_name, name, {})
    if err then return failure.within(err, "clients", i) end
  end
  for _, field in ipairs { "primary", "cheap" } do
    local err = given[field] ~= nil and unknown(nil, "client", given[field], names, field)
    if err then return err end
  end
end

--- What is wrong with a registry.
---@param given table
---@return Failure?
function registry.fault(given)
  local err = fault_of(given)
  return err and failure.within(err, "client_registry")
end

---@param given table   a registry without fault
---@param name string
---@return table?   the client of that name
function registry.find(given, name)
  for _, c in ipairs(given.clients) do
    if c.name == name then return c end
  end
end

local function joined(c, members)
  local makers, providers = {}, {}
  for i, member in ipairs(members) do makers[i] = member.new end
  if c.provider == "round-robin" then
    return function() return round_robin.next(c.name, makers) end
  end
  return function()
    for i, make in ipairs(makers) do providers[i] = make() end
    return fallback.new(c.name, { unpack(providers) })
  end
end

--- Opens a client and those that it leads to.
---@param given table      a registry without fault
---@param c table          one of its clients
---@param env fun(name: string): string?
---@param options table
---@return table|nil opened   { name, new, leaves }; leaves: every ClientOf that may be asked
---@return Failure?
function registry.open(given, c, env, options)
  if not JOINING[c.provider] then
    local leaf, err = clients.open({ name = c.name, provider = c.provider, options = c.options,
      retry_policy = c.retry_policy, listed = true }, env, options)
    if not leaf then return nil, err end
    return { name = c.name, new = leaf.new, leaves = { leaf } }
  end
  local members, leaves = {}, {}
  for i, name in ipairs(c.options.strategy) do
    local member, err = registry.open(given, registry.find(given, name), env, options)
    if not member then return nil, err end
    members[i] = member
    for _, leaf in ipairs(member.leaves) do leaves[#leaves + 1] = leaf end
  end
  return { name = c.name, new = joined(c, members), leaves = leaves }
end

return registry
