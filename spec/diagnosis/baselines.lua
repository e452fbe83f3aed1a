--- What the analyst is set beside, on the same sensors. `thresholds`: each snapshot against fixed limits, the way
--- static alerts work, with the first of a list as the object. `one_pass`: one snapshot and one round of looks with the
--- analyst's own knowledge, and nothing looked at twice. Both give what a report gives.

local async = require "runtime.async"
local clues = require "runtime.llm.clues"
local evidence = require "runtime.evidence"
local rounds = require "runtime.llm.rounds"
local skill = require "runtime.skill"

local baselines = {}

local LISTENS_S = 2

-- The limits that guides to monitoring name. `top`: the callback whose first row names the object, and which field.
local LIMITS = {
  { skill = "beam", figure = "max_message_queue", limit = 1000, mechanism = "slow_consumer",
    top = { "beam_top_processes", 1, "message_queue" }, rows = "processes", field = { "name", "pid" } },
  { skill = "beam", figure = "process_utilization_pct", limit = 80, mechanism = "process_leak", object = "processes" },
  { skill = "beam", figure = "atom_utilization_pct", limit = 80, mechanism = "atom_leak", object = "atom_table" },
  { skill = "beam", figure = "port_utilization_pct", limit = 80, mechanism = "socket_leak", object = "ports" },
  { skill = "beam", figure = "run_queue", limit = 10, mechanism = "cpu_saturation",
    top = { "beam_top_processes", 1, "reductions" }, rows = "processes", field = { "name", "current_function" } },
  { skill = "beam", figure = "binary_memory_mb", limit = 100, mechanism = "binary_refs_held", object = "binaries" },
  { skill = "beam", figure = "processes_mb", limit = 100, mechanism = "unbounded_state",
    top = { "beam_top_processes", 1, "memory" }, rows = "processes", field = { "name", "pid" } },
  { skill = "ets", figure = "largest_table_mb", limit = 50, mechanism = "ets_growth",
    top = { "ets_top_tables", 1, "memory" }, rows = "tables", field = { "name", "id" } },
  { skill = "logger", figure = "error_count", limit = 50, mechanism = "log_storm", object = "logger" },
  { skill = "exception", figure = "total", limit = 5, mechanism = "dependency_error_storm", object = "exceptions" },
  { skill = "vm_events", figure = "busy_port", limit = 1, mechanism = "slow_reader", object = "ports" },
  { skill = "vm_events", figure = "busy_dist_port", limit = 1, mechanism = "busy_dist_port", object = "distribution" },
}

local function reported(insights, unseen)
  local verdict = #insights > 0 and "sick" or #unseen > 0 and "cannot_tell" or "healthy"
  return { verdict = verdict, would_tell = unseen, insights = insights }
end

-- Every skill's figures as observations; what could not be seen apart.
local function seen_of(link, skills, book)
  local seen, unseen = {}, {}
  if link.relays then link.relays:begin(skills) end
  async.sleep(LISTENS_S) -- what is heard has to have time to happen
  for _, s in ipairs(skills) do
    local figures = skill.snapshot(s, link)
    if type(figures) == "table" and not figures.unavailable then
      seen[s.name] = { skill = s, figures = figures,
        id = book:add { kind = "snapshot", operator = s.name, callback = s.name .. "_snapshot", value = figures } }
    else
      unseen[#unseen + 1] = s.name
    end
  end
  return seen, unseen
end

local function object_of(rule, s, link)
  if rule.object then return rule.object end
  local answer = skill.call(s, rule.top[1], { unpack(rule.top, 2) }, link)
  local row = type(answer) == "table" and type(answer[rule.rows]) == "table" and answer[rule.rows][1] or {}
  for _, field in ipairs(rule.field) do
    if type(row[field]) == "string" then return row[field] end
  end
  return "unknown"
end

---@param link table
---@param skills Skill[]
---@return table report
---@return Evidence
function baselines.thresholds(link, skills)
  local book = evidence.new()
  local seen, unseen = seen_of(link, skills, book)
  local insights = {}
  for _, rule in ipairs(LIMITS) do
    local one = seen[rule.skill]
    local value = one and one.figures[rule.figure]
    if type(value) == "number" and value >= rule.limit then
      insights[#insights + 1] = { severity = "warning", confidence = "medium",
        root_cause = { object = object_of(rule, one.skill, link), mechanism = rule.mechanism },
        evidence = { { observation = one.id, path = rule.figure, value = value } } }
    end
  end
  return reported(insights, unseen), book
end

-- The first look of every check that the snapshot does not acquit, as if it had been made as often as the check wants.
local function first_round(one, link, book)
  local all = rounds.new(one.skill.checks or {}, one.figures, function() return {} end)
  local round = all:each()()
  local looks_made = {}
  for i, look in ipairs(round and round.looks or {}) do
    looks_made[i] = function()
      local value = skill.call(one.skill, look.call[1], { unpack(look.call, 2) }, link)
      if type(value) ~= "table" then return end
      look.value = value
      look.observation = book:add { operator = one.skill.name, callback = look.call[1], value = value }
    end
  end
  async.all(looks_made)
  local findings = {}
  for _, run in ipairs(round and round.runs or {}) do
    local look = run.looks[1]
    local same, looks = {}, {}
    for i = 1, #run.check.look do same[i], looks[i] = look.value, look end
    local ok, finding = pcall(run.check.confirm, same)
    if look.value ~= nil and ok and finding then
      finding.check, finding.mechanism, finding.evidence = run.check, run.check.mechanism, {}
      for i, figure in ipairs(finding.figures or {}) do
        finding.evidence[i] = { observation = looks[figure.look].observation, path = figure.path, value = figure.value }
      end
      findings[#findings + 1] = finding
    end
  end
  return clues.settle(findings)
end

---@param link table
---@param skills Skill[]
---@return table report
---@return Evidence
function baselines.one_pass(link, skills)
  local book = evidence.new()
  local seen, unseen = seen_of(link, skills, book)
  local insights, by_skill, all = {}, {}, {}
  for i, s in ipairs(skills) do
    all[i] = function() by_skill[i] = seen[s.name] and first_round(seen[s.name], link, book) or {} end
  end
  async.all(all)
  for i in ipairs(skills) do
    for _, finding in ipairs(by_skill[i] or {}) do
      if finding.mechanism ~= "other" then
        insights[#insights + 1] = { severity = finding.severity, confidence = finding.confidence or "medium",
          evidence = finding.evidence, root_cause = { object = finding.object, mechanism = finding.mechanism } }
      end
    end
  end
  return reported(insights, unseen), book
end

return baselines
