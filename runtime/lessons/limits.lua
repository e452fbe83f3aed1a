--- The limit of a check whose least move ends most of the troubles, and costs no run that was right.

local knobs = require "runtime.lessons.knobs"
local proposal = require "runtime.lessons.proposal"
local search = require "runtime.lessons.search"

local limits = {}

-- The files of all the troubles' checks, each once.
local function files_of(p, troubles)
  local list, seen = {}, {}
  for _, trouble in ipairs(troubles) do
    for _, file in ipairs(p:files_of(trouble)) do
      if not seen[file.path] then list[#list + 1], seen[file.path] = file, true end
    end
  end
  return list
end

-- What the checks cited that stands where the limit has to be.
local function figure_of(move, troubles)
  local low, high = math.min(move.knob.value, move.solved_at), math.max(move.knob.value, move.solved_at)
  local best
  for _, trouble in ipairs(troubles) do
    local insight = trouble.case.before.found[trouble.key]
    for _, claim in ipairs(insight and insight.evidence or {}) do
      local value = claim.value
      local between = type(value) == "number" and value >= low and value <= high
      local off = between and math.abs(value - move.solved_at)
      if off and off <= math.max(1, 0.05 * move.solved_at) and (not best or off < best.off) then
        best = { name = claim.path:match "([^%.%[%]\"]+)$" or claim.path, value = value, off = off }
      end
    end
  end
  return best and { name = best.name, value = best.value }
end

local function better(a, b)
  if not b then return true end
  if #a.solves ~= #b.solves then return #a.solves > #b.solves end
  return a.move.change < b.move.change
end

-- One limit one way: the move, and whose troubles it ends; nil, and why where it would at a price. Searched by the
-- checks of its skill, and then proved by the whole run.
local function try(p, troubles, file, knob, up)
  local function changed(value) return p:with(file.path, knobs.set(file.text, knob, value)) end
  local far = search.far(knob, up)
  local targets = far and p:solved(troubles, changed(far), file.skill) or {}
  if #targets == 0 then return nil end
  local function ends(value) return #p:solved(targets, changed(value), file.skill) == #targets end
  local move, why = search.move(knob, up, ends, function(value) return p:harm(changed(value), file.skill) end)
  if not move then return nil, why end
  targets, why = p:solved(targets, changed(move.to)), p:harm(changed(move.to))
  if why then return nil, ("%s = %s would do, but %s"):format(knob.name, knobs.written(move.to), why) end
  return #targets > 0 and { file = file, move = move, solves = targets } or nil
end

-- The best move of any limit, and why others are none.
local function least_move(p, troubles)
  local best, refusals = nil, {}
  for _, file in ipairs(files_of(p, troubles)) do
    file.text = p:text_of(file.path)
    for _, knob in ipairs(knobs.of(file.text)) do
      for _, up in ipairs { true, false } do
        local found, why = try(p, troubles, file, knob, up)
        if found and better(found, best) then best = found end
        if why then refusals[#refusals + 1] = ("%s: %s"):format(proposal.shown(file.path), why) end
      end
    end
  end
  return best, refusals
end

--- Proposes a move that ends some of the troubles.
---@param p Proposal
---@param troubles table[]   of one kind and mechanism
---@return boolean proposed
---@return string? why       not
function limits.propose(p, troubles)
  local found, refusals = least_move(p, troubles)
  if not found then return false, refusals[1] or "no limit of its checks moved tenfold tells it apart" end
  local file, move = found.file, found.move
  local function changed(value) return knobs.set(file.text, move.knob, value) end
  local price = move.harmed_at and p:harm(p:with(file.path, changed(move.harmed_at)), file.skill) or nil
  p:add(file.path, changed(move.to), { kind = troubles[1].kind, mechanism = troubles[1].mechanism,
    runs = proposal.runs_of(found.solves, true), knob = move.knob.name, line = move.knob.line, from = move.knob.value,
    to = move.to, solved_at = move.solved_at, harmed_at = move.harmed_at, harm = price,
    figure = figure_of(move, found.solves) })
  return true
end

return limits
