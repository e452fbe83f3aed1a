--- A provider as one client of it: it says who answered and what that cost, gives a conversation
--- the form this client may see, and reads a key file again, for tokens in files are renewed.

local prices = require "runtime.llm.prices"
local retold = require "runtime.llm.retold"
local retry = require "runtime.llm.retry"

local client = {}

---@class ClientOf
---@field name string
---@field provider string            the kind of it: "anthropic"
---@field model string
---@field destination string         the host, as shown
---@field free? boolean              nobody asks money for it
---@field priced? boolean            our list has its models
---@field make fun(): table          a new provider of the wire
---@field own OwnSecrets             what its server is told and no sentence says
---@field renewed? fun(): string?    the key as it is now, where it is in a file
---@field retry_policy? RetryPolicy

local Client = {}
Client.__index = Client

local function request_for(self, request)
  local own = {}
  for key, value in pairs(request) do own[key] = value end
  own.messages = retold.messages(request.messages, self.name)
  return own
end

---@param request table
---@return table|nil reply
---@return ProviderFault? err
function Client:ask(request)
  local key = self.of.renewed and self.of.renewed()
  if key then self.wire.key = key end
  local reply, err = self.inner:ask(request_for(self, request))
  if not reply then return nil, err end
  reply.provider, reply.model = self.name, self.model
  reply.raw = retold.marked(reply.raw, self.name)
  reply.usage.cost_usd = reply.usage.cost_usd or prices.of_client(self.of, reply.usage)
  return reply
end

-- Whatever the wire says went wrong: nobody hears of it with a key in it.
local function discreet(wire, own)
  local provider = { name = wire.name, model = wire.model }
  function provider.ask(_, request)
    local reply, err = wire:ask(request)
    if reply then return reply end
    err.message = own:hide(err.message)
    return nil, err
  end
  return provider
end

--- A provider for one agent.
---@param of ClientOf
---@return table provider
function client.new(of)
  local wire = of.make()
  return setmetatable({ of = of, name = of.name, model = of.model, wire = wire,
    inner = retry.new(discreet(wire, of.own), nil, of.retry_policy) }, Client)
end

return client
