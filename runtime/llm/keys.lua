--- Where keys come from and where they may go. They live in the environment or in a file that
--- only its owner reads, and go to the address of their provider: never to argv, a log or an error.

local failure = require "runtime.failure"
local is_loopback = require "runtime.loopback"
local private = require "runtime.private"
local secrets = require "runtime.secrets"

local keys = {}

local function config_fault(message, next_step) return nil, failure.new("provider", message, next_step, 2) end

-- The key itself is easily put where the name of its file belongs.
local function no_file(variable, path)
  if not path:find "^[/.~]" then
    return config_fault(variable .. " names no file, and is not shown, for it may be the key",
      "put the key into a file of mode 0600 and give the path of that")
  end
  return config_fault(("%s names no file: %s"):format(variable, secrets.hide(path, function() return "<key>" end)),
    "put the key into it, with mode 0600")
end

-- What is wrong with a file that was opened.
local function file_fault(variable, path, stat)
  if stat.type ~= "file" then return select(2, no_file(variable, path)) end
  local credential = private.is_credential(path)
  if not credential and private.strange(stat) then
    return select(2, config_fault(("the key in %s belongs to another user"):format(path), "copy it to a file of yours"))
  end
  if stat.mode % (credential and 8 or 64) ~= 0 then  -- bits of group and others
    return select(2, config_fault(("others may read the key in %s"):format(path), "chmod 600 " .. path))
  end
end

local function from_file(variable, path)
  local text, why = private.text(path, function(stat) return file_fault(variable, path, stat) end)
  if text then return text end
  if failure.is(why) then return nil, why end
  local word = why:match "^%w+"
  if word ~= "EACCES" and word ~= "EIO" then return no_file(variable, path) end
  return config_fault(("the file that %s names cannot be read (%s)"):format(variable, word), "ask its owner")
end

local function trimmed(key, name)
  key = key:match "^%s*(.-)%s*$"
  if key == "" then return nil end
  if key:find "[^\33-\126]" then
    return config_fault(("the key in %s holds a space or a sign that no key has"):format(name), "copy it once more")
  end
  return key
end

--- A key that lies in a file.
---@param where string   what names the file, for the error
---@param path string
---@return string|nil key
---@return Failure?
function keys.file(where, path)
  local text, why = from_file(where, path)
  if not text then return nil, why end
  return trimmed(text, path)
end

--- The key of a provider, nil if there is none.
---@param name string    ANTHROPIC_API_KEY; ANTHROPIC_API_KEY_FILE is looked at too
---@param env fun(name: string): string?
---@return string|nil key
---@return Failure?
function keys.read(name, env)
  local key = env(name) or ""
  if key == "" then
    local variable = name .. "_FILE"
    local path = env(variable) or ""
    if path == "" then return nil end
    local read, why = from_file(variable, path)
    if not read then return nil, why end
    key = read
  end
  return trimmed(key, name)
end

---@class Address
---@field host string       as shown: with its port, if it names one
---@field loopback boolean

--- Looks at a base URL before a key goes there.
---@param variable string   where it comes from, for the error
---@param url string
---@param has_key boolean
---@return Address|nil
---@return Failure?
function keys.address(variable, url, has_key)
  local scheme, authority = url:match "^(https?)://([^/?#%s]+)[^%s]*$"
  if not scheme then
    return config_fault(("%s is no http:// or https:// address"):format(variable), "give it as https://host/path")
  end
  if authority:find "@" then
    return config_fault(("%s holds a user name or password"):format(variable), "put the key into its own variable")
  end
  local host = authority:match "^(%[[%x:]+%])" or authority:match "^[^:]+" or ""
  local loopback = is_loopback(host:lower())
  if scheme == "http" and has_key and not loopback then
    return config_fault(("%s would send the key unencrypted to %s"):format(variable, host), "use https://")
  end
  return { host = authority, loopback = loopback }
end

return keys
