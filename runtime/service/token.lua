--- The token that lets somebody start a run: from a file that only its owner reads, compared in a
--- time that says nothing of it.

local crypto = require "host.crypto"
local failure = require "runtime.failure"
local private = require "runtime.private"

local token = {}

local SHORTEST = 16
local MAKE = "head -c 32 /dev/urandom | base64 > %s, then chmod 600 %s"

local function fail(path, message) return nil, failure.new("token", message, MAKE:format(path, path), 2) end

---@param path string
---@return { is: fun(header?: string): boolean }?   is: whether a header Authorization holds it
---@return Failure? err
function token.read(path)
  local text, err = private.read(path, "token")
  if text == nil then return nil, err end
  if not text then return fail(path, "there is no token file " .. path) end
  local secret = text:match "^%s*(.-)%s*$"
  if #secret < SHORTEST or secret:find "[^\33-\126]" then
    return fail(path, ("the token in %s must be one word of %d characters at least"):format(path, SHORTEST))
  end
  local digest = crypto.sha256(secret) -- of one length, whatever is sent
  return {
    is = function(header)
      local scheme, given = (header or ""):match "^(%a+) +(%S+)$"
      return scheme ~= nil and scheme:lower() == "bearer" and crypto.same(crypto.sha256(given), digest)
    end,
  }
end

return token
