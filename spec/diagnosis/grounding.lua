--- Whether a claim of a report is found again where it says: the observation as it was recorded, the path, the value.
--- Written apart from what the program checks claims with, or its slips would pass here as well.

local grounding = {}

local function follow(value, path)
  local rest = path
  while #rest > 0 do
    if type(value) ~= "table" then return nil end
    local quoted, after_quoted = rest:match '^%["(.-)"%](.*)$'
    local index, after_index = rest:match "^%[(%d+)%](.*)$"
    local name, after_name = rest:match "^%.?([^%.%[]+)(.*)$"
    if quoted then
      value, rest = value[quoted], after_quoted
    elseif index then
      value, rest = value[tonumber(index)], after_index
    elseif name then
      value, rest = value[name], after_name
    else
      return nil
    end
  end
  return value
end

---@param claim { observation: string, path: string, value: any }
---@param observation fun(id: string): { value: any }?
---@return boolean
function grounding.found(claim, observation)
  local o = observation(claim.observation)
  if not o then return false end
  local value = follow(o.value, claim.path)
  return value ~= nil and type(value) ~= "table" and value == claim.value
end

--- What the insights of a report accuse, with how many of their claims were found again.
---@param report table
---@param observation fun(id: string): { value: any }?
---@return table[]
function grounding.insights(report, observation)
  local list = {}
  for i, insight in ipairs(report.insights) do
    local found = 0
    for _, claim in ipairs(insight.evidence) do
      found = found + (grounding.found(claim, observation) and 1 or 0)
    end
    list[i] = { object = insight.root_cause.object, mechanism = insight.root_cause.mechanism,
      severity = insight.severity, confidence = insight.confidence, claims = #insight.evidence, found = found }
  end
  return list
end

return grounding
