--- Asks a port that hung up on us whether it speaks TLS, by the first bytes of a TLS hello.
--- Only for a better sentence: a node with TLS distribution closes a plain connection wordlessly.

local tcp = require "runtime.node.tcp"

local probe = {}

-- A ClientHello of TLS 1.2: version, 32 bytes of random, no session, one cipher suite, no compression.
local HELLO = "\3\3" .. ("\0"):rep(32) .. "\0" .. "\0\2\192\47" .. "\1\0"
local RECORD = "\22\3\1\0" .. string.char(#HELLO + 4) .. "\1\0\0" .. string.char(#HELLO) .. HELLO

local HANDSHAKE, ALERT = 22, 21

---@param host string
---@param port integer
---@param deadline number
---@return boolean
function probe.is_tls(host, port, deadline)
  local socket = tcp.connect(host, port, deadline)
  if not socket then return false end
  socket:write(RECORD)
  local answer = socket:read(2, deadline)
  socket:close()
  if not answer then return false end
  return (answer:byte(1) == HANDSHAKE or answer:byte(1) == ALERT) and answer:byte(2) == 3
end

return probe
