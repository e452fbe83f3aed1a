--- Questions through a door whose shell carries no link, by `bin/APP rpc` of a mix release and by erl_call: small calls
--- one after the other, and 1 MB of answer. Beside the script stands the script by hand, which boots a VM each time.
local uv = require "luv"
local async = require "runtime.async"
local by_mix = require "spec.support.by_mix"
local door = require "runtime.door"
local held = require "spec.support.held"
local live = require "spec.support.live_node"
local measure = require "spec.bench.measure"
local node = require "runtime.node"
local over_link = require "spec.bench.over_link"
local ways = require "runtime.door.ways"

local ROUNDS, CALLS, BYTES = 5, 50, 1000000
local BY_HAND = "cd %s && ERL_EPMD_PORT=%d RELEASE_DISTRIBUTION=name RELEASE_NODE=%s HOME=%s app/bin/shop rpc 1"

local function entered(at)
  local target = assert(ways.read "local")
  target.through = "rpc"
  local d = door.new(target, at.name)
  local began = uv.hrtime()
  assert(d:ready(async.now() + 120))
  return assert(node.connect { name = d.node, door = d, deadline = async.now() + 45 }), (uv.hrtime() - began) / 1e6
end

local function large(n) return over_link.large(n, BYTES) end
local function small(n) return over_link.small(n, CALLS) end

local mix = live.start { attach = false, name = live.own_name "bl_bench_mix", within = { "sh", "-c", by_mix } }
local plain = live.start { attach = false, name = live.own_name "bl_bench_erl_call" }
uv.os_setenv("ERL_EPMD_PORT", tostring(held.free_port()))

local rows = {}
local function row(name, ours, peer)
  rows[#rows + 1] = { name = name, ours = ours, peer = peer or "", target = "" }
end

async.run(function()
  local by_script, opened = entered(mix)
  local by_erl_call, opened_too = entered(plain)
  local function by_hand()
    return os.execute(BY_HAND:format(mix.home, mix.epmd_port, mix.name, mix.home)) == 0
  end
  local s1, s2, each = measure.turns(ROUNDS, small(by_script), small(by_erl_call), by_hand)
  local l1, l2 = measure.turns(ROUNDS, large(by_script), large(by_erl_call))
  local function tell(name, calls, answers, ms, peer)
    row("ms of a question " .. name, ("%.1f"):format(measure.median(calls) / CALLS), peer)
    row("ms of 1 MB of answer " .. name, ("%.0f"):format(measure.median(answers)))
    row("ms until it is open " .. name, ("%.0f"):format(ms))
  end
  tell("by bin/APP rpc", s1, l1, opened, ("%.0f ms by hand, each"):format(measure.median(each)))
  tell("by erl_call", s2, l2, opened_too)
  by_script:leave()
  by_erl_call:leave()
end)
live.stop_all()
return rows
