--- A relay between us and a node that can be shut in either direction: what is on its way then never
--- arrives, as when a network breaks, and at a moment that a spec chooses.

local uv = require "luv"

local held_up = {}

---@param port integer   of the node, on loopback
---@return table relay   { port, up, down: whether bytes pass towards the node and back, close() };
---  `on_down` is called before bytes of the node are passed on
function held_up.start(port)
  local server, relay, sockets = uv.new_tcp(), { up = true, down = true }, {}
  local function pass(from, to, way)
    from:read_start(function(_, bytes)
      if not bytes then
        if not to:is_closing() then to:close() end
        return
      end
      if way == "down" and relay.on_down then relay.on_down() end
      if relay[way] and not to:is_closing() then to:write(bytes) end
    end)
  end
  server:bind("127.0.0.1", 0)
  server:listen(8, function()
    local near, far = uv.new_tcp(), uv.new_tcp()
    server:accept(near)
    sockets[#sockets + 1], sockets[#sockets + 2] = near, far
    far:connect("127.0.0.1", port, function(err)
      assert(not err, err)
      pass(near, far, "up")
      pass(far, near, "down")
    end)
  end)
  relay.port = server:getsockname().port
  function relay.close()
    for _, socket in ipairs(sockets) do
      if not socket:is_closing() then socket:close() end
    end
    if not server:is_closing() then server:close() end
  end
  return relay
end

return held_up
