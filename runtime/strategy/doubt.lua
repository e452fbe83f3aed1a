--- The leading cause, doubted once: a model that has seen nothing of the run is given the claim, its figures and what
--- it may be confused with, and names the other mechanism that would show the same, with the look that would tell. It
--- decides nothing: runtime/strategy/second_look.lua makes the look and goes by the checks.

local agent = require "runtime.agent"
local async = require "runtime.async"
local gravity = require "runtime.gravity"
local json = require "runtime.json"
local log_templates = require "runtime.log_templates"
local mechanism_words = require "runtime.mechanism_words"
local mechanisms = require "runtime.mechanisms"
local second_look = require "runtime.strategy.second_look"
local shapes = require("runtime.tools.operator").shapes
local skill = require "runtime.skill"
local skill_words = require "runtime.skill_words"

local doubt = {}

local TURNS = 3 -- of an answer that does not fit
local TASK = "Doubt what is said to be wrong with the node %s: read it, and call refute or stands."

local object, list, text = shapes.object, shapes.list, shapes.text

-- Callbacks that a person would ask about these mechanisms, by the skill's own names.
local function looks_of(case, words)
  local calls, seen = {}, {}
  for _, s in ipairs(case.skills) do
    for _, check in ipairs(s.checks or {}) do
      for _, look in ipairs(words[check.mechanism] and check.look or {}) do
        local name = type(look) == "table" and skill.resolve(s, look[1])
        if name and s.callbacks[name] and not seen[name] then
          calls[#calls + 1], seen[name] = skill_words.call(name, s.callbacks[name]), true
        end
      end
    end
  end
  table.sort(calls)
  return calls
end

-- What the checks of the mechanism name as better explanations, and what it was told apart from.
local function look_alikes(case, insight)
  local words, rows = {}, {}
  for _, other in ipairs(insight.considered) do words[other.mechanism] = other.why_not end
  for _, s in ipairs(case.skills) do
    for _, check in ipairs(s.checks or {}) do
      for word in pairs(check.mechanism == insight.root_cause.mechanism and check.yields_to or {}) do
        if word ~= "*" then words[word] = words[word] or "" end
      end
    end
  end
  for word, why in pairs(words) do
    rows[#rows + 1] = { mechanism = word, is = mechanisms[word], told_apart = why ~= "" and why or nil }
  end
  table.sort(rows, function(a, b) return a.mechanism < b.mechanism end)
  return rows, words
end

local function quotes_log(case, insight)
  for _, id in ipairs(insight.notification_ids) do
    local n = case:notification(id)
    for _, s in ipairs(case.skills) do
      if n and s.name == n.operator and s.lines then return true end
    end
  end
end

-- As it may leave: the loop masks what is secret, and lines of a log are templates.
local function claim_of(case, insight)
  local rows, words = look_alikes(case, insight)
  words[insight.root_cause.mechanism] = ""
  local as_text = quotes_log(case, insight) and log_templates.of or function(value) return value end
  local figures = {}
  for _, row in ipairs(rows) do row.told_apart = row.told_apart and as_text(row.told_apart) end
  for i, claim in ipairs(insight.evidence) do
    local value = claim.value
    if type(value) == "string" then value = as_text(value) end
    figures[i] = { callback = claim.callback, path = claim.path, value = value }
  end
  return json.object { root_cause = insight.root_cause, severity = insight.severity, says = as_text(insight.summary),
    means = mechanisms[insight.root_cause.mechanism], figures = figures, look_alikes = rows,
    looks = looks_of(case, words) }
end

-- The skill that has the callback, if it may be asked at all.
local function skill_with(case, called)
  for _, s in ipairs(case.skills) do
    local name = skill.resolve(s, called)
    if s.callbacks[name] then
      local ok, why = case.gate:permit(name, s.callbacks[name].class)
      if s.callbacks[name].class ~= "SAFE" then ok, why = nil, name .. " does more than read" end
      return ok and s, ("callback: %s; take another, or call stands"):format(tostring(why))
    end
  end
  return nil, ("callback: there is no %s; the claim names some under looks"):format(called)
end

local function refuted(state, args)
  local case, own = state.case, state.insight.root_cause.mechanism
  local why = mechanism_words.fault(args.mechanism, case:words())
  if why then return nil, "mechanism: " .. why end
  if args.mechanism == own then
    return nil, ("mechanism: %s is what is said; name another, or call stands"):format(own)
  end
  local s
  s, why = skill_with(case, args.callback)
  if not s then return nil, why end
  state.said = { mechanism = args.mechanism, callback = args.callback, arguments = args.arguments or {},
    path = args.path, why = args.why, skill = s }
  return { noted = true }
end

local TOOLS = {
  {
    name = "get_cause",
    doc = "What is said to be wrong, with its figures and look-alikes.",
    parameters = object {},
    repeatable = true,
    from_node = true,
    run = function(state) return claim_of(state.case, state.insight) end,
  },
  {
    name = "stands",
    doc = "No other mechanism fits the figures.",
    parameters = object { why = text() },
    ends = true,
    run = function() return json.object {} end,
  },
  {
    name = "refute",
    doc = "Another mechanism would show the same; the look is made, and the rules look again for both. arguments: the "
      .. "callback's, in their order; path: the figure in its answer that would tell.",
    parameters = object({
      mechanism = text(), callback = text(), arguments = list { type = { "number", "string", "boolean" } },
      path = text(), why = text(),
    }, { "mechanism", "callback", "why" }),
    from_node = true,
    ends = true,
    run = refuted,
  },
}

--- The leading cause, where there is one that somebody should act on.
---@param case Case
---@return table?
function doubt.leading(case)
  local first = case:ordered()[1]
  return first and gravity.grave[first.severity] and first or nil
end

local ANSWERED = { done = true, answer = true }

-- What a model says against it, and what that comes to where it says nothing.
local function asked(case, insight, emit, system)
  local state = { case = case, insight = insight }
  local outcome = agent.run {
    kind = "coordinator", provider = (case.mind.cheap or case.mind.coordinator)(case.skills), system = system,
    tools = TOOLS, task = TASK:format(case.node.name), first = { { id = "first", name = "get_cause", args = {} } },
    deadline = case.deadline, iterations = TURNS, state = state, emit = emit, clean = case.clean,
    purse = case.spending:purse(), led = true,
  }
  return state.said, ANSWERED[outcome.ended] and "stands" or "not_asked"
end

local function unproved(case, looked)
  for _, insight in ipairs(case:ordered()) do
    if gravity.grave[insight.severity] and not case.proved[insight] and not looked[insight]
      and second_look.knows(case, insight.root_cause.mechanism) then return insight end
  end
end

--- What rules know and did not see has to be seen by them before it is called proven, whoever said it: also what an
--- operator told and nobody concluded, which stands for itself at the end. It takes no model.
---@param case Case
---@param crew Crew
---@param emit fun(event: string, measurements?: table, metadata?: table)
function doubt.look_again(case, crew, emit)
  local looked = {}
  while async.now() < crew.deadline do
    case:promote()
    local insight = unproved(case, looked)
    if not insight then return end
    looked[insight] = true
    emit("coordinator.doubted", nil, { id = insight.id, outcome = second_look.make(case, crew, insight, {}) })
  end
end

--- Has the leading cause doubted, and what a second look says stands.
---@param case Case
---@param crew Crew
---@param emit fun(event: string, measurements?: table, metadata?: table)
---@param system string   its prompt
function doubt.carry_out(case, crew, emit, system)
  local insight = doubt.leading(case)
  if not insight then return end
  local said, outcome = asked(case, insight, emit, system)
  if said then outcome = second_look.make(case, crew, insight, said) end
  emit("coordinator.doubted", nil, { id = insight.id, outcome = outcome, mechanism = said and said.mechanism })
end

return doubt
