--- Passwords and tokens that skills need at a host: `${NAME}` in what a skill sends stands for one, so that no skill
--- ever holds it. The config names it with the one host it may go to; it comes from the environment or from a file
--- that only its owner reads, and is hidden in whatever comes back.

local failure = require "runtime.failure"
local keys = require "runtime.llm.keys"

local reach_secrets = {}

local PLACE = "%${([%u_][%u%d_]*)}"

local function missing(name)
  return failure.new("config", ("the secret %s is not there"):format(name),
    ("set %s, or %s_FILE to a file of mode 0600 that holds it"):format(name, name), 2)
end

--- The text as it is sent.
---@param text string
---@param where string                  host:port
---@param names true|table<string, true>|nil   the secrets that may go there
---@param url? string                   where it goes by HTTP, which is not to be read on the way
---@return string?
---@return Failure? err
function reach_secrets.filled(text, where, names, url)
  local err
  local whole = text:gsub(PLACE, function(name)
    if err then return nil end
    if type(names) ~= "table" or not names[name] then
      err = select(2, failure.refused(("the secret %s may not be sent to %s"):format(name, where),
        ('if you want that, write hosts = { "%s %s" } in the config'):format(where, name)))
      return nil
    end
    local value
    value, err = keys.read(name, os.getenv)
    err = err or not value and missing(name) or nil
    return value
  end)
  if not err and url and whole ~= text then err = select(2, keys.address("the request", url, true)) end
  if err then return nil, err end
  return whole
end

--- Hides all of them.
---@param hosts table<string, true|table<string, true>>
---@param mask Privacy
function reach_secrets.conceal(hosts, mask)
  for _, names in pairs(hosts) do
    for name in pairs(type(names) == "table" and names or {}) do
      local value = keys.read(name, os.getenv)
      if value then mask:know(value) end
    end
  end
end

return reach_secrets
