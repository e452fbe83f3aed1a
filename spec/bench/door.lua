--- The link by each way through a door, beside the link without one: 10 MB of answer, and small calls one after the
--- other. The door is a real sshd on loopback, with the cipher that it agrees on; beside it a bare stream of as many
--- bytes through the same `ssh -W`, from a socket there to one here, is what ssh itself carries. A container's
--- address is played: docker is a stand-in, and the address loopback's. The console way goes through a shell's pipe
--- and a helper VM, once by ssh and once without.
local uv = require "luv"
local async = require "runtime.async"
local door = require "runtime.door"
local held = require "spec.support.held"
local live = require "spec.support.live_node"
local measure = require "spec.bench.measure"
local node = require "runtime.node"
local over_link = require "spec.bench.over_link"
local files = require "host.files"
local sshd = require "spec.support.sshd"
local ways = require "runtime.door.ways"

local ROUNDS, CALLS, BYTES = 7, 300, 10000000
local SENDER = [["$1" "$2/spec/bench/sender.lua" "$3" & read -r UNTIL_CLOSED; kill $!]]

local function attached(at, via, through)
  local target = assert(ways.read(via))
  target.through = through
  local d = door.new(target, at.name)
  assert(d:ready(async.now() + 45))
  return assert(node.connect { name = d.node, door = d, deadline = async.now() + 45 }), d
end

local function large(n) return over_link.large(n, BYTES) end
local function small(n) return over_link.small(n, CALLS) end

-- A connection that carries nothing but bytes, and is there already, as the link's is.
local function bare(socket)
  local handle = socket:release()
  return function()
    return async.await(function(resume)
      local left = BYTES
      handle:read_start(function(_, bytes)
        left = left - #(bytes or "")
        if left == 0 or not bytes then resume(left == 0) end
      end)
      handle:write "x"
    end, async.now() + 60)
  end
end

local function each_per_second(took) return BYTES / 1e6 / (measure.median(took) / 1000) end
local function each_ms(took) return measure.median(took) / CALLS end

local at = live.start { name = live.own_name "bl_bench_door" }
local server = sshd.start()
local usual = uv.os_getenv "PATH"
uv.os_setenv("PATH", files.root .. "/spec/support/doors:" .. server.path)
uv.os_setenv("DOORS_CONTAINER", "web")
uv.os_setenv("ERL_EPMD_PORT", tostring(held.free_port()))

local rows = {}
local function row(name, ours, peer, ratio, target)
  rows[#rows + 1] = { name = name, ours = ours, peer = peer, ratio = ratio, target = target or "" }
end

async.run(function()
  local forward, d = attached(at, "ssh:node", "forward")
  local console = attached(at, "ssh:node", "console")
  local helper = attached(at, "local", "console")
  local docker = attached(at, "docker:web", "forward")
  local port, release = held.start(SENDER, { files.exe, files.root, tostring(BYTES) }, held.environment("^$", {}))
  port = tonumber(port)
  local bare_ssh = bare(assert(d.ahead.way.connect({ mux = d.ahead.mux, target = d.target, opened = d.ahead.opened,
    at = { address = "127.0.0.1" } }, port)))
  local l0, l1, l2, l3, l4, l5 = measure.turns(ROUNDS, large(at.node), large(forward), large(console),
    large(helper), bare_ssh, large(docker))
  local s0, s1, s2, s3, s4 = measure.turns(ROUNDS, small(at.node), small(forward), small(console), small(helper),
    small(docker))
  local function beside(name, large_ones, small_ones)
    row("10 MB of answer " .. name .. ", beside the direct link", ("%.1f MB/s"):format(each_per_second(large_ones)),
      ("%.1f MB/s direct"):format(each_per_second(l0)), measure.ratio(l0, large_ones))
    row("a small call " .. name .. ", beside the direct link", ("%.3f ms"):format(each_ms(small_ones)),
      ("%.3f ms direct"):format(each_ms(s0)), measure.ratio(small_ones, s0))
  end
  beside("by ssh -W", l1, s1)
  -- What ssh costs comes on top of what the link costs: the door itself has nothing to add to that.
  local both = {}
  for i, took in ipairs(l0) do both[i] = took + l4[i] end
  row("ms of 10 MB of answer by ssh -W, beside the direct link's and ssh's own", ("%.0f"):format(measure.median(l1)),
    ("%.0f + %.0f"):format(measure.median(l0), measure.median(l4)), measure.ratio(l1, both), "<= 1.2")
  beside("by a container's address", l5, s4)
  beside("by a helper through ssh", l2, s2)
  beside("by a helper through a pipe", l3, s3)
  row("MB/s of answers by a helper through ssh", ("%.1f"):format(each_per_second(l2)), "", each_per_second(l2), ">= 1")
  row("ms of a small call by a helper through ssh", ("%.1f"):format(each_ms(s2)), "", each_ms(s2), "<= 150")
  for _, n in ipairs { forward, console, helper, docker } do n:leave() end
  release()
end)
uv.os_setenv("PATH", usual)
server.stop()
at.stop()
return rows
