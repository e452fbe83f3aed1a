--- A supervision tree of 1,000 supervisors with 10 workers each: ours reads who started whom and sends nobody a
--- message; beside it stands a recursive supervisor:which_children, compiled on the node for this bench alone, which
--- calls every supervisor and answers with one number.

local etf = require "host.etf"
local async = require "runtime.async"
local crowd = require "spec.support.crowd"
local live = require "spec.support.live_node"
local measure = require "spec.bench.measure"
local skill = require "runtime.skill"

local ROUNDS = 25

local FOREST = [=[
  Leaves = [grove:worker(N) || N <- lists:seq(1, 10)],
  grove:plant(forest, #{}, [#{id => N, type => supervisor,
    start => {supervisor, start_link, [grove, {#{}, Leaves}]}} || N <- lists:seq(1, 1000)]), ok.]=]

return async.run(function()
  local at = live.start()
  crowd.load(at, "grove")
  at.eval(FOREST)
  local sup = assert(skill.open "sup")
  local function peer() return at.node:call("grove", "walk", { etf.A.forest }) end
  assert(peer() == 11000)
  local rows = {
    measure.row("sup_tree(forest), 11,000 processes, names 100", "which_children", "<= 6", ROUNDS,
      function() return skill.call(sup, "sup_tree", { "forest", 3 }, at.node) end, peer),
    measure.row("the sup snapshot there, which counts as the other does", "which_children", "<= 4", ROUNDS,
      function() return skill.snapshot(sup, at.node) end, peer),
  }
  at.stop()
  return rows
end)
