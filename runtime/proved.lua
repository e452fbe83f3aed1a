--- What rules proved, and what a model may do with it: explain it, with more figures, more look-alikes and more to do,
--- and say what is only the trace of what. Its words neither drop, nor lower, nor raise what figures proved, and
--- put no other cause in its place; that takes a look, which is an operator's.

local gravity = require "runtime.gravity"

local proved = {}

local MOST_CLAIMS, MOST_STEPS, MOST_CONSIDERED = 16, 10, 12
local RANK = gravity.rank

-- As it is, or as a model was shown it.
local function same_object(case, cause, said)
  return cause.object == said.object or case.clean(cause.object) == said.object
end

local function add(list, more, key, most)
  local seen = {}
  for _, item in ipairs(list) do seen[key(item)] = true end
  for _, item in ipairs(more or {}) do
    if not seen[key(item)] and #list < most then
      list[#list + 1], seen[key(item)] = item, true
    end
  end
end

local function place(claim) return claim.observation .. " " .. claim.path end
local function word(other) return other.mechanism end
local function text(step) return step.text end

--- More that stands beside an insight, each once.
---@param insight table
---@param more { evidence?: Claim[], considered?: table[], next_steps?: table[] }   the claims were checked
function proved.add(insight, more)
  local own = { mechanism = insight.root_cause.mechanism }
  add(insight.evidence, more.evidence, place, MOST_CLAIMS)
  table.insert(insight.considered, 1, own) -- which is not its own look-alike
  add(insight.considered, more.considered, word, MOST_CONSIDERED + 1)
  table.remove(insight.considered, 1)
  add(insight.next_steps, more.next_steps, text, MOST_STEPS)
end

-- The insights by rules that these notifications stand in, each once.
local function insights_of(case, named)
  local list, seen = {}, {}
  for _, n in ipairs(named) do
    local insight = n.by_rules and case.explained[n.id]
    if insight and case.proved[insight] and not seen[insight] then
      list[#list + 1], seen[insight] = insight, true
    end
  end
  return list
end

local function explain(case, insight, others, given)
  local stand, dropped = case.evidence:check_all(given.evidence)
  proved.add(insight, { evidence = stand, considered = given.considered, next_steps = given.next_steps })
  local more = given.root_cause_hypothesis
  insight.root_cause_hypothesis = more and more ~= given.summary and ("%s %s"):format(given.summary, more)
    or given.summary
  for _, other in ipairs(others) do
    if other ~= insight then insight.correlation_type, other.correlation_type = "causal", "symptomatic" end
  end
  return insight, dropped
end

local function only_rules(named)
  local gravest = "info"
  for _, n in ipairs(named) do
    if not n.by_rules then return nil end
    if RANK[n.severity] > RANK[gravest] then gravest = n.severity end
  end
  return gravest
end

--- What becomes of an insight of a model's that names notifications of rules.
---@param case Case
---@param given table     the arguments of produce_insight
---@param named table[]   the notifications that it names
---@return table? insight   of the rules, which it explains now
---@return string|table? why   it is refused; or the claims that fell. Neither: it is one of the model's own
function proved.take(case, given, named)
  local there = insights_of(case, named)
  for _, insight in ipairs(there) do
    local cause = insight.root_cause
    if same_object(case, cause, given.root_cause) and cause.mechanism == given.root_cause.mechanism then
      return explain(case, insight, there, given)
    end
  end
  local gravest = only_rules(named)
  if not gravest then return nil end
  if there[1] then
    local first = there[1]
    return nil, ("root_cause: figures prove %s of %s in %s; say that again to explain it, with what you suspect behind "
      .. "it as root_cause_hypothesis. Another cause takes a look: ask an operator"):format(
      first.root_cause.mechanism, case.clean(first.root_cause.object), first.id)
  end
  if RANK[given.severity] > RANK[gravest] then
    return nil, ("severity: what is named is %s; more takes figures of a look, so ask an operator"):format(gravest)
  end
end

return proved
