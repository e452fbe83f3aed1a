--- The hosts of the config that skills may reach: each is one host with one port, no pattern and no range; behind it
--- may stand the names of secrets that skills may send there.

local failure = require "runtime.failure"

local reach_hosts = {}

-- A host as it stands in a URL: a name, an address, or one of IPv6 in brackets.
local HOST = { "^[%w%.%-_]+$", "^%[[%x:%.]+%]$" }

--- Whether it is a host as it may stand before a port.
---@param host string
---@return boolean
function reach_hosts.is_host(host)
  for _, form in ipairs(HOST) do if host:match(form) then return true end end
  return false
end

--- The host, in small letters, and the port of "host:port".
---@param text string
---@return string?
---@return integer? port
function reach_hosts.split(text)
  local host, port = text:match "^(.+):(%d+)$"
  port = tonumber(port)
  if host and reach_hosts.is_host(host) and port >= 1 and port <= 65535 then return host:lower(), port end
end

--- What the config lists: "127.0.0.1:6379 REDIS_PASSWORD" -> { ["127.0.0.1:6379"] = { REDIS_PASSWORD = true } }.
---@param list? string[]
---@return table<string, true|table<string, true>>?
---@return Failure? err
function reach_hosts.read(list)
  local set = {}
  for at, text in ipairs(list or {}) do
    local words = {}
    for word in text:gmatch "%S+" do words[#words + 1] = word end
    local host, port = reach_hosts.split(words[1] or "")
    if not host then
      return nil, failure.in_config({ "hosts", at }, ("hosts: %s is no host with its port"):format(words[1] or ""),
        'write it like "127.0.0.1:6379" or "api.example.org:443"')
    end
    local names
    for i = 2, #words do
      if not words[i]:match "^[%u_][%u%d_]*$" then
        -- It may be the secret itself, so it is not shown.
        return nil, failure.in_config({ "hosts", at },
          ("hosts: behind %s stands no name of a secret"):format(words[1]),
          'write it like "127.0.0.1:6379 REDIS_PASSWORD", and never the secret itself')
      end
      names = names or {}
      names[words[i]] = true
    end
    set[("%s:%d"):format(host, port)] = names or true
  end
  return set
end

return reach_hosts
