--- A doubt, decided by the checks: both the cause that was named and the one that is held against it are looked for
--- anew. The cause is confirmed, or the other one takes its place, or neither is there any more and it is lowered, so
--- that nobody calls it proven. What could not be looked at changes nothing.
---
--- A cause that a model alone has named, of a mechanism that rules know, is looked for so too: they looked, and said
--- nothing of it.

local analyst = require "runtime.llm.analyst"
local async = require "runtime.async"
local by_rules = require "runtime.strategy.by_rules"
local clues = require "runtime.llm.clues"
local proved = require "runtime.proved"

local second_look = {}

-- One look that shows nothing may have fallen into a pause of what goes on; two have not.
local LOOKS = 2
-- A round of looks takes 2 to 6 s; more is a window that a model has chosen, and nobody waits for it in an alarm.
local LONGEST_S = 30
local MOST_FIGURES = 3 -- of the second look, beside those of the first

local function literal(value) return type(value) == "string" and ("%q"):format(value) or tostring(value) end

local function script(said, n)
  local args = {}
  for i, value in ipairs(said.arguments) do args[i] = literal(value) end
  return ("return %s(%s) -- doubt %d"):format(said.callback, table.concat(args, ", "), n)
end

local function has_checks(s, words)
  for _, check in ipairs(s.checks or {}) do
    if words[check.mechanism] then return true end
  end
end

-- What each skill saw that has something to look for.
local function look(case, crew, words, said, n)
  local seen, names, states = {}, {}, {}
  local asked = said.skill and said.skill.name
  for _, s in ipairs(case.skills) do
    if s.name == asked or has_checks(s, words) then names[#names + 1] = s.name end
  end
  local mind = { name = "analyst", operator = function(s, history)
    return analyst.again(s, history, { mechanisms = words, code = s.name == asked and script(said, n) or nil,
      seen = function(_, got) seen[s.name] = got end })
  end }
  for _, status in ipairs(crew:statuses()) do states[status.skill] = status.state end
  local until_then = crew.deadline
  crew.deadline = math.min(until_then, async.now() + LONGEST_S)
  crew:invite(names, nil, mind)
  for _, name in ipairs(names) do crew.entries[name].state = states[name] or crew.entries[name].state end
  crew:wait(crew.deadline)
  crew.deadline = until_then
  return { seen = seen, names = names }
end

local function same(insight, finding, case)
  local object = insight.root_cause.object
  return finding.object == object or case.clean(finding.object) == object
end

-- The finding of a mechanism, of the object of the insight.
local function found(case, looked, insight, mechanism)
  for _, name in ipairs(looked.names) do
    local judged = looked.seen[name] and looked.seen[name].judged
    for _, finding in ipairs(judged and judged.findings or {}) do
      if finding.mechanism == mechanism and same(insight, finding, case) then
        return { skill = name, finding = finding, snapshot = judged.snapshot }
      end
    end
  end
end

local function incomplete(looked)
  for _, name in ipairs(looked.names) do
    local got = looked.seen[name]
    if not got or got.why or #got.judged.failed > 0 then return true end
  end
end

-- What the look that was asked for showed, where it was said.
local function shown(case, looked, said)
  local got = said.skill and looked.seen[said.skill.name]
  if not (got and got.call and got.call.ok and said.path) then return "" end
  local data = got.call.data
  local value = case.evidence:value(data.observation, said.path)
  if value == nil or type(value) == "table" then return "" end
  return ("; %s of %s is %s (%s)"):format(said.path, said.callback, tostring(value), data.observation)
end

local function considered(insight, mechanism, text)
  for _, other in ipairs(insight.considered) do
    if other.mechanism == mechanism then
      other.why_not = ("%s; %s"):format(other.why_not, text)
      return
    end
  end
  table.insert(insight.considered, { mechanism = mechanism, why_not = text })
end

local function confirm(case, insight, again, said, looked)
  local claims, first = {}, again.finding.evidence[1]
  for i = 1, math.min(MOST_FIGURES, #again.finding.evidence) do claims[i] = again.finding.evidence[i] end
  proved.add(insight, { evidence = (case.evidence:check_all(claims)) })
  if said.mechanism then
    considered(insight, said.mechanism, ("doubted, and not there at a second look, which showed %s again: %s = %s "
      .. "(%s)%s"):format(insight.root_cause.mechanism, first.path, tostring(first.value), first.observation,
      shown(case, looked, said)))
  end
  insight.hypothesis_grounded = insight.hypothesis_grounded
    or case.evidence:grounded(insight.evidence, insight.root_cause.mechanism, insight.considered)
  case:told_again(insight, {})
  return "confirmed"
end

-- What else stood in an insight that is none any more, stands for itself.
local function let_go(case, insight, why)
  local was = insight.root_cause
  for _, id in ipairs(insight.notification_ids) do
    local n = case:notification(id)
    local cause = n.root_cause
    if cause and (cause.mechanism ~= was.mechanism or cause.object ~= was.object) then
      case.explained[id], n.insight, n.status = nil, nil, "unread"
    else
      n.set_aside = why
    end
  end
  insight.notification_ids = {}
end

local function lower(case, insight, said, looked)
  local ids = insight.notification_ids
  local why = ("%s was not to be seen when it was looked for again%s"):format(insight.root_cause.mechanism,
    shown(case, looked, said))
  let_go(case, insight, why)
  insight.notification_ids = ids
  insight.severity, insight.confidence, case.proved[insight] = "info", "low", nil
  case:told_again(insight, {})
  return "lowered"
end

local REPLACED = { "summary", "severity", "confidence", "root_cause", "root_cause_hypothesis", "matched_observations",
  "considered", "next_steps", "correlation_type" }

local function another(case, insight, cause)
  for _, other in ipairs(case.insights) do
    local c = other.root_cause
    if other ~= insight and c.object == cause.object and c.mechanism == cause.mechanism then return other end
  end
end

local function replace(case, insight, other, said, looked)
  local n = case:notify(other.skill, clues.notification(other.finding, other.snapshot), true)
  if not n or another(case, insight, n.root_cause) then return lower(case, insight, said, looked) end
  local was = insight.root_cause
  let_go(case, insight, ("a second look showed %s in its place"):format(said.mechanism))
  local now = by_rules.words(case, n)
  for _, field in ipairs(REPLACED) do insight[field] = now[field] end
  insight.evidence, insight.since, case.proved[insight] = n.evidence, n.since, true
  considered(insight, was.mechanism, "it was named at first, and a second look showed this in its place")
  insight.hypothesis_grounded =
    case.evidence:grounded(insight.evidence, insight.root_cause.mechanism, insight.considered)
  case:told_again(insight, { n })
  return "replaced"
end

--- Whether any rule knows the signs of a mechanism.
---@param case Case
---@param mechanism string
---@return boolean
function second_look.knows(case, mechanism)
  for _, s in ipairs(case.skills) do
    if has_checks(s, { [mechanism] = true }) then return true end
  end
  return false
end

--- Looks again, and lets the insight be what the looks say.
---@param case Case
---@param crew Crew
---@param insight table
---@param said { mechanism?: string, callback?: string, arguments?: any[], path?: string, skill?: Skill }   what is
---  held against it, and a look of the skill's; nothing where it is only looked for again
---@return "confirmed"|"replaced"|"lowered"|"not_made" outcome
function second_look.make(case, crew, insight, said)
  local own = insight.root_cause.mechanism
  local words, judged, looked = { [own] = true, [said.mechanism or own] = true }, second_look.knows(case, own), nil
  for n = 1, LOOKS do
    looked = look(case, crew, words, said, n)
    local again = found(case, looked, insight, own)
    if again then return confirm(case, insight, again, said, looked) end
    local other = said.mechanism and found(case, looked, insight, said.mechanism)
    if other then return replace(case, insight, other, said, looked) end
    if not judged or incomplete(looked) then return "not_made" end -- no rule knows its signs, or not all was seen
  end
  return lower(case, insight, said, looked)
end

return second_look
