--- Events to syslog: { type = "syslog", address = "udp://127.0.0.1:514", events = { "node.*" } }; tcp:// and
--- /dev/log too. Over the network as RFC 5424 has it (RFC 6587 with counted octets over TCP); on this
--- machine in the older form that glibc writes, for journald reads no other.

local uv = require "luv"
local async = require "runtime.async"
local datagram = require "host.datagram"
local json = require "runtime.json"
local plain = require "runtime.plain"
local tcp = require "runtime.node.tcp"
local utf8 = require "runtime.utf8"

local syslog = {
  fields = { address = "text" }, needs = { "address" },
  events = { "coordinator.insight_produced", "operator.notification_sent", "anomaly.escalation",
    "node.down", "node.up", "run.stop", "action.*" },
}

local DAEMON = 3
local SEVERITIES = { critical = 2, warning = 4, info = 6 }
local WORSE = { ["node.down"] = 4, ["anomaly.escalation"] = 4, ["sink.failed"] = 3 }
local LARGEST = 2048 -- bytes that every receiver takes, says RFC 5424
local CONNECT_S = 5

local Syslog = {}
Syslog.__index = Syslog

local function severity_of(item)
  local m = item.metadata
  if m.verdict then return m.verdict == "sick" and 4 or 6 end
  return SEVERITIES[m.severity] or WORSE[item.event] or 6
end

local SAID = { "summary", "observation", "reason", "message", "verdict", "state" }

-- What a person reads: the words of the event, then whatever else it tells.
local function words_of(item)
  for _, name in ipairs(SAID) do
    local text = item.metadata[name]
    if type(text) == "string" and text ~= "" then return plain.text(text) end
  end
  return json.encode(item.metadata)
end

-- A value of structured data.
local function value(text) return (plain.cut(tostring(text), 200):gsub('[\\"%]]', "\\%0")) end

local function data_of(item)
  local parts = {}
  for _, name in ipairs { "node", "operator", "severity", "trace_id", "id" } do
    local text = item.metadata[name]
    if type(text) == "string" then parts[#parts + 1] = ('%s="%s"'):format(name, value(text)) end
  end
  return #parts == 0 and "-" or ("[beamlens@32473 %s]"):format(table.concat(parts, " "))
end

local function name_of_host() return (uv.os_gethostname():gsub("[^\33-\126]", "")):sub(1, 255) end

local function modern(item)
  return ("<%d>1 %s %s beamlens-run %d %s %s \239\187\191%s"):format(DAEMON * 8 + severity_of(item), item.at,
    name_of_host(), uv.os_getpid(), item.event:sub(1, 32), data_of(item), words_of(item))
end

local function local_form(item)
  return ("<%d>%s beamlens-run[%d]: %s %s%s"):format(DAEMON * 8 + severity_of(item), os.date "%b %e %H:%M:%S",
    uv.os_getpid(), item.event, item.metadata.node and value(item.metadata.node) .. ": " or "", words_of(item))
end

local function cut(text) return utf8.cut(text, LARGEST) end

local ways = {}

function ways.udp(self)
  local socket = uv.new_udp()
  return { close = function() socket:close() end, send = function(item)
    local err, why = async.await(function(resume)
      local request, refused = socket:send(cut(modern(item)), self.host, self.port, function(failed)
        resume(failed or false)
      end)
      if not request then resume(refused) end
    end, async.now() + CONNECT_S)
    return err == false and true or nil, err or why
  end }
end

function ways.tcp(self)
  local socket
  local way = { close = function() if socket then socket:close() end end }
  function way.send(item)
    if not socket or socket.failed or socket.handle:is_closing() then
      local why
      way.close()
      socket, why = tcp.connect(self.host, self.port, async.now() + CONNECT_S)
      if not socket then return nil, ("%s:%d cannot be reached (%s)"):format(self.host, self.port, why) end
      socket:ignore() -- a server of syslog says nothing, and one of something else must not fill our memory
    end
    local text = cut(modern(item))
    local err, why = async.await(function(resume)
      socket.handle:write(("%d %s"):format(#text, text), function(failed) resume(failed or false) end)
    end, async.now() + CONNECT_S)
    if err == false then return true end
    socket:close()
    return nil, err or why
  end
  return way
end

-- Nobody waits here: the kernel takes it at once or says that it cannot.
function ways.unix(self)
  local socket
  local way = {}
  function way.close()
    if socket then socket:close() end
    socket = nil
  end
  function way.send(item)
    if not socket then
      local fd, why = datagram.connect(self.path)
      if not fd then return nil, why end
      socket = uv.new_udp()
      socket:open(fd)
    end
    local sent, why = socket:try_send(cut(local_form(item)), nil, nil)
    if sent then return true end
    way.close() -- journald was started anew: the next one finds it
    return nil, why
  end
  return way
end

---@param settings { address: string }
---@return table? sink
---@return any err
function syslog.open(settings)
  local address = settings.address
  local kind, host, port = address:match "^(%l+)://%[?([^%]/]-)%]?:(%d+)$"
  local self = setmetatable({ host = host, port = tonumber(port) }, Syslog)
  if address:sub(1, 1) == "/" then
    kind, self.path = "unix", address
  elseif kind ~= "udp" and kind ~= "tcp" or self.port < 1 or self.port > 65535 then
    return nil, "address must be udp://127.0.0.1:514, tcp://host:port or a path like /dev/log"
  elseif kind == "udp" and not host:match "^[%d.]+$" and not host:find(":", 1, true) then
    return nil, "over udp the address wants a number, not a name"
  end
  self.way = ways[kind](self)
  return self
end

function Syslog:send(item) return self.way.send(item) end
function Syslog:close() self.way.close() end

return syslog
