--- Fragmentation of all allocators, beside recon_alloc:fragmentation/1, which is compiled and loaded on the node.
--- Ours is interpreted there, so it is slower; what counts is that both are a few milliseconds.

local etf = require "host.etf"
local async = require "runtime.async"
local live = require "spec.support.live_node"
local measure = require "spec.bench.measure"
local skill = require "runtime.skill"

local ROUNDS = 101

return async.run(function()
  local recon = measure.recon_path()
  local at, allocator = live.start { args = { "-pa", recon } }, assert(skill.open "allocator")
  local function ours(name) return function() return skill.call(allocator, name, {}, at.node) end end
  local function theirs() return at.node:call("recon_alloc", "fragmentation", { etf.A.current }) end
  local rows = {
    measure.row("allocator_fragmentation()", "recon_alloc", "-", ROUNDS, ours "allocator_fragmentation", theirs),
    measure.row("allocator_by_type()", "recon_alloc", "-", ROUNDS, ours "allocator_by_type", theirs),
  }
  at.stop()
  return rows
end)
