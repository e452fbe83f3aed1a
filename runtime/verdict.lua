--- What a case comes to. Sick: an insight of warning or worse stands. Healthy: every operator
--- ended by itself, and the looks that its snapshots asked for were made and found nothing. Else
--- it cannot be told, and this file says what would tell. No model has a say in it.

local gravity = require "runtime.gravity"
local insight_row = require "runtime.insight_row"
local json = require "runtime.json"
local plain = require "runtime.plain"
local skill = require "runtime.skill"
local suspects = require "runtime.suspects"
local unsaid = require "runtime.unsaid"

local verdict = {}

local GRAVE, proven = gravity.grave, gravity.proven
local BY_ITSELF = { done = true, answer = true }
local LONGEST_WORDS = 200

-- The callbacks of a check that are named beforehand and that the node never answered.
local function unseen(case, check)
  local missing = {}
  for _, look in ipairs(check.look) do
    local name = type(look) == "table" and look[1]
    if name and not case.answered[name] then missing[#missing + 1] = name end
  end
  return missing
end

local function snapshots_of(case, s)
  local values = {}
  for _, o in ipairs(case.evidence:all()) do
    if o.kind == "snapshot" and o.operator == s.name then values[#values + 1] = o.value end
  end
  return values
end

-- What figures prove keeps a node from being healthy by itself; a word without one spares nobody a look.
local function proof(case, s)
  for _, n in ipairs(case.notifications) do
    if n.operator == s.name and proven(n) then return true end
  end
end

--- Why rules can say nothing of a skill that shows this snapshot, where they can say nothing.
---@param s Skill
---@param snapshot table
---@return string?
function verdict.blind(s, snapshot)
  if type(snapshot) == "table" and snapshot.unavailable then
    return ("%s cannot be looked at: %s"):format(s.name, tostring(snapshot.unavailable))
  end
  if #(s.checks or {}) == 0 then
    return ("the skill %s has no checks, so the analyst cannot judge what it saw"):format(s.name)
  end
end

-- What a check still wants whose looks were begun.
local function unread(case, s, check)
  if not case.looks then return nil end
  local again, finding = unsaid.of(case, s, check)
  if again then return { again = again[1], after = again.after, mechanism = check.mechanism } end
  if finding and GRAVE[finding.severity] then
    local shown = ("the looks that were made show %s"):format(check.mechanism)
    return { told = shown .. ", and you did not tell it",
      text = case.clean(("%s of %s, and nobody told it"):format(shown, tostring(finding.object))) }
  end
end

local function last_run(case, s)
  local last
  for _, entry in ipairs(case.operators) do
    if entry.skill == s.name then last = entry end
  end
  return last
end

-- A check of no mechanism names no cause: it has facts for who looks on. Where its sensor cannot be had (another tool
-- has the system monitor), no cause is left unlooked for.
local function causeless(check) return check.mechanism == "other" end

local function spared(case, check, missing)
  if not causeless(check) then return false end
  for _, name in ipairs(missing) do
    if not case.lacking[name] then return false end
  end
  return #missing > 0
end

local function all_causeless(s)
  for _, check in ipairs(s.checks or {}) do
    if not causeless(check) then return false end
  end
  return #(s.checks or {}) > 0
end

-- One look is called for by many checks of a skill: it is told once, with the words of all.
local function told_once(open)
  local list, by = {}, {}
  for _, look in ipairs(open) do
    local key = look.again and look.again .. (look.after or "")
    local same = key and by[key]
    if same then
      same.words[#same.words + 1] = look.mechanism
    else
      list[#list + 1] = look
      if key then by[key], look.words = look, { look.mechanism } end
    end
  end
  for _, look in pairs(by) do
    look.text = ("the answer of %s does not rule out %s; look with it again%s"):format(look.again,
      table.concat(look.words, ", "), look.after and (" %g s later"):format(look.after) or "")
  end
  return list
end

-- What a skill still has to look at: { text, told? } for what is missing as a whole (told: for a model, without words
-- of the node), { mechanism, missing } for the callbacks of a check.
local function open_of(case, s)
  if proof(case, s) then return {} end
  local snapshots, open = snapshots_of(case, s), {}
  if #snapshots == 0 then
    local why = case.unanswered[s.name .. " snapshot"]
    return { { text = ("no snapshot of %s was taken%s"):format(s.name, why and ": " .. why or "") } }
  end
  local seen = {}
  for _, snapshot in ipairs(snapshots) do
    if not (type(snapshot) == "table" and snapshot.unavailable) then seen[#seen + 1] = snapshot end
  end
  -- Nobody can judge what is not to be seen, and rules not what no rule was written for; a model may.
  local blind = verdict.blind(s, seen[1] or snapshots[#snapshots])
  if blind and #seen == 0 and all_causeless(s) then return {} end
  local by_rules = not case.mind.destination or (last_run(case, s) or {}).rules
  if blind and (#seen == 0 or by_rules) then return { { text = blind } } end
  local history = skill.history(s, case.node)
  for _, check in ipairs(s.checks or {}) do
    local suspect = false
    for _, snapshot in ipairs(seen) do suspect = suspect or suspects.is(check, snapshot, history) end
    local missing = suspect and unseen(case, check) or {}
    if not spared(case, check, missing) then
      open[#open + 1] = #missing > 0 and { mechanism = check.mechanism, missing = missing }
        or suspect and unread(case, s, check) or nil
    end
  end
  return told_once(open)
end

--- What a skill still has to look at before its domain can be called healthy, for who looks.
---@param case Case
---@param s Skill
---@return string[]
function verdict.open_looks(case, s)
  local texts = {}
  for i, look in ipairs(open_of(case, s)) do
    texts[i] = look.told or look.text or ("the snapshot does not rule out %s; look with %s"):format(look.mechanism,
      table.concat(look.missing, ", "))
  end
  return texts
end

local ENDED = {
  iterations = "used up its steps",
  deadline = "ran out of time: give it more with --deadline",
  budget = "used up its budget",
  provider = "lost its model",
  interrupted = "was interrupted",
  crashed = "crashed",
  node = "lost its node",
}

-- What the config limits, it may allow more of.
local function why_ended(who, ended, why)
  return ("%s %s%s%s"):format(who, ENDED[ended] or "did not end", why and (": " .. why) or "",
    why and why:find "^limits%." and "; the config may set more" or "")
end

local function add(list, more)
  for _, text in ipairs(more) do list[#list + 1] = text end
end

local function lost(case) return case.node.state ~= "up" end

-- What was seen before is of a node that is gone, and says nothing of the one that there is.
local function restarted(case) return case.node.lives ~= case.lives end

-- The looks that a skill still wants, by what kept them from being made.
local function not_made(case, s)
  local by_reason, order, reasons = {}, {}, {}
  for _, look in ipairs(open_of(case, s)) do
    for _, name in ipairs(look.missing or {}) do
      local why = case.unanswered[name] or "not asked for, though the snapshot does not rule it out"
      if not by_reason[why] then
        by_reason[why] = {}
        order[#order + 1] = why
      end
      by_reason[why][name] = true
    end
    reasons[#reasons + 1] = look.text
  end
  for _, why in ipairs(order) do
    local names = {}
    for name in pairs(by_reason[why]) do names[#names + 1] = name end
    table.sort(names)
    reasons[#reasons + 1] = ("look with %s (%s)"):format(table.concat(names, ", "), why)
  end
  return reasons
end

local function reasons_of_skill(case, s)
  local entry = last_run(case, s)
  if not entry then return { ("%s was never looked at"):format(s.name) } end
  local reasons = {}
  if not BY_ITSELF[entry.ended] then
    reasons[1] = why_ended(("the %s operator"):format(s.name), entry.ended, entry.why)
  end
  add(reasons, not_made(case, s))
  return reasons
end

-- Why the run as a whole could not do its work; then what else is missing follows from it.
local function cut_short(case)
  if lost(case) then
    local why = case.node.link and case.node.link.closed
    return why and tostring(why) or ("the link to %s was lost during the run"):format(case.node.name)
  end
  if restarted(case) then
    return ("%s was restarted during the run: see in its log or crash dump why, and run again"):format(case.node.name)
  end
  if case.ended and not BY_ITSELF[case.ended] then return why_ended("the coordinator", case.ended, case.why) end
end

-- A model that only talks: its words, for they may say why.
local function only_talk(case)
  if case.ended ~= "answer" or #case.operators > 0 then return nil end
  return ("the model ended without a look; it said: %s"):format(plain.cut(case.said or "", LONGEST_WORDS))
end

local function reasons_of(case)
  if #case.skills == 0 then return { "no skill was given, so nothing was looked at" } end
  local reasons = { cut_short(case) or only_talk(case) }
  if #reasons == 0 then
    for _, s in ipairs(case.skills) do add(reasons, reasons_of_skill(case, s)) end
  end
  for _, n in ipairs(case.notifications) do
    local said, text = n.observation, nil
    if proven(n) and n.status == "resolved" then
      -- Words do not undo figures: whoever set it aside may have read them in a log.
      text = "its figures stand, and it was set aside: " .. (n.set_aside or "nobody said why")
    elseif proven(n) then
      local step = n.next_steps[1]
      said, text = n.hypothesis or said, "its cause was not found" .. (step and "; " .. step.text or "")
    elseif GRAVE[n.severity] and n.status ~= "resolved" then
      text = "no figure bears it out"
    end
    if text then reasons[#reasons + 1] = ("%s says: %s; %s"):format(n.id, said:gsub("%.$", ""), text) end
  end
  return reasons
end

---@param case Case
---@return "sick"|"healthy"|"cannot_tell"
---@return string[] would_tell   what is missing for a verdict; empty unless it cannot be told
function verdict.of(case)
  for _, insight in ipairs(case.insights) do
    if GRAVE[insight.severity] then return "sick", {} end
  end
  local reasons = reasons_of(case)
  return #reasons == 0 and "healthy" or "cannot_tell", reasons
end

local NAMED_INCOMPLETE = { deadline = true, budget = true, iterations = true, provider = true, interrupted = true,
  crashed = true }

-- Why the run has less than it should, the coordinator's own reason first, and whose it is. Who looked again made good
-- what was missed.
local function incomplete(case)
  if NAMED_INCOMPLETE[case.ended or ""] then return case.ended, "the coordinator", case.why end
  for _, s in ipairs(case.skills) do
    local entry = last_run(case, s)
    if entry and NAMED_INCOMPLETE[entry.ended or ""] then
      return entry.ended, ("the %s operator"):format(s.name), entry.why
    end
  end
  return json.null
end

-- The same as a sentence, with the limit that was reached and what to do.
local function why_incomplete(case)
  local ended, who, why = incomplete(case)
  return ended ~= json.null and case.clean(why_ended(who, ended, why)) or nil
end

-- The last snapshot of each skill: what a healthy verdict rests on.
local function looks(case)
  local list = {}
  for _, s in ipairs(case.skills) do
    local last
    for _, o in ipairs(case.evidence:all()) do
      if o.kind == "snapshot" and o.operator == s.name then last = o end
    end
    if last then
      list[#list + 1] = { skill = s.name, observation = last.id, figures = json.object(last.value) }
    end
  end
  return list
end

local function load_of(case)
  local now, before = case.node.load, case.load_before
  return {
    calls = now.calls - before.calls, reductions = now.reductions - before.reductions,
    bytes = now.bytes - before.bytes, max_ms = math.floor(now.max_ms + 0.5),
  }
end

local function rows(list, fields)
  local out = {}
  for i, item in ipairs(list) do
    out[i] = {}
    for _, field in ipairs(fields) do out[i][field] = item[field] == nil and json.null or item[field] end
  end
  return out
end

local function insights_of(case)
  local list = case:ordered()
  for i, insight in ipairs(list) do list[i] = insight_row.of(case, insight) end
  return list
end

local NOTIFICATION = {
  "id", "node", "operator", "type", "severity", "context", "observation", "hypothesis", "snapshot_ids", "detected_at",
}

--- The report, in the form of `--json`.
---@param case Case
---@return table
function verdict.report(case)
  local found, would_tell = verdict.of(case)
  return {
    schema = 1, verdict = found, would_tell = would_tell, trace_id = case.trace_id, nodes = { case.node.name },
    reason = case.reason, incomplete = (incomplete(case)),
    incomplete_why = why_incomplete(case), lost = lost(case), restarted = restarted(case),
    insights = insights_of(case), language = insight_row.language(case),
    notifications = rows(case.notifications, NOTIFICATION),
    operators = rows(case.operators, { "node", "skill", "state", "iterations" }), looks = looks(case),
    actions = case.proposals:rows(), usage = case:spent(), target_load = load_of(case),
    footprint = case.node:footprint() or json.null, versions = case.versions:report(),
  }
end

return verdict
