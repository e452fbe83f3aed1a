--- The control messages we send, one encoder for each. A node that is sent a malformed one cuts
--- the link, and with it every call in flight: nothing else may build them, and each has a spec.
--- Frames are length, 'p', control tuple, and for some a payload.

local etf = require "host.etf"

local control = {}

--- The numbers that stand first in a control tuple, of those that we send or answer.
control.OP = {
  SEND = 2,
  REG_SEND = 6,
  MONITOR_P = 19,
  DEMONITOR_P = 20,
  MONITOR_P_EXIT = 21,
  SEND_SENDER = 22,
  PAYLOAD_EXIT2 = 26,
  PAYLOAD_MONITOR_P_EXIT = 28,
  SPAWN_REQUEST = 29,
  SPAWN_REPLY = 31,
  UNLINK_ID = 35,
  UNLINK_ID_ACK = 36,
}
local OP = control.OP

local A, tuple, frame = etf.A, etf.tuple, etf.frame
local UNUSED = A[""]

-- A pid that is none ends the link; better an error here, where the bug is.
local function check(v, kind)
  if etf.kind(v) ~= kind then error("a control message needs a " .. kind .. " here, not " .. tostring(v), 3) end
end

function control.send(to, message)
  check(to, "pid")
  return frame(tuple(OP.SEND, UNUSED, to), message)
end

---@param name string   of a process registered on the node
function control.reg_send(from, name, message)
  check(from, "pid")
  return frame(tuple(OP.REG_SEND, from, UNUSED, A[name]), message)
end

--- Starts a process on the node. What it exits with comes back under `ref`.
---@param mfa userdata      {Module, Function, Arity}
---@param options any       of spawn_opt; monitor must be among them
---@param arguments table   the list of arguments
function control.spawn_request(ref, from, group_leader, mfa, options, arguments)
  check(ref, "ref")
  check(from, "pid")
  check(group_leader, "pid")
  return frame(tuple(OP.SPAWN_REQUEST, ref, from, group_leader, mfa, options), arguments)
end

--- Sends an exit signal; with the reason `kill` it cannot be survived.
function control.exit(from, to, reason)
  check(from, "pid")
  check(to, "pid")
  return frame(tuple(OP.PAYLOAD_EXIT2, from, to), reason)
end

--- Tells who monitors one of ours that it is not there.
---@param of any   pid or atom, as it stood in the MONITOR_P
function control.monitor_exit(of, to, ref, reason)
  check(to, "pid")
  check(ref, "ref")
  return frame(tuple(OP.PAYLOAD_MONITOR_P_EXIT, of, to, ref), reason)
end

---@param id integer   as it stood in the UNLINK_ID
function control.unlink_ack(id, from, to)
  check(from, "pid")
  check(to, "pid")
  return frame(tuple(OP.UNLINK_ID_ACK, id, from, to))
end

return control
