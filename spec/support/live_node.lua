--- A real node for a spec: its own home with its own cookie, its own epmd on a port of its own, on
--- loopback, so nothing else on this machine is touched. A shell holds both and ends them when
--- its stdin closes, which happens whatever way this process ends.

local uv = require "luv"
local async = require "runtime.async"
local crypto = require "host.crypto"
local epmd = require "runtime.node.epmd"
local node = require "runtime.node.init"
local held = require "spec.support.held"

local live = {}

local HOLD = [[
umask 077
export HOME=$(mktemp -d) && cd "$HOME" || exit 1
printf '%s' "$SPEC_COOKIE" > .erlang.cookie && chmod 400 .erlang.cookie
unset SPEC_COOKIE XDG_CONFIG_HOME
epmd -address 127.0.0.1 > epmd.log 2>&1 &
EPMD=$!
until epmd -names > names.log 2>&1; do kill -0 $EPMD || exit 1; done
"$@" < /dev/null > node.log 2>&1 &
NODE=$!
echo "$HOME $NODE $EPMD"
read -r UNTIL_CLOSED
kill -9 $NODE $EPMD 2> kill.log
wait
rm -rf "$HOME"
]]

local LOOPBACK = { "-start_epmd", "false", "-kernel", "inet_dist_use_interface", "{127,0,0,1}" }

local function append(list, more)
  for _, item in ipairs(more or {}) do list[#list + 1] = item end
  return list
end

local function erl(o)
  return append(append(append(append({}, o.within), { "erl", o.short and "-sname" or "-name", o.name, "-noinput" }),
    LOOPBACK), o.args)
end

local function elixir(o)
  local flags = table.concat(append({}, LOOPBACK), " ")
  return append(append({ "elixir", "--name", o.name, "--no-halt", "--erl", flags }, o.args), { "-e", o.code or ":ok" })
end

local function hex(bytes) return (bytes:gsub(".", function(c) return ("%02x"):format(c:byte()) end)) end

-- Everything is inherited but what would lead to another epmd or cookie.
local function hold(command, port, cookie)
  local env = held.environment("^BEAMLENS_", { ERL_EPMD_PORT = tostring(port), SPEC_COOKIE = cookie })
  local line, release = held.start(HOLD, command, env)
  local home, os_pid, epmd_pid = line:match "^(%S+) (%d+) (%d+)"
  assert(home, "the shell of the live node did not start")
  return { home = home, os_pid = tonumber(os_pid), epmd_pid = tonumber(epmd_pid), release = release }
end

local function until_true(at, what, attempt)
  local deadline = async.now() + held.PATIENCE_S
  while true do
    local value, err = attempt(deadline)
    if value then return value end
    if async.now() > deadline then
      local log = io.open(at.home .. "/node.log")
      error(("%s %s: %s\n%s"):format(at.name, what, tostring(err), log and log:read "*a" or ""))
    end
    async.sleep(0.02)
  end
end

-- A node can be attached to while it still boots; then its figures would move by themselves.
-- The epmd port is read from the environment, as for a user.
local function connect(at, o)
  uv.os_setenv("ERL_EPMD_PORT", tostring(at.epmd_port))
  local name, host = at.name:match "^(.-)@(.+)$"
  until_true(at, "did not register", function(deadline) return epmd.port(host, name, deadline) end)
  if o.attach == false then return end
  local function attach(deadline)
    return node.connect { name = at.name, cookie_file = at.cookie_file, deadline = deadline }
  end
  local first = until_true(at, "did not come up", attach)
  until_true(at, "did not boot", function()
    local status = first:call("init", "get_status", {})
    return status and tostring(status[1]) == "started"
  end)
  first:close()
  return assert(attach(async.now() + held.PATIENCE_S))
end

--- A name that nobody else on this machine has: doors show every node of it, those of another run too.
---@param short string   the part before the @
---@return string
function live.own_name(short) return ("%s%d@127.0.0.1"):format(short, uv.os_getpid()) end

local started = {}

local Live = {}
Live.__index = Live

--- Evaluates text there as a person at its shell would: no limits, and what it starts lives on.
function Live:evaluate(text, variables)
  local value, err = self.node.query(text, variables, {
    timeout = held.PATIENCE_S, heap_words = 0, priority = "normal", group_leader = "user",
  })
  if value == nil then error("the live node refused: " .. tostring(err), 3) end
  return value
end

-- The state of every thread; a signal stops them one after the other.
local function stopped(os_pid)
  local scan = uv.fs_scandir("/proc/" .. os_pid .. "/task")
  while true do
    local thread = uv.fs_scandir_next(scan)
    if not thread then return true end
    local file = assert(io.open(("/proc/%d/task/%s/stat"):format(os_pid, thread)))
    local state = file:read("*a"):match "%) (%a)"
    file:close()
    if state ~= "T" then return false end
  end
end

--- Stops the node in its tracks, as a machine does that hangs. `thaw` lets it go on.
function Live:freeze()
  uv.kill(self.os_pid, "sigstop")
  while not stopped(self.os_pid) do async.sleep(0.001) end
end

function Live:thaw() uv.kill(self.os_pid, "sigcont") end

--- A file in the home of the node, which is the user's too; nobody else may read it.
---@param name string
---@param text string
---@return string path
function Live:write(name, text)
  local path = self.home .. "/" .. name
  local fd = assert(uv.fs_open(path, "w", tonumber("600", 8)))
  assert(uv.fs_write(fd, text))
  uv.fs_close(fd)
  return path
end

--- Ends the node and removes its home.
function Live:end_it()
  started[self] = nil
  if self.node then self.node:close() end
  self.release()
end

local function start(o)
  local port, cookie = held.free_port(), o.cookie or hex(crypto.random(16))
  o = setmetatable({ name = o.name or "bl_spec@127.0.0.1" }, { __index = o })
  local at = hold(o.elixir and elixir(o) or erl(o), port, cookie)
  at.name, at.epmd_port, at.cookie_file = o.name, port, at.home .. "/.erlang.cookie"
  setmetatable(at, Live)
  at.eval = function(...) return at:evaluate(...) end
  at.stop = function() held.in_task(at.end_it, at) end
  started[at] = true
  at.node = connect(at, o)
  if o.code and not o.elixir then at.eval(o.code) end
  return at
end

--- Starts a node and attaches to it.
---@param o? { name?: string, elixir?: boolean, cookie?: string, args?: string[], code?: string, short?: boolean,
---  attach?: boolean, within?: string[] }
---  short: -sname in place of -name; attach: false leaves that to the caller; args: more of the
---  command line; code: Erlang expressions (or Elixir) that it runs first; within: a command that becomes the node,
---  such as a shell that sets a limit and then does exec "$@"
---@return table  { node, name, cookie_file, epmd_port, os_pid, home, eval = fn(text, variables), stop = fn() },
---  with methods freeze, thaw and write
function live.start(o) return held.in_task(start, o or {}) end

--- Ends all nodes, and the worker that a sandbox keeps ready.
function live.stop_all()
  held.in_task(function()
    for at in pairs(started) do at:end_it() end
    local sandbox = package.loaded["runtime.sandbox"]
    if sandbox then sandbox.close() end
  end)
end

--- The body of an `it`, run inside a task.
---@param body function
---@return function
function live.test(body)
  return function() async.run(body) end
end

return live
