--- What the benches share: medians, turns, and ours beside another's on one live node.

local uv = require "luv"

local measure = {}

--- Where recon is on this machine; Debian has it with RabbitMQ.
---@return string path
function measure.recon_path()
  local pipe = assert(io.popen [[
    ls -d /usr/lib/rabbitmq/lib/*/plugins/recon-*/ebin /usr/lib/erlang/lib/recon-*/ebin 2>/dev/null]])
  local path = pipe:read "*l"
  pipe:close()
  return assert(path, "recon is not here: make deps-bench")
end

---@param values number[]   stays as it is
function measure.median(values)
  local sorted = { unpack(values) }
  table.sort(sorted)
  return sorted[math.ceil(#sorted / 2)]
end

--- The median of the rounds' ratios: the two of a round met the same machine, and the luckiest of each may not have.
---@param mine number[]
---@param theirs number[]
function measure.ratio(mine, theirs)
  local ratios = {}
  for i, took in ipairs(mine) do ratios[i] = took / theirs[i] end
  return measure.median(ratios)
end

--- Milliseconds that this takes; it has to answer something.
function measure.timed(f)
  local start = uv.hrtime()
  assert(f())
  return (uv.hrtime() - start) / 1e6
end

--- Runs all of these in turns, once more than `rounds`, for the first may load something.
---@param rounds integer
---@param ... fun(): any
---@return number[] ...   the milliseconds of each
function measure.turns(rounds, ...)
  local functions, took = { ... }, {}
  for at, f in ipairs(functions) do
    took[at] = {}
    f()
  end
  for i = 1, rounds do
    for at, f in ipairs(functions) do took[at][i] = measure.timed(f) end
  end
  return unpack(took)
end

--- Figures that were measured, as a row of a bench.
---@param name string
---@param unit string
---@param peer string       who it is beside
---@param target? string
---@param ratio? number     where it is not that of the two
function measure.figures(name, unit, ours, peer, theirs, target, ratio)
  return { name = name, ours = ("%.1f %s"):format(ours, unit), peer = ("%.1f %s, %s"):format(theirs, unit, peer),
    ratio = ratio or ours / theirs, target = target or "-" }
end

--- Times of turns, as a row.
function measure.times(name, mine, peer, theirs, target)
  return measure.figures(name, "ms", measure.median(mine), peer, measure.median(theirs), target,
    measure.ratio(mine, theirs))
end

--- Runs both in turns: a row.
---@param name string
---@param peer string
---@param target? string
---@param rounds integer
---@param ours fun(): any
---@param theirs fun(): any
function measure.row(name, peer, target, rounds, ours, theirs)
  local mine, other = measure.turns(rounds, ours, theirs)
  return measure.times(name, mine, peer, other, target)
end

--- Compiles a module into the live node; interpreted loops would measure themselves.
---@param at table        what live_node.start gave
---@param name string     of the module
---@param source string
function measure.compile(at, name, source)
  local path = ("%s/%s.erl"):format(at.home, name)
  local file = assert(io.open(path, "w"))
  file:write(source)
  file:close()
  at.eval("{ok, M, B} = compile:file(binary_to_list(F), [binary]), {module, M} = code:load_binary(M, \"bench\", B).",
    { F = path })
end

--- Processes that do nothing, of seven sizes.
measure.CROWD = [[
  lists:foreach(fun(I) -> spawn_opt(timer, sleep, [infinity], [{min_heap_size, 233 + I rem 7 * 100}]) end,
                lists:seq(1, N)).]]

return measure
