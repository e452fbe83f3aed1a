--- From what a config or a command line says of a client to the client: its key, its address, its
--- model, and the wire it is asked by. Nothing is sent yet.

local address_parts = require "runtime.llm.address_parts"
local client = require "runtime.llm.client"
local client_keys = require "runtime.llm.client_keys"
local failure = require "runtime.failure"
local keys = require "runtime.llm.keys"
local kinds = require "runtime.llm.kinds"
local own_secrets = require "runtime.llm.own_secrets"
local retry = require "runtime.llm.retry"
local secrets = require "runtime.secrets"

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

local function lacks(form, kind, o)
  for _, name in ipairs(kind.needs or {}) do
    if not o[name] then
      return failure.new("provider", ("%s needs %s"):format(form.name, name),
        ("give it in its options, or set %s"):format(kind.env[name][1]), 2)
    end
  end
end

-- What would go into its address and may not.
local function stray_part(form, kind, o)
  for _, name in ipairs(kind.options or {}) do
    local why = o[name] and address_parts.fault(name, o[name])
    if why then
      local variables = kind.env and kind.env[name] or {}
      return failure.new("provider", ("%s of %s %s"):format(name, form.name, why),
        variables[1] and ("check it in its options, or " .. table.concat(variables, ", "))
          or "check it in its options", 2)
    end
  end
end

-- A key that was pasted where the model belongs would be shown, and sent.
local function model_fault(form, model, key)
  local is_one = secrets.hide(model, function() return "<key>" end) == "<key>"
  if not (is_one or key and #key >= 12 and model:find(key, 1, true)) then return nil end
  return failure.new("provider", ("the model of %s looks like a key, and is neither shown nor sent"):format(form.name),
    "name a model there; the key belongs into its variable, or a file of mode 0600", 2)
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
  local others, err = wire.open(fields)
  if others then fields.who.env = others.from or fields.who.env end
  return others, err
end

local function leaf_of(form, kind, o, found, others, own, make)
  local masks = {}
  local conceal = conceals(found, masks)
  local leaf = {
    name = form.name, provider = form.provider, model = o.model,
    key = found.key and "there is a key" or others.words or "no key", own = own,
    priced = kind.priced, retry_policy = policy_of(form.retry_policy), renewed = renewing(found, masks), make = make,
    conceal = function(mask)
      conceal(mask)
      if others.conceal then others.conceal(mask) end
    end,
  }
  leaf.conceal(own)
  function leaf.new() return client.new(leaf) end
  return leaf
end

-- Where it is, what it is, and who may ask it: all that has to be known before anybody is asked.
local function looked_up(form, kind, env)
  local o = settled(form, kind, env)
  local found, err = client_keys.find(form, kind, o, env)
  if not found then return nil, err end
  err = lacks(form, kind, o) or stray_part(form, kind, o)
  if err then return nil, err end
  local base, where = address_of(form, kind, o, env)
  if not base then return nil, where end
  local address
  address, err = keys.address(where, base, found.key ~= nil or kind.signed == true)
  if not address then return nil, err end
  err = client_keys.missing(form, kind, found, address)
  if err then return nil, err end
  o.model = o.model or kind.model
  err = o.model and model_fault(form, o.model, found.key)
  if err then return nil, err end
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
  local own = own_secrets.new(form.name)
  fields.who.own = own
  local others
  others, err = opened(wire, fields)
  if not others then return nil, err end
  local leaf = leaf_of(form, kind, o, found, others, own, function() return wire.new(fields) end)
  leaf.destination, leaf.prices = address.host, options.prices
  leaf.free = kind.free_at_home and address.loopback or nil
  return leaf
end

return clients
