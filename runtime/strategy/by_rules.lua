--- The part of a run that needs no model: every operator goes by the checks of its skill, and what they prove becomes
--- insights as the analyst makes them. It is done before a model is asked, so that nothing of it depends on one.

local analyst = require "runtime.llm.analyst"
local clues = require "runtime.llm.clues"

local by_rules = {}

by_rules.mind = { name = "analyst", operator = analyst.operator }

local function checks_of(case)
  local checks = {}
  for _, s in ipairs(case.skills) do
    for _, check in ipairs(s.checks or {}) do checks[#checks + 1] = check end
  end
  return checks
end

--- What these notifications come to, each cause once.
---@param case Case
---@param notifications table[]
---@return table[] insights
function by_rules.conclude(case, notifications)
  local insights = {}
  for _, arguments in ipairs(clues.insights(notifications, checks_of(case))) do
    local insight = case:conclude(arguments)
    if insight then
      insights[#insights + 1], case.proved[insight] = insight, true
    end
  end
  return insights
end

--- An insight of one notification, in the words of the rules.
---@param case Case
---@param n table
---@return table   as produce_insight takes it
function by_rules.words(case, n)
  local unread = setmetatable({ status = "unread" }, { __index = n })
  return clues.insights({ unread }, checks_of(case))[1]
end

--- Everybody looks, and what they found is concluded.
---@param case Case
---@param crew Crew
function by_rules.look(case, crew)
  crew:invite(crew:names(), nil, by_rules.mind)
  crew:wait(crew.deadline)
  by_rules.conclude(case, case.notifications)
end

return by_rules
