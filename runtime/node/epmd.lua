--- epmd, the port mapper of a host: under which port is a node there? One question for each
--- connection; it answers and closes. ERL_EPMD_PORT moves it, as it does for Erlang itself.

local async = require "runtime.async"
local bytes = require "runtime.node.bytes"
local failure = require "runtime.failure"
local plain = require "runtime.plain"
local tcp = require "runtime.node.tcp"

local epmd = {}

local MOST_NAMES = 65536  -- bytes

local USUAL_PORT = 4369

local function given_port() return (os.getenv "ERL_EPMD_PORT" or ""):match "^%s*(.-)%s*$" end

local function epmd_port() return tonumber(given_port()) or USUAL_PORT end

-- Another port than the one that was meant might be somebody else's.
local function port_fault()
  local given = given_port()
  if given == "" or given:match "^%d+$" and #given <= 5 and epmd_port() >= 1 and epmd_port() <= 65535 then return end
  return failure.new("usage", "ERL_EPMD_PORT is no port: " .. plain.cut(given, 40),
    "set it to a number from 1 to 65535, or unset it", 2)
end

local PORT_HINT = "is the node running there? if it listens without epmd pass its port with --port, "
  .. "if epmd listens elsewhere set ERL_EPMD_PORT"

local function fault(host, err, started)
  local where = ("%s:%d"):format(host, epmd_port())
  if err == "ENOTFOUND" then
    return failure.new("connect", "host " .. host .. " not found",
      "check the part of the node name behind the @, or make the host known to this machine", 3)
  elseif err == "timeout" then
    local message = ("timeout after %d ms in epmd: no answer from %s"):format((async.now() - started) * 1000, where)
    return failure.new("epmd", message, "a firewall may drop the port; pass the node's own with --port", 3)
  elseif err == "ECONNREFUSED" then
    return failure.new("epmd", "no epmd on " .. where, PORT_HINT, 3)
  elseif err == "EOF" then
    return failure.new("epmd", "what listens on " .. where .. " closed without an answer", PORT_HINT, 3)
  end
  return failure.new("epmd", ("epmd on %s cannot be asked: %s"):format(where, err), PORT_HINT, 3)
end

local function ask(host, request, deadline, door)
  local socket, err
  if door then socket, err = door:connect(host, "epmd", deadline)
  else socket, err = tcp.connect(host, epmd_port(), deadline) end
  if not socket then return nil, err end
  socket:write(bytes.u16(#request) .. request)
  return socket
end

--- The nodes that it knows of: "name alice at port 35001\n" for each, behind four bytes with its own port.
---@param host string
---@param deadline number
---@param door? Door   behind which the host is
---@return string[]? names   sorted
---@return Failure? err
function epmd.names(host, deadline, door)
  local started, wrong = async.now(), not door and port_fault()
  if wrong then return nil, wrong end
  local socket, err = ask(host, "n", deadline, door)
  if not socket then return nil, fault(host, err, started) end
  local answer = socket:read_rest(MOST_NAMES, deadline)
  socket:close()
  local known = {}
  for name in (answer or ""):sub(5):gmatch "name (%S+) at port" do known[#known + 1] = name end
  table.sort(known)
  return known
end

local function unknown(host, name, deadline, door)
  local known = epmd.names(host, deadline, door) or {}
  local hint = #known == 0 and "epmd knows no node there: is it running, and with a name?"
    or "it knows " .. table.concat(known, ", ")
  return failure.new("epmd", ("no node named %s in epmd on %s:%d"):format(name, host, epmd_port()), hint, 3)
end

--- The port of a node.
---@param host string
---@param name string   the part before the @
---@param deadline number
---@param door? Door   behind which the host is
---@return integer|nil
---@return Failure? err
function epmd.port(host, name, deadline, door)
  local started, wrong = async.now(), not door and port_fault()
  if wrong then return nil, wrong end
  local socket, err = ask(host, "z" .. name, deadline, door)
  if not socket then return nil, fault(host, err, started) end
  local head, port
  head, err = socket:read(2, deadline)
  if head and head:byte(1) == 119 and head:byte(2) == 0 then port, err = socket:read(2, deadline) end
  socket:close()
  if port then return bytes.read_u16(port, 1) end
  if head and head:byte(1) ~= 119 then
    return nil, failure.new("epmd", ("what listens on %s:%d is no epmd"):format(host, epmd_port()), PORT_HINT, 3)
  end
  if head and head:byte(2) ~= 0 then return nil, unknown(host, name, deadline, door) end
  return nil, fault(host, err, started)
end

return epmd
