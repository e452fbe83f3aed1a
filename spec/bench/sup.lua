--- A supervision tree of 1,000 supervisors with 10 workers each: ours reads who started whom and sends nobody a
--- message; beside it stands a recursive supervisor:which_children, compiled on the node for this bench alone, which
--- calls every supervisor and answers with one number.

local uv = require "luv"
local etf = require "host.etf"
local async = require "runtime.async"
local crowd = require "spec.support.crowd"
local live = require "spec.support.live_node"
local skill = require "runtime.skill"

local ROUNDS = 25

local FOREST = [=[
  Leaves = [grove:worker(N) || N <- lists:seq(1, 10)],
  grove:plant(forest, #{}, [#{id => N, type => supervisor,
    start => {supervisor, start_link, [grove, {#{}, Leaves}]}} || N <- lists:seq(1, 1000)]), ok.]=]

local function median(values)
  local sorted = { unpack(values) }
  table.sort(sorted)
  return sorted[math.ceil(#sorted / 2)]
end

-- Round by round: the two of a round met the same machine.
local function median_ratio(mine, theirs)
  local ratios = {}
  for i, took in ipairs(mine) do ratios[i] = took / theirs[i] end
  return median(ratios)
end

local function timed(f)
  local start = uv.hrtime()
  assert(f())
  return (uv.hrtime() - start) / 1e6
end

return async.run(function()
  local at = live.start()
  crowd.load(at, "grove")
  at.eval(FOREST)
  local sup = assert(skill.open "sup")
  local function peer() return at.node:call("grove", "walk", { etf.A.forest }) end
  assert(peer() == 11000)
  local rows = {}
  for _, ours in ipairs {
    { "sup_tree(forest), 11,000 processes, names 100", "<= 6",
      function() return skill.call(sup, "sup_tree", { "forest", 3 }, at.node) end },
    { "the sup snapshot there, which counts as the other does", "<= 4",
      function() return skill.snapshot(sup, at.node) end },
  } do
    local mine, theirs = {}, {}
    for i = 1, ROUNDS do mine[i], theirs[i] = timed(ours[3]), timed(peer) end
    rows[#rows + 1] = { name = ours[1], ours = ("%.1f ms"):format(median(mine)),
      peer = ("%.1f ms, which_children"):format(median(theirs)), ratio = median_ratio(mine, theirs), target = ours[2] }
  end
  at.stop()
  return rows
end)
