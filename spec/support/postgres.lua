--- A PostgreSQL server for a spec: its own data in a folder of its own, reached over a socket there
--- and over a port of its own on loopback. A shell holds it and ends it when its stdin closes,
--- whatever way this process ends. PostgreSQL refuses to run as root, so as root it runs as `postgres`.

local uv = require "luv"
local async = require "runtime.async"
local held = require "spec.support.held"

local postgres = {}

-- Nothing of it shall outlive the spec, so it need not reach the disk.
local HOLD = [[
umask 077
HOME=$(TMPDIR=/tmp mktemp -d) && cd "$HOME" || exit 1
BIN=$(ls -d /usr/lib/postgresql/*/bin | sort -V | tail -n 1)
AS=
if [ "$(id -u)" -eq 0 ]; then
  chown postgres "$HOME" && AS="setpriv --reuid=postgres --regid=postgres --clear-groups"
fi
$AS "$BIN/initdb" -D "$HOME/data" -U postgres --auth=trust --no-sync --locale=C --encoding=UTF8 > initdb.log 2>&1
$AS "$BIN/postgres" -D "$HOME/data" -p "$PORT" -k "$HOME" -c listen_addresses=127.0.0.1 -c fsync=off \
  -c autovacuum=off -c max_connections=40 -c shared_buffers=16MB -c jit=off "$@" > server.log 2>&1 &
SERVER=$!
until "$BIN/pg_isready" -q -U postgres -h "$HOME" -p "$PORT"; do
  kill -0 $SERVER 2> /dev/null || break
  sleep 0.05
done
echo "$HOME $BIN $SERVER"
read -r UNTIL_CLOSED
kill -INT $SERVER
wait
rm -rf "$HOME"
]]

local Server = {}
Server.__index = Server

local function read(path)
  local file = io.open(path)
  local text = file and file:read "*a" or ""
  if file then file:close() end
  return text
end

function Server:psql(flags)
  return ("'%s/psql' -X -q -h '%s' -p %d -U postgres -d postgres -v ON_ERROR_STOP=1 %s")
    :format(self.bin, self.home, self.port, flags)
end

--- What psql prints for this, without the decoration; several columns have | between them.
---@param sql string
---@return string
function Server:ask(sql)
  local path = os.tmpname()
  local file = assert(io.open(path, "w"))
  file:write(sql)
  file:close()
  local pipe = io.popen(self:psql(("-At -f '%s' 2>&1 < /dev/null; echo $?"):format(path)))
  local text = pipe:read "*a"
  pipe:close()
  os.remove(path)
  local answer, code = text:match "^(.-)\n?(%d+)\n$"
  assert(code == "0", text)
  return answer
end

--- Asks until psql answers what was hoped for, because a server's statistics come late.
---@param want string   a pattern for the whole answer
function Server:await(sql, want)
  local deadline = uv.now() + held.PATIENCE_S * 1000
  while true do
    local answer = self:ask(sql)
    if answer:match("^" .. want .. "$") then return answer end
    assert(uv.now() < deadline, ("%s still says %s"):format(sql, answer))
    if async.current() then async.sleep(0.02) end
    uv.update_time()
  end
end

--- A session that stays open, for what another connection does. It is written to and not read.
---@param name string   its application_name
---@return { send: fun(sql: string), close: fun() }
function Server:session(name)
  local pipe = io.popen(("PGAPPNAME='%s' %s"):format(name, self:psql "> /dev/null 2>&1"), "w")
  return {
    send = function(sql)
      pipe:write(sql, "\n")
      pipe:flush()
    end,
    close = function() pipe:close() end,
  }
end

function Server:stop() held.in_task(self.release) end

---@param o? { args?: string[] }   more of the server's command line
---@return table  { home, port, bin } with methods ask, await, session, stop
function postgres.start(o)
  return held.in_task(function()
    local port = held.free_port()
    local line, release = held.start(HOLD, o and o.args or {}, held.environment("^PG", { PORT = tostring(port) }))
    local home, bin = line:match "^(%S+) (%S+) %d+"
    local self = setmetatable({ home = home, bin = bin, port = port, release = release }, Server)
    assert(home and read(home .. "/server.log"):find "ready to accept connections",
      "the database did not start: " .. (home and read(home .. "/initdb.log") .. read(home .. "/server.log") or ""))
    return self
  end)
end

return postgres
