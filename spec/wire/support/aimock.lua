--- aimock, a model server that nobody here wrote: it speaks the wires of the providers and answers by
--- spec/wire/fixtures.json. It wants its key, as the real ones do.

local held = require "spec.support.held"
local root = require("host.files").root

local aimock = {
  key = "wire-test-key-0123456789",
  --- The node of the packages, which the system's may be too old for.
  node = root .. "/build/wire/node",
}

-- Says its address once it listens; where it does not, what it said itself.
local HOLD = [[
said=$(mktemp)
"$@" < /dev/null > "$said" 2>&1 &
pid=$!
until url=$(sed -n 's/.*listening on //p' "$said"); [ -n "$url" ] || ! kill -0 $pid 2> /dev/null; do sleep 0.02; done
[ -n "$url" ] || cat "$said" >&2
echo "$url"
read -r until_closed
kill $pid 2> /dev/null
wait
rm -f "$said"
]]

local COMMAND = { aimock.node, root .. "/build/wire/node_modules/.bin/llmock", "-p", "0",
  "-f", root .. "/spec/wire/fixtures.json", "--strict", "--validate-on-load", "--chunk-size", "16" }

--- Starts it, inside a task or outside.
---@param keyless? boolean   takes any request: it knows no signatures of AWS
---@return table server   { url, stop() }
function aimock.start(keyless)
  local env = held.environment("^AIMOCK_", { AIMOCK_STRICT_TURN_INDEX = "1",
    AIMOCK_API_KEYS = not keyless and aimock.key or nil })
  local url, release = held.in_task(held.start, HOLD, COMMAND, env)
  local server = { url = url:match "^(%S+)\n" }
  assert(server.url, "aimock did not start")
  function server.stop() held.in_task(release) end
  return server
end

return aimock
