--- What can be tried of a run that was not recorded: its findings, by the answers that the store keeps of them. They
--- tell whether another number would still find the same; what else the run would have found, nobody knows.

local gravity = require "runtime.gravity"
local runs = require "runtime.runs"
local skill = require "runtime.skill"

local kept = {}

---@class KeptFinding
---@field key string         "object: mechanism"
---@field mechanism string
---@field skill string
---@field callbacks string[]
---@field results any[]      what they answered, in the order in which they were asked
---@field insight table

-- The observations that an insight cites, in their order.
local function cited(insight)
  local ids, seen = {}, {}
  for _, claim in ipairs(type(insight.evidence) == "table" and insight.evidence or {}) do
    local id = type(claim) == "table" and tostring(claim.observation):match "^o%d+$"
    if id and not seen[id] then ids[#ids + 1], seen[id] = id, true end
  end
  table.sort(ids, function(a, b) return tonumber(a:match "%d+") < tonumber(b:match "%d+") end)
  return ids
end

-- Nothing where an answer is not there any more, or several operators saw it together.
local function finding_of(s, one, key)
  local found = { key = key, mechanism = one.mechanism, skill = one.operators[1], callbacks = {}, results = {},
    insight = one.insight }
  for i, id in ipairs(cited(one.insight)) do
    local o = runs.observation(s, one.run, id)
    if not o or o.kind ~= "execute" or o.operator ~= found.skill then return nil end
    found.callbacks[i], found.results[i] = o.callback, o.value
  end
  return #found.results > 0 and found or nil
end

--- The findings of a run that can be tried.
---@param s Store
---@param judged Judged[]   of all runs
---@param number integer    of the run
---@return KeptFinding[]
function kept.of(s, judged, number)
  local list = {}
  for _, one in ipairs(judged) do
    if one.run == number then
      list[#list + 1] = finding_of(s, one, ("%s: %s"):format(one.object, one.mechanism))
    end
  end
  return list
end

-- Whether a check would have asked the same, and what it makes of the answers.
local function confirmed(check, found)
  if #check.look ~= #found.results then return nil end
  local so_far = {}
  for i, look in ipairs(check.look) do
    local call = type(look) == "table" and look or look(so_far)
    if not call then return nil end
    if call[1] ~= found.callbacks[i] then return nil, "it asks something else" end
    so_far[i] = found.results[i]
  end
  return check.confirm(so_far)
end

--- What the checks of today find in them.
---@param findings KeptFinding[]
---@param name? string   only those of this skill
---@return { verdict: string, found: table<string, table>, unanswered: integer }   as a Trial has them
function kept.try(findings, name)
  local found, unanswered = {}, 0
  for _, one in ipairs(findings) do
    local s = (not name or name == one.skill) and skill.open(one.skill)
    for _, check in ipairs(s and s.checks or {}) do
      if check.mechanism == one.mechanism then
        local ok, finding, why = pcall(confirmed, check, one) -- a check that people edit may trip
        if not ok or why then unanswered = unanswered + 1 end
        local key = ok and finding and ("%s: %s"):format(finding.object, one.mechanism)
        if key and gravity.grave[finding.severity] then
          found[key] = { root_cause = { object = finding.object, mechanism = one.mechanism },
            evidence = one.insight.evidence }
        end
      end
    end
  end
  return { verdict = next(found) and "sick" or "healthy", found = found, unanswered = unanswered, observations = {} }
end

return kept
