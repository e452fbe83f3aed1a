--- A watch of 50 nodes for 10 minutes, as it is set by default: what it takes of a core, and whether its memory
--- stands still. Too long for every bench: `make bench ROWS=watch50`, the seconds by WATCH_SECONDS.

local uv = require "luv"
local async = require "runtime.async"
local held = require "spec.support.held"
local program = require "spec.support.program"

local NODES = tonumber(os.getenv "WATCH_NODES") or 50
local SECONDS = tonumber(os.getenv "WATCH_SECONDS") or 600
local SETTLED = 0.2 -- of the time: until then it learns, and memory may grow

local HOLD = [[
umask 077
export HOME=$(mktemp -d) && cd "$HOME" || exit 1
printf watch50 > .erlang.cookie && chmod 400 .erlang.cookie
epmd -address 127.0.0.1 > epmd.log 2>&1 &
ALL=$!
for i in $(seq 1 $1); do
  erl +S 1:1 +SDio 1 +A 1 -name "n$i@127.0.0.1" -noinput -start_epmd false \
    -kernel inet_dist_use_interface '{127,0,0,1}' < /dev/null > node.log 2>&1 &
  ALL="$ALL $!"
  sleep 0.3
done
echo "$HOME"
read -r UNTIL_CLOSED
kill -9 $ALL 2> kill.log
wait
rm -rf "$HOME"
]]

local function read(path)
  local file = assert(io.open(path))
  local text = file:read "*a"
  file:close()
  return text
end

local function cpu_s(pid)
  local user, system = read(("/proc/%d/stat"):format(pid)):match
    "%) %S+ %S+ %S+ %S+ %S+ %S+ %S+ %S+ %S+ %S+ %S+ (%d+) (%d+)"
  return (tonumber(user) + tonumber(system)) / 100
end

local function rss_mb(pid)
  return tonumber(read(("/proc/%d/status"):format(pid)):match "VmRSS:%s*(%d+)") / 1024
end

local function settle(home)
  local path = home .. "/config.lua"
  local file = assert(io.open(path, "w"))
  file:write "return { anomaly = { auto_trigger = false } }"
  file:close()
  return path
end

return async.run(function()
  held.PATIENCE_S = 300
  local port = held.free_port()
  local line, release = held.start(HOLD, { tostring(NODES) }, held.environment("^BEAMLENS_",
    { ERL_EPMD_PORT = tostring(port) }))
  local home = assert(line:match "^(%S+)", "the nodes did not start")
  local names = {}
  for i = 1, NODES do names[i] = ("n%d@127.0.0.1"):format(i) end
  local watching = program.start({ "watch", "--node", table.concat(names, ","), "--provider", "analyst", "--config",
    settle(home), "--store", home .. "/store.db" },
    { env = { ERL_EPMD_PORT = tostring(port), HOME = home, XDG_STATE_HOME = home } })
  local patience = async.now() + (tonumber(os.getenv 'P') or 120)
  while select(2, watching.stdout():gsub("attached to", "")) < NODES do
    assert(async.now() < patience, "not all nodes were reached: " .. watching.stdout() .. watching.stderr())
    async.sleep(0.2)
  end
  local settled = SECONDS * SETTLED
  async.sleep(settled)
  local before, from, memory = cpu_s(watching.pid), async.now(), rss_mb(watching.pid)
  local most = memory
  while async.now() - from < SECONDS - settled do
    async.sleep(1)
    most = math.max(most, rss_mb(watching.pid))
    if os.getenv "WATCH_SHOW" then io.stderr:write(("%.1f "):format(rss_mb(watching.pid))) end
  end
  local share = 100 * (cpu_s(watching.pid) - before) / (async.now() - from)
  local last = rss_mb(watching.pid)
  local stopping = uv.hrtime()
  watching.kill "sigterm"
  local code = watching.wait(30)
  local ended_s = (uv.hrtime() - stopping) / 1e9
  release()
  assert(code == 0, "the watch ended with " .. tostring(code))
  local what = ("%d nodes watched for %d s"):format(NODES, SECONDS)
  return {
    { name = what .. ": % of a core", ours = ("%.1f %%"):format(share), peer = "-", ratio = share, target = "<= 10" },
    { name = what .. ": memory at the end and after a fifth", ours = ("%.1f MB"):format(last),
      peer = ("%.1f MB, most %.1f"):format(memory, most), ratio = last / memory, target = "<= 1.05" },
    { name = what .. ": seconds to end by SIGTERM", ours = ("%.2f s"):format(ended_s), peer = "-", ratio = ended_s,
      target = "<= 2" },
  }
end)
