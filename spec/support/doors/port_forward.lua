--- `spec-host spec/support/doors/port_forward.lua PORT WORDS`: a port of loopback that leads to another one, as kubectl
--- and the Session Manager plugin open them. WORDS tell it, with %s for it.

local uv = require "luv"

require("host.interrupt").hear_hangup() -- it ends with its terminal, as those do

local to, words = tonumber(arg[1]), arg[2]

local function carry(from, into)
  from:read_start(function(_, bytes)
    if bytes then return into:write(bytes) end
    for _, each in ipairs { from, into } do
      if not each:is_closing() then each:close() end
    end
  end)
end

local server = uv.new_tcp()
server:bind("127.0.0.1", 0)
server:listen(16, function()
  local here, there = uv.new_tcp(), uv.new_tcp()
  server:accept(here)
  there:connect("127.0.0.1", to, function(err)
    if err then return here:close() end
    carry(here, there)
    carry(there, here)
  end)
end)
io.stdout:write(words:format(server:getsockname().port), "\n")
io.stdout:flush()
uv.run()
