--- Where the service listens, as a person writes it: 127.0.0.1:9464, [::1]:9464, localhost:9464.

local failure = require "runtime.failure"

local address = {}

local NEXT = "give it as 127.0.0.1:9464"

local function fail(message) return nil, failure.new("listen", message, NEXT, 2) end

---@class ListenAddress
---@field host string       a number, not a name
---@field port integer
---@field loopback boolean  nobody but this machine gets there

local function is_loopback(host) return host == "::1" or host:match "^127%.%d+%.%d+%.%d+$" ~= nil end

local function is_number(host)
  local parts = { host:match "^(%d+)%.(%d+)%.(%d+)%.(%d+)$" }
  for _, part in ipairs(parts) do
    if tonumber(part) > 255 then return false end
  end
  return #parts == 4 or host:find(":", 1, true) ~= nil and host:match "^[%x:%.]+$" ~= nil
end

---@param text string
---@return ListenAddress?
---@return Failure? err
function address.read(text)
  local host, port = text:match "^%[([%x:%.]+)%]:(%d+)$"
  if not host then host, port = text:match "^([^:%[%]]+):(%d+)$" end
  if not host then return fail(("--listen %s is no address with a port"):format(text)) end
  if host == "localhost" then host = "127.0.0.1" end
  if not is_number(host) then return fail(("--listen wants the number of an address, and %s is none"):format(host)) end
  local n = tonumber(port)
  if n > 65535 then return fail(("there is no port %s"):format(port)) end
  return { host = host, port = n, loopback = is_loopback(host) }
end

--- What a client may call us by in the header Host, when nobody but this machine gets here. Any other
--- name is one that a web page has turned to this address.
---@param at ListenAddress   with the port that it got
---@return table<string, true>
function address.names(at)
  local names = {}
  for _, host in ipairs { "localhost", "127.0.0.1", "[::1]", at.host:find(":", 1, true) and "[" .. at.host .. "]"
    or at.host } do
    names[("%s:%d"):format(host, at.port)] = true
    if at.port == 80 then names[host] = true end
  end
  return names
end

return address
