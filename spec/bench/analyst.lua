--- A whole run of the analyst with the usual skills on an idle node; most of it are windows in which it
--- looks on purpose, so it is measured in seconds and beside nothing.

local uv = require "luv"
local async = require "runtime.async"
local live = require "spec.support.live_node"
local program = require "spec.support.program"

return async.run(function()
  local node = live.start()
  local took = {}
  for i = 1, 3 do
    local start = uv.hrtime()
    local run = program.run({ "examples/coordinator.lua", "--node", node.name, "--cookie-file", node.cookie_file,
      "--provider", "analyst", "--quiet" }, { env = { ERL_EPMD_PORT = tostring(node.epmd_port) } })
    assert(run.code == 0, run.stdout .. run.stderr)
    took[i] = (uv.hrtime() - start) / 1e9
  end
  node.stop()
  table.sort(took)
  return { {
    name = "whole analyst run, the usual skills, idle node (seconds)", ours = ("%.2f s"):format(took[2]), peer = "-",
    ratio = took[2], target = "<= 6",
  } }
end)
