--- A real Redis for a spec, on loopback, in a folder of its own. A shell holds it and ends it when its stdin
--- closes, which happens whatever way this process ends.

local held = require "spec.support.held"

local redis = {}

local HOLD = [[
umask 077
HOME=$(mktemp -d) && cd "$HOME" || exit 1
redis-server --bind 127.0.0.1 --port "$PORT" --dir "$HOME" --save '' --appendonly no --enable-debug-command yes \
  "$@" < /dev/null > server.log 2>&1 &
SERVER=$!
until redis-cli -p "$PORT" ping 2> /dev/null | grep -q 'PONG\|NOAUTH'; do
  kill -0 $SERVER 2> /dev/null || break
  sleep 0.02
done
echo "$HOME $SERVER"
read -r UNTIL_CLOSED
kill -9 $SERVER
wait
rm -rf "$HOME"
]]

local Server = {}
Server.__index = Server

--- What redis-cli prints for this, a command to a line.
---@param commands string
---@return string
function Server:ask(commands)
  local path = os.tmpname()
  local file = assert(io.open(path, "w"))
  file:write(commands, "\n")
  file:close()
  local pipe = io.popen(("redis-cli -p %d < '%s' 2>&1"):format(self.port, path))
  local text = pipe:read "*a"
  pipe:close()
  os.remove(path)
  assert(not text:find "ERR", text)
  return text
end

function Server:stop() held.in_task(self.release) end

---@param ... string   more of the server's command line
---@return table  { port } with methods ask, stop
function redis.start(...)
  local args = { ... }
  return held.in_task(function()
    local port = held.free_port()
    local line, release = held.start(HOLD, args, held.environment("^REDIS", { PORT = tostring(port) }))
    assert(line:match "^%S+ %d+", "Redis did not start")
    return setmetatable({ port = port, release = release }, Server)
  end)
end

return redis
