--- `spec-host spec/bench/sender.lua BYTES`: a port of loopback, told on stdout, that answers each byte with so many.

local uv = require "luv"

local answer = ("\0"):rep(tonumber(arg[1]))

local server = uv.new_tcp()
server:bind("127.0.0.1", 0)
server:listen(16, function()
  local client = uv.new_tcp()
  server:accept(client)
  client:read_start(function(_, bytes)
    if not bytes then return client:close() end
    for _ = 1, #bytes do client:write(answer) end
  end)
end)
io.stdout:write(server:getsockname().port, "\n")
io.stdout:flush()
uv.run()
