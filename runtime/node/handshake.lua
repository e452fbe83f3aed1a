--- The handshake that makes us a hidden node: who are you, do we share the cookie. About four
--- packets with two bytes of length each. We let the peer name us (NAME_ME): it takes the names
--- from a stock of its own, so attaching again and again adds no atom there.

local async = require "runtime.async"
local bytes = require "runtime.node.bytes"
local crypto = require "host.crypto"
local failure = require "runtime.failure"

local handshake = {}

-- What we can do. Left out on purpose: PUBLISHED (we are hidden), FRAGMENTS and
-- DIST_HDR_ATOM_CACHE (every message is one frame of plain terms), SEND_SENDER and ALIAS.
local FLAGS = {
  EXTENDED_REFERENCES = 0x4,
  DIST_MONITOR = 0x8,
  FUN_TAGS = 0x10,
  DIST_MONITOR_NAME = 0x20,  -- without it no exit of a monitored process is ever announced
  NEW_FUN_TAGS = 0x80,
  EXTENDED_PIDS_PORTS = 0x100,
  EXPORT_PTR_TAG = 0x200,
  BIT_BINARIES = 0x400,
  NEW_FLOATS = 0x800,
  UNICODE_IO = 0x1000,
  SMALL_ATOM_TAGS = 0x4000,
  UTF8_ATOMS = 0x10000,
  MAP_TAG = 0x20000,
  BIG_CREATION = 0x40000,
  EXIT_PAYLOAD = 0x400000,
  HANDSHAKE_23 = 0x1000000,
  UNLINK_ID = 0x2000000,
  MANDATORY_25_DIGEST = 0x4000000,
}
local HIGH_FLAGS = { SPAWN = 0x1, NAME_ME = 0x2, V4_NC = 0x4 }

local function sum(flags)
  local total = 0
  for _, flag in pairs(flags) do total = total + flag end
  return total
end

local OUR_FLAGS = bytes.u32(sum(HIGH_FLAGS)) .. bytes.u32(sum(FLAGS))

-- The peer puts its own word before the @ of this.
local OUR_HOST = "localhost"

local LONGEST_PACKET = 4096
local LONGEST_NAME = 255 -- as an atom
local TLS_ALERT = "\21\3"

---@class Session
---@field name string       what the peer called us
---@field creation integer  ours
---@field peer_creation integer  of the node: another one after it was restarted
---@field spawn boolean     it can start processes for us

local function send(socket, packet) socket:write(bytes.u16(#packet) .. packet) end

local function receive(socket, deadline)
  local length, err = socket:read(2, deadline)
  if not length then return nil, err end
  if length == TLS_ALERT then return nil, "tls" end
  local size = bytes.read_u16(length, 1)
  if size == 0 or size > LONGEST_PACKET then return nil, "garbage" end
  return socket:read(size, deadline)
end

-- Where the cookie lies behind a door it stays there, and its digests are made there.
local function digest(cookie, challenge, at)
  local text = ("%.0f"):format(challenge)
  if cookie then return crypto.md5(cookie .. text) end
  return at.door:digest(text, at.deadline)
end

local function fail(message, next_step) return nil, failure.new("handshake", message, next_step, 3) end

-- What went wrong before the peer said anything that only a node would say.
local function not_a_node(err, at, started)
  if err == "timeout" then
    return fail(("timeout after %d ms in handshake: %s took the connection and says nothing"):format(
      (async.now() - started) * 1000, at.where), "is that the node's port? or the node may hang")
  elseif err == "garbage" then
    return fail("what listens on " .. at.where .. " does not speak the protocol of Erlang nodes",
      "check the name and --port")
  elseif err == "tls" then
    return fail(at.node .. " takes TLS connections only (-proto_dist inet_tls)",
      "TLS distribution is not supported; attach to a node without it")
  elseif err == "EOF" or err == "ECONNRESET" then
    return fail(at.where .. " closed the connection after our name",
      "the node may be older than OTP 23, which is too old, or shutting down")
  end
  return fail(("the handshake with %s was broken off: %s"):format(at.where, err), "try again")
end

local STATUS = {
  nok = "the node is busy with another connection of our name; try again",
  alive = "the node holds an older connection of our name; try again",
  not_allowed = "the node lets in only nodes of its list; see net_kernel:allow/1 there",
}

local function read_status(socket, at, started)
  local packet, err = receive(socket, at.deadline)
  if not packet then return not_a_node(err, at, started) end
  if packet:sub(1, 1) ~= "s" then return not_a_node("garbage", at, started) end
  local status = packet:sub(2)
  if status:sub(1, 6) == "named:" and #status >= 12 then
    local size = bytes.read_u16(status, 7)
    local name = status:sub(9, 8 + size)
    if size > LONGEST_NAME or not name:find "^[%w_.-]+@[%w_.-]+$" or #status < 12 + size then
      return not_a_node("garbage", at, started)
    end
    return name, bytes.read_u32(status, 9 + size)
  end
  if status == "ok" or status == "ok_simultaneous" then
    return fail("peer too old: " .. at.node .. " does not name those who ask for a name", "OTP 23 or newer is needed")
  end
  return fail(at.node .. " refused us: " .. status:gsub("[^%w_:]", "?"), STATUS[status] or "see the log of the node")
end

-- Erlang tells names apart to the letter; the usual slip is a host with dots for a node without.
local function why_other_name(name, wanted)
  local long = name:find("@.*%.") ~= nil
  if long == (wanted:find("@.*%.") ~= nil) then return "that is another node, or this one by another name" end
  return "it runs with " .. (long and "-name" or "-sname")
end

local function read_challenge(socket, at, started)
  local packet, err = receive(socket, at.deadline)
  if not packet then return not_a_node(err, at, started) end
  if packet:sub(1, 1) == "n" then
    return fail("peer too old: " .. at.node .. " speaks the handshake from before OTP 23",
      "OTP 23 or newer is needed")
  end
  if packet:sub(1, 1) ~= "N" or #packet < 19 then return not_a_node("garbage", at, started) end
  local name = packet:sub(20, 19 + bytes.read_u16(packet, 18))
  if name ~= at.node then
    return fail(("peer calls itself %s, not %s: %s"):format(name, at.node, why_other_name(name, at.node)),
      "pass --node " .. name)
  end
  return {
    high_flags = bytes.read_u32(packet, 2),
    challenge = bytes.read_u32(packet, 10),
    creation = bytes.read_u32(packet, 14),
  }
end

local function prove(socket, at, cookie, challenge)
  local ours = bytes.read_u32(crypto.random(4), 1)
  local proof, unproven = digest(cookie, challenge, at)
  if not proof then return nil, unproven end
  local expected
  expected, unproven = digest(cookie, ours, at)
  if not expected then return nil, unproven end
  send(socket, "r" .. bytes.u32(ours) .. proof)
  local packet, err = receive(socket, at.deadline)
  if err == "timeout" then
    return fail("timeout in handshake: " .. at.where .. " does not answer our digest", "try again")
  elseif err == "EOF" or err == "ECONNRESET" then
    return nil, failure.new("cookie", "wrong cookie for " .. at.node,
      "pass the node's own with --cookie-file; on its machine it is in ~/.erlang.cookie of its user", 3)
  elseif not packet then
    return fail(("the handshake with %s was broken off: %s"):format(at.where, err), "try again")
  elseif packet ~= "a" .. expected then
    return nil, failure.new("cookie", at.node .. " has another cookie than we",
      "pass the node's own with --cookie-file", 3)
  end
  return true
end

---@param socket Socket
---@param at { node: string, where: string, deadline: number, door?: Door }
---@param cookie? string   never part of any text that leaves here; none: the door makes its digests
---@return Session|nil
---@return Failure? err
function handshake.run(socket, at, cookie)
  local started = async.now()
  local creation = bytes.read_u32(crypto.random(4), 1)
  send(socket, "N" .. OUR_FLAGS .. bytes.u32(creation) .. bytes.u16(#OUR_HOST) .. OUR_HOST)
  local name, given = read_status(socket, at, started)
  if not name then return nil, given end
  local peer, err = read_challenge(socket, at, started)
  if not peer then return nil, err end
  local proven
  proven, err = prove(socket, at, cookie, peer.challenge)
  if not proven then return nil, err end
  return { name = name, creation = given, peer_creation = peer.creation, spawn = peer.high_flags % 2 == 1 }
end

return handshake
