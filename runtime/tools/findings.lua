--- What rules found, for a model that goes on from there. Lines of a log stand in it as templates, as they do wherever
--- they leave; figures are as they were measured, and can be cited.

local json = require "runtime.json"
local log_templates = require "runtime.log_templates"
local shapes = require("runtime.tools.operator").shapes
local verdict = require "runtime.verdict"

-- Texts of a skill that reads a log may quote it.
local function texts_of(case)
  local quoting = {}
  for _, s in ipairs(case.skills) do quoting[s.name] = s.lines ~= nil end
  return function(skill, text)
    return quoting[skill] and type(text) == "string" and log_templates.of(text) or text
  end
end

local function claims(list, skill, as_text)
  local out = {}
  for i, claim in ipairs(list) do
    out[i] = { observation = claim.observation, path = claim.path, value = as_text(skill, claim.value) }
  end
  return out
end

-- Rows with one of their fields as a text that may leave.
local function worded(list, field, skill, as_text)
  local out = {}
  for i, row in ipairs(list) do
    out[i] = {}
    for key, value in pairs(row) do out[i][key] = key == field and as_text(skill, value) or value end
  end
  return out
end

local function notifications(case, as_text)
  local rows = {}
  for i, n in ipairs(case.notifications) do
    local by = n.operator
    rows[i] = { id = n.id, operator = by, severity = n.severity, insight = n.insight, root_cause = n.root_cause,
      hypothesis = as_text(by, n.hypothesis or n.observation), evidence = claims(n.evidence, by, as_text),
      considered = worded(n.considered, "why_not", by, as_text),
      next_steps = worded(n.next_steps, "text", by, as_text) }
  end
  return rows
end

local function insights(case)
  local rows = {}
  for i, insight in ipairs(case:ordered()) do
    rows[i] = { id = insight.id, severity = insight.severity, confidence = insight.confidence,
      correlation_type = insight.correlation_type, root_cause = insight.root_cause,
      notification_ids = insight.notification_ids, proved = case.proved[insight] }
  end
  return rows
end

local UNFINISHED = "its operator did not end by itself"

local function left_open(case, statuses)
  local open = {}
  for _, s in ipairs(case.skills) do
    local texts = verdict.open_looks(case, s)
    for _, status in ipairs(statuses) do
      if status.skill == s.name and status.incomplete then texts[#texts + 1] = UNFINISHED end
    end
    if #texts > 0 then open[#open + 1] = { skill = s.name, open = texts } end
  end
  for _, n in ipairs(case.notifications) do
    if not n.root_cause then open[#open + 1] = { notification = n.id, open = { "no rule knows its cause" } } end
  end
  return open
end

return {
  name = "get_findings",
  doc = "What the rules proved, and what they left open.",
  parameters = shapes.object {},
  repeatable = true,
  from_node = true,
  run = function(state)
    local case = state.case
    local as_text = texts_of(case)
    return json.object { insights = insights(case), notifications = notifications(case, as_text),
      left_open = left_open(case, state.crew:statuses()) }
  end,
}
