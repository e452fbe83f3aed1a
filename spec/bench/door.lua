--- The link by each way through a door, beside the link without one: 10 MB of answer, and small calls one after the
--- other. The door is a real sshd on loopback, with the cipher that it agrees on; what ssh itself carries stands beside
--- it. The console way goes through a shell's pipe and a helper VM, once by ssh and once without.

local uv = require "luv"
local async = require "runtime.async"
local door = require "runtime.door"
local held = require "spec.support.held"
local live = require "spec.support.live_node"
local measure = require "spec.bench.measure"
local node = require "runtime.node"
local sshd = require "spec.support.sshd"
local ways = require "runtime.door.ways"

local ROUNDS, CALLS, BYTES = 7, 300, 10000000
local TEN = "0123456789"

local function attached(at, via, through)
  local target = assert(ways.read(via))
  target.through = through
  local d = door.new(target, at.name)
  assert(d:ready(async.now() + 45))
  return assert(node.connect { name = d.node, door = d, deadline = async.now() + 45 }), d
end

local function large(n)
  return function() return n:call("binary", "copy", { TEN, BYTES / #TEN }, { timeout = 60 }) end
end

local function small(n)
  return function()
    for _ = 1, CALLS do assert(n:call("erlang", "node", {})) end
    return true
  end
end

-- On the connection that is there, so without a login.
local function by_ssh_alone(d)
  return function()
    local pipe = assert(io.popen(("ssh -S %s node 'head -c %d /dev/zero' | wc -c"):format(d.ahead.socket, BYTES)))
    local count = pipe:read "*n"
    pipe:close()
    return count == BYTES
  end
end

local function each_per_second(took) return BYTES / 1e6 / (measure.median(took) / 1000) end
local function each_ms(took) return measure.median(took) / CALLS end

local at = live.start { name = "bl_bench_door@127.0.0.1" }
local server = sshd.start()
local usual = uv.os_getenv "PATH"
uv.os_setenv("PATH", server.path)
uv.os_setenv("ERL_EPMD_PORT", tostring(held.free_port()))

local rows = {}
local function row(name, ours, peer, ratio, target)
  rows[#rows + 1] = { name = name, ours = ours, peer = peer, ratio = ratio, target = target or "" }
end

async.run(function()
  local forward, d = attached(at, "ssh:node", "forward")
  local console = attached(at, "ssh:node", "console")
  local helper = attached(at, "local", "console")
  local l0, l1, l2, l3, l4 = measure.turns(ROUNDS, large(at.node), large(forward), large(console), large(helper),
    by_ssh_alone(d))
  local s0, s1, s2, s3 = measure.turns(ROUNDS, small(at.node), small(forward), small(console), small(helper))
  local function beside(name, large_ones, small_ones)
    row("10 MB of answer " .. name .. ", beside the direct link", ("%.1f MB/s"):format(each_per_second(large_ones)),
      ("%.1f MB/s direct"):format(each_per_second(l0)), measure.ratio(l0, large_ones))
    row("a small call " .. name .. ", beside the direct link", ("%.3f ms"):format(each_ms(small_ones)),
      ("%.3f ms direct"):format(each_ms(s0)), measure.ratio(small_ones, s0))
  end
  beside("by ssh -W", l1, s1)
  row("10 MB of answer by ssh -W, beside ssh itself", ("%.1f MB/s"):format(each_per_second(l1)),
    ("%.1f MB/s ssh | wc"):format(each_per_second(l4)), measure.ratio(l4, l1), ">= 0.8")
  beside("by a helper through ssh", l2, s2)
  beside("by a helper through a pipe", l3, s3)
  row("MB/s of answers by a helper through ssh", ("%.1f"):format(each_per_second(l2)), "", each_per_second(l2), ">= 1")
  row("ms of a small call by a helper through ssh", ("%.1f"):format(each_ms(s2)), "", each_ms(s2), "<= 150")
  for _, n in ipairs { forward, console, helper } do n:leave() end
end)
uv.os_setenv("PATH", usual)
server.stop()
at.stop()
return rows
