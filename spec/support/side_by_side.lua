--- For the benches: two ways to the same figure, timed in turns on one live node.

local uv = require "luv"

local side_by_side = {}

--- Where recon is on this machine; Debian has it with RabbitMQ.
---@return string? path
function side_by_side.recon_path()
  local pipe = assert(io.popen [[
    ls -d /usr/lib/rabbitmq/lib/*/plugins/recon-*/ebin /usr/lib/erlang/lib/recon-*/ebin 2>/dev/null]])
  local path = pipe:read "*l"
  pipe:close()
  return path
end

local function median(values)
  local sorted = { unpack(values) }
  table.sort(sorted)
  return sorted[math.ceil(#sorted / 2)]
end

local function timed(f)
  local start = uv.hrtime()
  assert(f())
  return (uv.hrtime() - start) / 1e6
end

--- Runs both in turns, once more than `rounds`, for the first may load something. The ratio is that of the
--- rounds: the two of a round met the same machine, and the luckiest of each may not have.
---@param rounds integer
---@param ours fun(): any
---@param theirs fun(): any
---@return { ours: number, theirs: number, ratio: number }   medians, ms
function side_by_side.run(rounds, ours, theirs)
  local mine, other, ratios = {}, {}, {}
  for i = 0, rounds do
    mine[i], other[i] = timed(ours), timed(theirs)
    ratios[i] = mine[i] / other[i]
  end
  return { ours = median(mine), theirs = median(other), ratio = median(ratios) }
end

--- The same as a row of a bench.
---@param name string
---@param peer string
---@param target string
function side_by_side.row(name, peer, target, rounds, ours, theirs)
  local took = side_by_side.run(rounds, ours, theirs)
  return { name = name, ours = ("%.1f ms"):format(took.ours), peer = ("%.1f ms, %s"):format(took.theirs, peer),
    ratio = took.ratio, target = target }
end

return side_by_side
