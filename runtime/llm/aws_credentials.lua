--- Whose signature a request to AWS bears: the AWS_* variables, else a profile of ~/.aws/credentials, the
--- file that `aws configure` writes. What a machine gives its processes (roles, single sign-on) is not
--- asked for here; `aws configure export-credentials --format env` turns it into variables.

local failure = require "runtime.failure"
local private = require "runtime.private"
local secrets = require "runtime.secrets"

local aws_credentials = {}

---@class AwsCredentials
---@field key_id string
---@field secret string
---@field token? string
---@field from string

local NEXT = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or name a profile of ~/.aws/credentials"

local function refused(message, next_step) return nil, failure.new("provider", message, next_step, 2) end

local function value_of(env, name)
  local value = (env(name) or ""):match "^%s*(.-)%s*$"
  return value ~= "" and value or nil
end

-- The lines of one [section] of an ini file.
local function section(text, wanted)
  local fields, inside
  for line in text:gmatch "[^\r\n]+" do
    local name = line:match "^%s*%[%s*(.-)%s*%]"
    if name then
      inside = name == wanted
      if inside then fields = fields or {} end
    elseif inside and not line:find "^%s*[#;]" then
      local key, value = line:match "^%s*([%w_]+)%s*=%s*(.-)%s*$"
      if key then fields[key] = value end
    end
  end
  return fields
end

local function of_file(env, profile)
  local path = value_of(env, "AWS_SHARED_CREDENTIALS_FILE") or (value_of(env, "HOME") or "") .. "/.aws/credentials"
  local text, err = private.read(path, "provider")
  if err then return nil, err end
  if not text then return refused("there are no credentials for AWS", NEXT) end
  local fields = section(text, profile)
  if not fields then
    local shown = secrets.hide(profile, function() return "<key>" end)
    return refused(("%s has no profile %s"):format(path, shown), "check options.profile or AWS_PROFILE")
  end
  if not (fields.aws_access_key_id and fields.aws_secret_access_key) then
    return refused(("profile %s of %s has no key"):format(profile, path),
      "take what `aws configure export-credentials --format env` says into the environment")
  end
  return { key_id = fields.aws_access_key_id, secret = fields.aws_secret_access_key,
    token = fields.aws_session_token, from = path }
end

local function fits(credentials)
  for _, name in ipairs { "key_id", "secret", "token" } do
    if (credentials[name] or ""):find "[^\33-\126]" then
      return refused("the credentials for AWS hold a sign that none has", "copy them once more")
    end
  end
  return credentials
end

--- A profile that was named goes before the variables, as with AWS's own tools.
---@param env fun(name: string): string?
---@param profile? string
---@return AwsCredentials|nil
---@return Failure?
function aws_credentials.find(env, profile)
  local key_id, secret = value_of(env, "AWS_ACCESS_KEY_ID"), value_of(env, "AWS_SECRET_ACCESS_KEY")
  if key_id and secret and not profile then
    return fits { key_id = key_id, secret = secret, token = value_of(env, "AWS_SESSION_TOKEN"),
      from = "AWS_ACCESS_KEY_ID" }
  end
  local found, err = of_file(env, profile or "default")
  if not found then return nil, err end
  return fits(found)
end

return aws_credentials
