--- Which key is a client's, and what a person does who has given it none.

local failure = require "runtime.failure"
local keys = require "runtime.llm.keys"

local client_keys = {}

-- The usual key of a provider goes to its makers; a client of a registry that is elsewhere names one of its own.
local function is_elsewhere(form, kind, o)
  if not (kind.makers and form.listed and o.base_url) then return false end
  local host = (o.base_url:match "^https://([^/?#]+)" or ""):gsub(":%d+$", ""):lower()
  return host ~= kind.makers and host:sub(-#kind.makers - 1) ~= "." .. kind.makers
end

---@class FoundKey
---@field key? string
---@field from? string                what a person looks at when it is refused
---@field next string                 what to do where there is none
---@field renewed? fun(): string?     as it is now, where it is in a file

local function of_file(form, path)
  local where = ("api_key_file of %s"):format(form.name)
  local key, err = keys.file(where, path)
  if err then return nil, err end
  return { key = key, from = path, next = "put it into " .. path,
    renewed = function() return (keys.file(where, path)) end }
end

local function of_variable(name, env)
  local key, err = keys.read(name, env)
  if not key then return nil, err end
  local in_file = (env(name) or "") == ""
  return { key = key, from = name, renewed = in_file and function() return (keys.read(name, env)) end or nil }
end

-- What stands in the place of a name may be the key.
local function of_none(name, given)
  if given and not name:find "^[%u_][%u%d_]*$" then
    return { from = "api_key_env", next = "set the variable that api_key_env names" }
  end
  return { from = name, next = ("set %s or %s_FILE"):format(name, name) }
end

---@param form ClientForm
---@param kind ProviderKind
---@param o table   its options
---@param env fun(name: string): string?
---@return FoundKey|nil
---@return Failure?
function client_keys.find(form, kind, o, env)
  if o.api_key_file then return of_file(form, o.api_key_file) end
  if not o.api_key_env and is_elsewhere(form, kind, o) then
    return { from = "api_key_env of " .. form.name,
      next = ('name its variable in the options, api_key_env = "NAME" (%s goes to %s alone)'):format(kind.keys[1],
        kind.makers) }
  end
  local names = o.api_key_env and { o.api_key_env } or kind.keys
  for _, name in ipairs(names) do
    local found, err = of_variable(name, env)
    if found or err then return found, err end
  end
  return of_none(names[1], o.api_key_env)
end

---@param address Address
---@return Failure?
function client_keys.missing(form, kind, found, address)
  if found.key or kind.keyless == "always" or kind.keyless == "loopback" and address.loopback then return nil end
  return failure.new("provider", "there is no key for " .. form.name, found.next .. ", or use --provider analyst", 2)
end

return client_keys
