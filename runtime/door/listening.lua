--- Where a node takes connections, as a shell beside it sees it: its port, by its flags, its epmd or its own
--- sockets, and the address that the port is bound to. A tunnel is led there.

local listening = {}

-- All that listens, the node's own sockets apart; then whom epmd knows. It prints bl:KEY=VALUE| again and again.
local LOOK = [[
bl_i=" $(ls -l /proc/%PID%/fd 2>/dev/null | sed -n 's/.*socket:.\([0-9]*\).*/\1/p' | tr '\n' ' ')"
cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | while read -r bl_n bl_l bl_r bl_s bl_q bl_t bl_x bl_u bl_o bl_j bl_z; do
  [ "$bl_s" = 0A ] || continue
  case $bl_i in *" $bl_j "*) printf 'bl:own=%s|' "$bl_l";; *) printf 'bl:listen=%s|' "$bl_l";; esac
done
bl_e='%ITS_EPMD%'
[ -x "$bl_e" ] || bl_e=epmd
ERL_EPMD_PORT=%EPMD% "$bl_e" -names 2>/dev/null | while read -r bl_n bl_l bl_r bl_s bl_q; do
  [ "$bl_n" = name ] && printf 'bl:known=%s %s|' "$bl_l" "$bl_q"
done
]]

local USUAL_EPMD = 4369

--- Asks for it, once the node was found.
---@param node FoundNode
---@return string text   for a shell
function listening.look(node)
  return (LOOK:gsub("%%([%u_]+)%%", {
    PID = node.pid, ITS_EPMD = node.barred and "epmd" or node.bindir .. "/epmd", EPMD = node.epmd_port or USUAL_EPMD,
  }))
end

-- The kernel prints an address as words in the machine's own order; every machine that we meet has the low byte first.
local function address(text)
  local hex, port = text:match "^(%x+):(%x+)$"
  if not hex or #hex ~= 8 and #hex ~= 32 then return nil end
  local bytes = {}
  for word in hex:gmatch "%x%x%x%x%x%x%x%x" do
    for i = 7, 1, -2 do bytes[#bytes + 1] = tonumber(word:sub(i, i + 1), 16) end
  end
  if #bytes == 4 then return table.concat(bytes, "."), tonumber(port, 16) end
  local parts = {}
  for i = 1, 16, 2 do parts[#parts + 1] = ("%x"):format(bytes[i] * 256 + bytes[i + 1]) end
  local whole = table.concat(parts, ":")
  -- An IPv4 address that is written as an IPv6 one.
  if hex:upper():find "^0000000000000000FFFF0000" then return table.concat(bytes, ".", 13), tonumber(port, 16) end
  return whole, tonumber(port, 16)
end

local ANY = { ["0.0.0.0"] = true, ["0:0:0:0:0:0:0:0"] = true }
local OWN = { ["127.0.0.1"] = true, ["0:0:0:0:0:0:0:1"] = true }

local function bound_to(sockets, port)
  local bound
  for _, socket in ipairs(sockets) do
    if socket.port == port then
      if ANY[socket.address] then return "127.0.0.1", true end
      bound = OWN[bound] and bound or socket.address
    end
  end
  return bound
end

---@class ListeningAt
---@field port integer
---@field address string   to be called from beside the node
---@field any boolean      from elsewhere too

---@param printed string   what `look` printed, perhaps with noise between
---@param node FoundNode
---@return ListeningAt|nil
---@return string? why
function listening.read(printed, node)
  local sockets, own, known = {}, {}, nil
  local short = node.name:match "^[^@]+"
  for key, value in printed:gmatch "bl:([%w_]+)=([^|]*)|" do
    if key == "own" or key == "listen" then
      local bound, port = address(value)
      if bound then sockets[#sockets + 1] = { address = bound, port = port } end
      if bound and key == "own" then own[#own + 1] = port end
    elseif key == "known" then
      local name, port = value:match "^(%S+) (%d+)$"
      if name == short then known = tonumber(port) end
    end
  end
  local port = node.port or known or #own == 1 and own[1]
  if not port then return nil, "its epmd does not tell the node's port there, nor do its flags" end
  local bound, any = bound_to(sockets, port)
  return { port = port, address = bound or "127.0.0.1", any = any == true }
end

return listening
