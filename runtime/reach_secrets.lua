--- Passwords and tokens that skills need at a host. A skill that asks for one by its name gets a mark that stands for
--- it in what it sends, so that no skill ever holds it. A mark is good for one run of one function, which nobody but
--- the skill's own text is part of: what a model hands over as an argument cannot hold one. The config names the secret
--- with the one host it may go to; it comes from the environment or from a file that only its owner reads, and is
--- hidden in whatever comes back.

local crypto = require "host.crypto"
local failure = require "runtime.failure"
local keys = require "runtime.llm.keys"

local reach_secrets = {}

local SHORTEST = 8 -- a shorter one would be found in half of all words

---@alias Pieces string|(string|{ secret: string })[]   what is sent: a text, or its pieces with the names between them

---@class Marks
---@field of fun(name: string): string        the mark of a secret
---@field pieces fun(text: string): Pieces
---@field stands_in fun(text: string): boolean

--- The marks of one run of a function.
---@return Marks
function reach_secrets.marks()
  local sum, names = crypto.hex(crypto.random(16)), {}
  local marks = {}
  function marks.of(name)
    names[name] = true
    return ("<<%s %s>>"):format(name, sum)
  end
  function marks.stands_in(text) return text:find(sum, 1, true) ~= nil end
  function marks.pieces(text)
    if not marks.stands_in(text) then return text end
    local pieces, done = {}, 1
    for first, name, last in text:gmatch("()<<([%u_][%u%d_]*) " .. sum .. ">>()") do
      if names[name] then
        pieces[#pieces + 1] = text:sub(done, first - 1)
        pieces[#pieces + 1] = { secret = name }
        done = last
      end
    end
    pieces[#pieces + 1] = text:sub(done)
    return pieces
  end
  return marks
end

local function missing(name)
  return failure.new("config", ("the secret %s is not there"):format(name),
    ("set %s, or %s_FILE to a file of mode 0600 that holds it"):format(name, name), 2)
end

local function value_of(name)
  local value, err = keys.read(name, os.getenv)
  if not value or #value >= SHORTEST then return value, err end
  return nil, failure.new("config", ("the secret %s has less than %d signs, so nothing could hide it in an answer")
    :format(name, SHORTEST), "choose a longer one", 2)
end

local function each(hosts, fn)
  for _, names in pairs(hosts) do
    for name in pairs(type(names) == "table" and names or {}) do fn(name) end
  end
end

--- What is wrong with those that are there.
---@param hosts table<string, true|table<string, true>>
---@return Failure?
function reach_secrets.fault(hosts)
  local fault
  each(hosts, function(name)
    local _, err = value_of(name)
    fault = fault or err
  end)
  return fault
end

-- Where it would be read on the way. By TCP nothing is encrypted here.
local function unencrypted(name, where, url)
  if url then return select(2, keys.address("the request", url, true)) end
  if keys.address(where, "http://" .. where, false).loopback then return nil end
  return select(2, failure.refused(("the secret %s would go unencrypted to %s"):format(name, where),
    "lead a tunnel there (ssh -L, stunnel) and name its end on 127.0.0.1"))
end

local function secret(name, where, names, url)
  if type(names) ~= "table" or not names[name] then
    return failure.refused(("the secret %s may not be sent to %s"):format(name, where),
      ('if you want that, write hosts = { "%s %s" } in the config'):format(where, name))
  end
  local err = unencrypted(name, where, url)
  if err then return nil, err end
  local value
  value, err = value_of(name)
  return value, err or not value and missing(name) or nil
end

---@class ReachSecrets   those of one node's hosts, and all that hide them
---@field private hosts table<string, true|table<string, true>>
---@field private known table<string, true>
---@field private masks table<Privacy, true>
local Secrets = {}
Secrets.__index = Secrets

---@param hosts table<string, true|table<string, true>>   from reach.hosts
---@return ReachSecrets
function reach_secrets.new(hosts)
  return setmetatable({ hosts = hosts, known = {}, masks = setmetatable({}, { __mode = "k" }) }, Secrets)
end

-- One may have been renewed, or named by an edit of the config, since the masks were told.
local function know(self, value)
  if self.known[value] then return end
  self.known[value] = true
  for mask in pairs(self.masks) do mask:know(value) end
end

--- The text as it is sent.
---@param pieces Pieces
---@param where string    host:port
---@param url? string     where it goes by HTTP
---@return string?
---@return Failure? err
function Secrets:filled(pieces, where, url)
  if type(pieces) ~= "table" then return pieces end
  local whole = {}
  for i, piece in ipairs(pieces) do
    whole[i] = piece
    if type(piece) == "table" then
      local value, err = secret(piece.secret, where, self.hosts[where], url)
      if not value then return nil, err end
      know(self, value)
      whole[i] = value
    end
  end
  return table.concat(whole)
end

--- Hides all of them, those that are read later, too.
---@param mask Privacy
function Secrets:conceal(mask)
  each(self.hosts, function(name)
    local value = value_of(name)
    if value then know(self, value) end
  end)
  if self.masks[mask] then return end
  self.masks[mask] = true
  for value in pairs(self.known) do mask:know(value) end
end

return reach_secrets
