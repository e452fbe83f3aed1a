--- From what a config or a command line says of a client to the client: its key, its address, its
--- model, and the wire it is asked by. Nothing is sent yet.

local client = require "runtime.llm.client"
local failure = require "runtime.failure"
local keys = require "runtime.llm.keys"
local kinds = require "runtime.llm.kinds"
local retry = require "runtime.llm.retry"

local clients = {}

---@class ClientForm
---@field name string
---@field provider string
---@field options table            model, base_url, api_key_env, api_key_file, …
---@field retry_policy? table
---@field listed? boolean          it stands in a registry

local function refused(message, next_step) return nil, failure.new("provider", message, next_step, 2) end

-- The options with what the environment and the provider itself say where they are silent.
local function settled(form, kind, env)
  local o = {}
  for name, value in pairs(form.options or {}) do o[name] = value end
  for name, variables in pairs(kind.env or {}) do
    for _, variable in ipairs(variables) do
      local value = env(variable) or ""
      if o[name] == nil and value ~= "" then o[name] = value end
    end
  end
  for name, value in pairs(kind.usual or {}) do
    if o[name] == nil then o[name] = value end
  end
  return o
end

---@return table|nil found   { key?, from?, renewed? }; from: what a person looks at when it is refused
---@return Failure?
local function key_of(form, kind, o, env)
  if o.api_key_file then
    local where = ("api_key_file of %s"):format(form.name)
    local key, err = keys.file(where, o.api_key_file)
    if err then return nil, err end
    return { key = key, from = o.api_key_file, renewed = function() return (keys.file(where, o.api_key_file)) end }
  end
  local names = o.api_key_env and { o.api_key_env } or kind.keys or {}
  for _, name in ipairs(names) do
    local key, err = keys.read(name, env)
    if err then return nil, err end
    if key then
      local in_file = (env(name) or "") == ""
      return { key = key, from = name, renewed = in_file and function() return (keys.read(name, env)) end or nil }
    end
  end
  return { from = names[1] }
end

local function address_of(form, kind, o, env)
  local given = kind.base_env and env(kind.base_env) or ""
  local base, where = o.base_url, ("base_url of %s"):format(form.name)
  if not base and given ~= "" then
    base, where = kind.address and kind.address(given) or given, kind.base_env
  end
  if not base then base = type(kind.base) == "function" and kind.base(o) or kind.base end
  if type(base) == "string" then return base, where end
  local variable = kind.env and kind.env[kind.base_of] and kind.env[kind.base_of][1] or kind.base_env
  return refused(("where is %s? it has no %s"):format(form.name, kind.base_of),
    ("give %s in its options, or set %s"):format(kind.base_of, variable))
end

local function missing_key(form, kind, found, address)
  if found.key or kind.keyless == "always" or kind.keyless == "loopback" and address.loopback then return nil end
  local name = found.from
  return failure.new("provider", "there is no key for " .. form.name,
    ("set %s or %s_FILE, or use --provider analyst"):format(name, name), 2)
end

local function lacks(form, kind, o)
  for _, name in ipairs(kind.needs or {}) do
    if not o[name] then
      return failure.new("provider", ("%s needs %s"):format(form.name, name),
        ("give it in its options, or set %s"):format(kind.env[name][1]), 2)
    end
  end
end

local function policy_of(given)
  if not given then return nil end
  local policy = {}
  for name, usual in pairs(retry.policy) do policy[name] = given[name] or usual end
  return policy
end

local function conceals(found, masks)
  return function(mask)
    masks[#masks + 1] = mask
    if found.key then mask:know(found.key) end
  end
end

-- A key that was renewed is as secret as the first.
local function renewing(found, masks)
  if not found.renewed then return nil end
  local known = found.key
  return function()
    local key = found.renewed()
    if key and key ~= known then
      known = key
      for _, mask in ipairs(masks) do mask:know(key) end
    end
    return key
  end
end

-- What the wire is made with.
local function fields_of(form, kind, o, found, base, env, options)
  local fields = kind.more and kind.more(o, base) or {}
  fields.key, fields.model, fields.base_url, fields.strict = found.key, o.model, base, o.strict
  fields.show, fields.env = options.show_outgoing, env
  fields.who = { name = form.name, env = found.from or "the key", base = kind.base_env }
  return fields
end

-- What a wire of AWS finds by itself, for it signs with more than a key.
local function opened(wire, fields)
  if not wire.open then return {} end
  local secrets, err = wire.open(fields)
  if secrets then fields.who.env = secrets.from or fields.who.env end
  return secrets, err
end

local function leaf_of(form, kind, o, found, secrets, make)
  local masks = {}
  local conceal = conceals(found, masks)
  local leaf = {
    name = form.name, provider = form.provider, model = o.model,
    key = found.key and "there is a key" or secrets.words or "no key",
    priced = kind.priced, retry_policy = policy_of(form.retry_policy), renewed = renewing(found, masks), make = make,
    conceal = function(mask)
      conceal(mask)
      if secrets.conceal then secrets.conceal(mask) end
    end,
  }
  function leaf.new() return client.new(leaf) end
  return leaf
end

-- Where it is, what it is, and who may ask it: all that has to be known before anybody is asked.
local function looked_up(form, kind, env)
  local o = settled(form, kind, env)
  local found, err = key_of(form, kind, o, env)
  if not found then return nil, err end
  err = lacks(form, kind, o)
  if err then return nil, err end
  local base, where = address_of(form, kind, o, env)
  if not base then return nil, where end
  local address
  address, err = keys.address(where, base, found.key ~= nil or kind.signed == true)
  if not address then return nil, err end
  err = missing_key(form, kind, found, address)
  if err then return nil, err end
  o.model = o.model or kind.model
  if o.model then return o, nil, found, base, address end
  -- Which models a server has, only its owner knows.
  return refused(("there is no default model at %s"):format(address.host),
    form.listed and ("give options.model of %s"):format(form.name) or "name the model: --model NAME")
end

--- A client as it was asked for.
---@param form ClientForm
---@param env fun(name: string): string?
---@param options { show_outgoing?: boolean, prices?: table }
---@return table|nil leaf    a ClientOf, with `conceal` and `new`
---@return Failure?
function clients.open(form, env, options)
  local kind = kinds[form.provider]
  local o, err, found, base, address = looked_up(form, kind, env)
  if not o then return nil, err end
  local wire = require("runtime.llm." .. kind.wire)
  local fields = fields_of(form, kind, o, found, base, env, options)
  local secrets
  secrets, err = opened(wire, fields)
  if not secrets then return nil, err end
  local leaf = leaf_of(form, kind, o, found, secrets, function() return wire.new(fields) end)
  leaf.destination, leaf.prices = address.host, options.prices
  leaf.free = kind.free_at_home and address.loopback or nil
  return leaf
end

return clients
