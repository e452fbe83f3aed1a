--- Counts what runs came to, by rules. A diagnosis is right when it names the object and the mechanism, with at least
--- one figure that is found again where it was recorded.

local wilson = require "spec.diagnosis.wilson"

---@class Run
---@field case string
---@field kind "sick"|"twin"|"healthy"
---@field truth Truth[]             empty where nothing is wrong
---@field also? Truth[]              true of other work of the node: neither a cause nor a false alarm
---@field accepts? string[]          verdicts that are right where nothing is wrong; healthy alone if left out
---@field verdict? string           none where the run broke
---@field insights { object: string, mechanism: string, severity: string, claims: integer, found: integer }[]
---@field seconds? number

local score = {}

local GRAVE = { warning = true, critical = true }

--- Whether a text names an object as a word of its own, so that a_1 is not found in a_10.
---@param text string
---@param object string   with * at its end, the beginning of a word
---@return boolean
function score.names(text, object)
  local bare, open = object:gsub("%*$", "")
  local at = 1
  while true do
    local first, last = text:find(bare, at, true)
    if not first then return false end
    local before, after = text:sub(first - 1, first - 1), text:sub(last + 1, last + 1)
    if not before:find "[%w_]" and (open == 1 or not after:find "[%w_]") then return true end
    at = first + 1
  end
end

local function matches(insight, truth)
  if insight.mechanism ~= truth.mechanism or insight.found < 1 then return false end
  for _, object in ipairs(truth.objects) do
    if score.names(insight.object, object) then return true end
  end
  return false
end

local function one_of(truths, insight)
  for _, truth in ipairs(truths or {}) do
    if matches(insight, truth) then return true end
  end
  return false
end

-- What was said, without what is true of other work.
local function said_of(run)
  local said = {}
  for _, insight in ipairs(run.insights) do
    if not one_of(run.also, insight) then said[#said + 1] = insight end
  end
  return said
end

-- At which insight each truth is named first; false where it is not.
local function ranks(run, said)
  local list = {}
  for i, truth in ipairs(run.truth) do
    list[i] = false
    for k, insight in ipairs(said) do
      if not list[i] and matches(insight, truth) then list[i] = k end
    end
  end
  return list
end

-- A node that is only busy otherwise may be called so.
local function accepted(run, said)
  if run.verdict == "sick" then return #said < #run.insights end
  for _, verdict in ipairs(run.accepts or { "healthy" }) do
    if run.verdict == verdict then return true end
  end
  return false
end

---@param run Run
---@return { broke: boolean, top1: boolean, named: integer, precision: number, beside: integer, alarm: boolean,
---  abstained: boolean, right: boolean, claims: integer, found: integer }
---  named: of the truths; precision: of the insights up to the last truth, 0 where one is missing; beside: grave
---  insights that name nothing that is wrong
function score.run(run)
  local said = said_of(run)
  local named, last, right, beside, claims, found = 0, 0, 0, 0, 0, 0
  for _, rank in ipairs(ranks(run, said)) do
    if rank then named, last = named + 1, math.max(last, rank) end
  end
  for k, insight in ipairs(said) do
    local true_one = one_of(run.truth, insight)
    if GRAVE[insight.severity] and not true_one then beside = beside + 1 end
    if k <= last and true_one then right = right + 1 end
  end
  for _, insight in ipairs(run.insights) do claims, found = claims + insight.claims, found + insight.found end
  local sick = #run.truth > 0
  local top1 = sick and run.verdict == "sick" and said[1] ~= nil and one_of(run.truth, said[1])
  local calm = not sick and beside == 0 and accepted(run, said)
  return {
    broke = run.verdict == nil, top1 = top1, named = named, beside = beside, claims = claims, found = found,
    precision = sick and named == #run.truth and right / last or 0,
    alarm = not sick and run.verdict ~= nil and (beside > 0 or run.verdict == "sick" and not calm),
    abstained = run.verdict == "cannot_tell", right = run.verdict ~= nil and (top1 or calm),
  }
end

--- The value under which this share of them lies.
function score.quantile(values, share)
  if #values == 0 then return nil end
  local sorted = { unpack(values) }
  table.sort(sorted)
  return sorted[math.max(1, math.ceil(share * #sorted))]
end

local function counted(k, n)
  local low, high = wilson(k, n)
  return { k = k, n = n, low = low, high = high }
end

--- What all the runs come to; every one of them counts, and one that broke is one that was wrong.
---@param runs Run[]
---@return table   shares as { k, n, low, high }
function score.sum(runs)
  local n = { sick = 0, causes = 0, healthy = 0, two = 0, combed = 0 }
  local k = { broke = 0, top1 = 0, named = 0, precision = 0, accused = 0, alarm = 0, right = 0, missed = 0,
    abstained_right = 0, abstained_wrong = 0, claims = 0, found = 0, residue = 0 }
  local seconds = {}
  for _, run in ipairs(runs) do
    local s = score.run(run)
    local sick = #run.truth > 0
    n.sick, n.healthy = n.sick + (sick and 1 or 0), n.healthy + (sick and 0 or 1)
    n.causes, n.two = n.causes + #run.truth, n.two + (#run.truth > 1 and 1 or 0)
    for _, what in ipairs { "broke", "top1", "alarm", "right" } do k[what] = k[what] + (s[what] and 1 or 0) end
    k.named, k.claims, k.found = k.named + s.named, k.claims + s.claims, k.found + s.found
    if #run.truth > 1 then k.precision = k.precision + s.precision end
    if sick and run.verdict == "healthy" then k.missed = k.missed + 1 end
    if sick and s.beside > 0 then k.accused = k.accused + 1 end
    if s.abstained then
      local how = s.right and "abstained_right" or "abstained_wrong"
      k[how] = k[how] + 1
    end
    if run.residue then n.combed = n.combed + 1 end
    if (run.residue or 0) > 0 then k.residue = k.residue + 1 end
    if run.seconds then seconds[#seconds + 1] = run.seconds end
  end
  return {
    runs = #runs, broke = counted(k.broke, #runs), right = counted(k.right, #runs), top1 = counted(k.top1, n.sick),
    any = counted(k.named, n.causes), accused = counted(k.accused, n.sick),
    missed = counted(k.missed, n.sick), alarms = counted(k.alarm, n.healthy),
    grounded = counted(k.found, k.claims), residue = counted(k.residue, n.combed),
    abstained_right = counted(k.abstained_right, #runs), abstained_wrong = counted(k.abstained_wrong, #runs),
    two = n.two, precision_of_two = n.two > 0 and k.precision / n.two or nil,
    median = score.quantile(seconds, 0.5), p95 = score.quantile(seconds, 0.95),
  }
end

return score
