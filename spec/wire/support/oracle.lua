--- Programs of node around what nobody here wrote: text in, text out.

local async = require "runtime.async"
local aimock = require "spec.wire.support.aimock"
local uv = require "luv"
local root = require("host.files").root

local oracle = {}

local PATIENCE_S = 60

--- Runs one inside a task.
---@param name string    a file of spec/wire/oracle
---@param args string[]
---@param input string
---@return string output
function oracle.run(name, args, input)
  local stdin, out, err, said, wrong = uv.new_pipe(false), uv.new_pipe(false), uv.new_pipe(false), {}, {}
  local code, wake
  local process, pid = uv.spawn(aimock.node, { args = { ("%s/spec/wire/oracle/%s"):format(root, name), unpack(args) },
    cwd = root .. "/build/wire", stdio = { stdin, out, err } }, function(c)
    code = c
    if wake then wake() end
  end)
  assert(process, pid)
  out:read_start(function(_, bytes) said[#said + 1] = bytes end)
  err:read_start(function(_, bytes) wrong[#wrong + 1] = bytes end)
  stdin:write(input, function() stdin:shutdown(function() stdin:close() end) end)
  if not code then async.await(function(resume) wake = resume end, async.now() + PATIENCE_S) end
  if not code then process:kill "sigkill" end
  async.sleep(0.01) -- what was written last is read
  assert(code == 0, ("%s ended with %s: %s"):format(name, tostring(code), table.concat(wrong)))
  process:close()
  out:close()
  err:close()
  return table.concat(said)
end

return oracle
