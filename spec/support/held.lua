--- A server for a spec, held by a shell that ends it when its stdin closes, which happens whatever way this
--- process ends. The shell's script starts the server, says one line, reads its stdin to the end and
--- puts everything away.

local uv = require "luv"
local async = require "runtime.async"

local held = {}

held.PATIENCE_S = 60

--- A port of loopback that nobody has now.
---@return integer
function held.free_port()
  local socket = uv.new_tcp()
  socket:bind("127.0.0.1", 0)
  local port = socket:getsockname().port
  socket:close()
  return port
end

--- What a spec's setup does runs outside of any task.
function held.in_task(fn, ...)
  if async.current() then return fn(...) end
  return async.run(fn, ...)
end

--- Starts the shell. Inside a task.
---@param script string
---@param args string[]          its $1 and so on
---@param env string[]           all of its environment, NAME=value
---@return string line           what it said first; empty when it ended without
---@return function release      closes its stdin, and returns once it has ended
function held.start(script, args, env)
  local stdin, stdout = uv.new_pipe(), uv.new_pipe()
  local ended = {}
  local shell = assert(uv.spawn("sh", {
    args = { "-c", script, "sh", unpack(args) }, env = env, stdio = { stdin, stdout, 2 },
  }, function()
    ended.yes = true
    if ended.wake then ended.wake(true) end
  end))
  local line = async.await(function(resume)
    local text = ""
    stdout:read_start(function(_, chunk)
      text = text .. (chunk or "")
      if not chunk or text:find "\n" then resume(text) end
    end)
  end, async.now() + held.PATIENCE_S)
  stdout:close()
  return line or "", function()
    stdin:close()
    if not ended.yes then async.await(function(resume) ended.wake = resume end, async.now() + held.PATIENCE_S) end
    shell:close()
  end
end

--- The environment of this process, with some names left out, for `start`.
---@param pattern string    names that match this pattern are left out
---@param more table<string, string>   and these are set
---@return string[]
function held.environment(pattern, more)
  local env = {}
  for name, value in pairs(more) do env[#env + 1] = name .. "=" .. value end
  for name, value in pairs(uv.os_environ()) do
    if not name:match(pattern) and not more[name] then env[#env + 1] = name .. "=" .. value end
  end
  return env
end

return held
