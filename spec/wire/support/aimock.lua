--- aimock, a model server that nobody here wrote: it speaks the wires of the providers and answers by
--- spec/wire/fixtures.json. It wants one of its keys, as the real ones do.

local async = require "runtime.async"
local program = require "spec.support.program"
local root = require("host.files").root

local aimock = { key = "wire-test-key-0123456789" }

local PATIENCE_S = 30
local INSTALLED = root .. "/build/wire/node_modules/.bin/"

--- The node of the packages, which the system's may be too old for.
aimock.node = root .. "/build/wire/node"

--- Starts it inside a task.
---@param keyless? boolean   takes any request: it knows no signatures of AWS
---@return table server   { url, stop(), stop_here() }; the latter inside a task
function aimock.start(keyless)
  local args = { INSTALLED .. "llmock", "-p", "0", "-f", root .. "/spec/wire/fixtures.json", "--strict",
    "--validate-on-load", "--chunk-size", "16" }
  local env = { AIMOCK_STRICT_TURN_INDEX = "1", AIMOCK_API_KEYS = not keyless and aimock.key or nil }
  local running = program.start(args, { path = aimock.node, env = env })
  local deadline = async.now() + PATIENCE_S
  local url
  repeat
    async.sleep(0.02)
    url = running.stdout():match "listening on (http://127%.0%.0%.1:%d+)"
  until url or async.now() > deadline
  if not url then
    running.kill "sigkill"
    error("aimock did not start: " .. running.stdout() .. running.stderr())
  end
  local server = { url = url }
  function server.stop_here()
    running.kill "sigterm"
    running.wait(10)
  end
  function server.stop() async.run(server.stop_here) end
  return server
end

return aimock
