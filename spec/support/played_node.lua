--- A peer that misbehaves as no real node would on demand: says nothing, says garbage, is too
--- old, stops talking after the handshake. For everything else specs use a real one.

local uv = require "luv"
local bytes = require "runtime.node.bytes"
local crypto = require "host.crypto"

local played = {}

local u16, u32 = bytes.u16, bytes.u32

local function packet(text) return u16(#text) .. text end

--- Listens on loopback. `on_bytes` is called with the socket and each chunk that arrives.
---@param on_bytes? fun(socket: userdata, chunk: string)   nothing: it is mute
---@return { port: integer, close: fun() }
function played.listen(on_bytes)
  local server, sockets = uv.new_tcp(), {}
  server:bind("127.0.0.1", 0)
  server:listen(8, function()
    local socket = uv.new_tcp()
    server:accept(socket)
    sockets[#sockets + 1] = socket
    socket:read_start(function(_, chunk)
      if chunk and on_bytes then on_bytes(socket, chunk) end
      if not chunk and not socket:is_closing() then socket:close() end
    end)
  end)
  return {
    port = server:getsockname().port,
    close = function()
      for _, socket in ipairs(sockets) do
        if not socket:is_closing() then socket:close() end
      end
      server:close()
    end,
  }
end

local NAME, OLD_NAME = "N", "n"

--- The node's side of the handshake, as name@host with that cookie; afterwards `talk` gets what
--- arrives. `greet` is sent first; `old` plays a node from before OTP 23; `given` is the name that we get.
---@param o { name: string, cookie: string, old?: boolean, given?: string, greet?: string,
---  talk?: fun(socket: userdata, chunk: string) }
function played.node(o)
  local state = "name"
  return played.listen(function(socket, chunk)
    if state == "name" then
      state = "digest"
      local given = o.given or "1@localhost"
      socket:write(packet("snamed:" .. u16(#given) .. given .. u32(7)))
      if o.old then
        socket:write(packet(OLD_NAME .. u16(5) .. u32(0) .. u32(1) .. o.name))
      else
        socket:write(packet(NAME .. u32(5) .. u32(0x7FFFFFF) .. u32(1) .. u32(9) .. u16(#o.name) .. o.name))
      end
    elseif state == "digest" then
      state = "talk"
      local challenge = bytes.read_u32(chunk, 4)
      socket:write(packet("a" .. crypto.md5(o.cookie .. ("%.0f"):format(challenge))))
      if o.greet then socket:write(o.greet) end
    elseif o.talk then
      o.talk(socket, chunk)
    end
  end)
end

return played
