--- How the analyst reasons from findings to causes: which of several explanations of one thing
--- stands, what goes into a notification, and which notifications are one cause.

local clues = {}

local RANK = { info = 1, warning = 2, critical = 3, low = 1, medium = 2, high = 3 }

-- A finding of a cause that no word names is told as a fact; who reads it may know more.
local NAMELESS = "other"

---@return "info"|"warning"|"critical"?
function clues.graver(a, b)
  if not a then return b end
  return RANK[b] > RANK[a] and b or a
end

-- The gravest first, then the surest; what came first stays first.
local function by_weight(list)
  local place = {}
  for i, item in ipairs(list) do place[item] = i end
  table.sort(list, function(a, b)
    if RANK[a.severity] ~= RANK[b.severity] then return RANK[a.severity] > RANK[b.severity] end
    local sure_a, sure_b = RANK[a.confidence or "medium"], RANK[b.confidence or "medium"]
    if sure_a ~= sure_b then return sure_a > sure_b end
    return place[a] < place[b]
  end)
  return list
end

-- A check names what it gives way to: the same object better explained ("same"), or anything
-- of that kind anywhere on the node ("any"); "*" is every other mechanism. Two of one kind stand
-- beside each other, or two that give way to everything would both be gone.
local function yields(finding, other)
  local lighter = other.severity == "info" and finding.severity ~= "info"
  if other.mechanism == finding.mechanism or lighter then return false end
  local to = finding.check.yields_to or {}
  local how = to[other.mechanism] or to["*"]
  return how == "any" or how == "same" and other.object == finding.object
end

--- The findings that stand beside each other, the leading one first.
---@param findings Finding[]
---@return Finding[]
function clues.settle(findings)
  local standing, seen = {}, {}
  for _, finding in ipairs(findings) do
    local beaten = seen[finding.mechanism .. " " .. finding.object]
    for _, other in ipairs(findings) do beaten = beaten or yields(finding, other) end
    seen[finding.mechanism .. " " .. finding.object] = true
    if not beaten then standing[#standing + 1] = finding end
  end
  return by_weight(standing)
end

--- Says in a finding what was not looked for because of it.
---@param finding Finding
---@param skipped Check[]
function clues.leave_open(finding, skipped)
  local words, seen = {}, { [NAMELESS] = true, [finding.mechanism] = true }
  for _, check in ipairs(skipped) do
    if not seen[check.mechanism] then words[#words + 1] = check.mechanism end
    seen[check.mechanism] = true
  end
  table.sort(words)
  finding.next_steps[#finding.next_steps + 1] = { risk = "SAFE",
    text = ("look again when the node has time: nobody looked for %s, since such a look would have waited with "
      .. "everybody else"):format(table.concat(words, ", ")) }
end

local function figures_text(evidence)
  local parts = {}
  for i, claim in ipairs(evidence) do
    local value = type(claim.value) == "number" and ("%.14g"):format(claim.value) or tostring(claim.value)
    parts[i] = ("%s = %s"):format(claim.path, value)
  end
  return table.concat(parts, ", ")
end

local function considered(unlike)
  local list = {}
  for word, why in pairs(unlike or {}) do list[#list + 1] = { mechanism = word, why_not = why } end
  table.sort(list, function(a, b) return a.mechanism < b.mechanism end)
  return list
end

--- A finding as the arguments of send_notification.
---@param finding Finding
---@param snapshot { id: string }
---@return table
function clues.notification(finding, snapshot)
  local named = finding.mechanism ~= NAMELESS
  local seen = {}
  for _, claim in ipairs(finding.evidence) do seen[claim.observation] = true end
  local looks = {}
  for id in pairs(seen) do looks[#looks + 1] = id end
  table.sort(looks)
  return {
    type = named and finding.mechanism:gsub("_", " ") or "unexplained",
    context = ("Looked for by the check %s, in %s after the snapshot %s."):format(finding.check.id,
      table.concat(looks, " and "), snapshot.id),
    observation = ("%s: %s"):format(finding.object, figures_text(finding.evidence)),
    hypothesis = finding.hypothesis, severity = finding.severity, confidence = finding.confidence or "medium",
    snapshot_ids = { snapshot.id }, evidence = finding.evidence,
    root_cause = named and { object = finding.object, mechanism = finding.mechanism } or nil,
    considered = considered(finding.unlike), next_steps = finding.next_steps, since = finding.since,
  }
end

-- Whether a text names the object as a word of its own, so that "a1" is not found in "a10".
local function names(text, object)
  local at = 1
  while true do
    local first, last = text:find(object, at, true)
    if not first then return false end
    local before, after = text:sub(first - 1, first - 1), text:sub(last + 1, last + 1)
    if not before:find "[%w_]" and not after:find "[%w_]" then return true end
    at = first + 1
  end
end

local function related(a, b)
  return a.root_cause.object == b.root_cause.object or names(a.hypothesis or "", b.root_cause.object)
    or names(b.hypothesis or "", a.root_cause.object)
end

-- Notifications in groups of one cause each, the gravest of a group first.
local function grouped(notifications)
  local groups = {}
  for _, n in ipairs(by_weight(notifications)) do
    local home
    for _, group in ipairs(groups) do
      for _, other in ipairs(group) do
        if not home and related(n, other) then home = group end
      end
    end
    if home then home[#home + 1] = n else groups[#groups + 1] = { n } end
  end
  return groups
end

local function add(list, more, most)
  for _, item in ipairs(more or {}) do
    if #list < most then list[#list + 1] = item end
  end
end

local MOST_EVIDENCE = 12

-- Whether a mechanism elsewhere on the node explains this one away: its check says so.
local function symptom(mechanism, groups, checks)
  for _, check in ipairs(checks) do
    for _, word in ipairs(check.mechanism == mechanism and check.symptom_of or {}) do
      for _, group in ipairs(groups) do
        if group[1].root_cause.mechanism == word then return word end
      end
    end
  end
end

local function insight(group, groups, checks)
  local leader = group[1]
  local ids, matched, evidence = {}, {}, {}
  for i, n in ipairs(group) do
    ids[i], matched[i] = n.id, n.observation
    add(evidence, n.evidence, MOST_EVIDENCE)
  end
  local cause = symptom(leader.root_cause.mechanism, groups, checks)
  local claims = {}
  for i, claim in ipairs(evidence) do
    claims[i] = { observation = claim.observation, path = claim.path, value = claim.value }
  end
  return {
    notification_ids = ids, matched_observations = matched,
    correlation_type = cause and "symptomatic" or #group > 1 and "causal" or "single",
    summary = leader.hypothesis or leader.observation, root_cause_hypothesis = leader.hypothesis,
    root_cause = leader.root_cause, severity = leader.severity,
    confidence = cause and "low" or leader.confidence or "medium",
    evidence = claims, considered = leader.considered, next_steps = leader.next_steps,
  }
end

--- What stands behind the operators' notifications: one insight for each cause, the leading first, and what is perhaps
--- only the sign of another one last, however grave.
--- A notification without a cause becomes none; it stays for the verdict.
---@param notifications table[]
---@param checks Check[]         of all skills
---@return table[]   arguments of produce_insight
function clues.insights(notifications, checks)
  local caused, insights = {}, {}
  for _, n in ipairs(notifications) do
    if n.root_cause and n.status ~= "resolved" and #(n.evidence or {}) > 0 then caused[#caused + 1] = n end
  end
  local groups, symptoms = grouped(caused), {}
  for _, group in ipairs(groups) do
    local one = insight(group, groups, checks)
    table.insert(one.correlation_type == "symptomatic" and symptoms or insights, one)
  end
  for _, one in ipairs(symptoms) do insights[#insights + 1] = one end
  return insights
end

return clues
