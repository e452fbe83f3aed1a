--- What the program does without a person: only where the owner's config names a runbook, and of that
--- only what the runbook allows, so often in an hour, not in quiet hours, and first of all dry: until
--- `autonomy.dry_run = false` stands in the config it only tells. No model has a part in it. A finding
--- is found anew by the skills' own checks before anything follows from it.

local action_entry = require "runtime.action_entry"
local actions = require "runtime.actions"
local audit = require "runtime.audit"
local failure = require "runtime.failure"
local gravity = require "runtime.gravity"
local in_use = require "runtime.in_use"
local json = require "runtime.json"
local policy = require "runtime.policy"
local recheck = require "runtime.recheck"
local runbook = require "runtime.runbook"
local skill = require "runtime.skill"
local telemetry = require "runtime.telemetry"

local autonomy = {}

local RANK = gravity.rank
local MINUTES = 60
local MOST_LOOKS = 100 -- each is a question to the node
local NOT_FOUND = "no check finds now what it is for"

---@class Autonomy
---@field runbooks Runbook[]
---@field per_hour integer       of all that runbooks do, on all nodes that this home sees
---@field quiet? { from: integer, to: integer }   minutes of the day, by this machine's clock
---@field dry_run boolean
---@field store? string

local function minute(hour, min)
  hour, min = tonumber(hour), tonumber(min)
  return hour and hour < 24 and min < 60 and hour * MINUTES + min or nil
end

local function quiet_of(text)
  if text == "" then return nil end
  local h1, m1, h2, m2 = text:match "^(%d%d?):(%d%d)%s*%-%s*(%d%d?):(%d%d)$"
  local from, to = minute(h1, m1), minute(h2, m2)
  if from and to and from ~= to then return { from = from, to = to } end
  return nil, failure.in_config({ "autonomy", "quiet_hours" },
    ("autonomy.quiet_hours is no time of day: %s"):format(text), 'write it like "22:00-06:00"')
end

--- What the config says, with its runbooks opened: a slip is told when a run begins, and not at night.
---@param group table       the config's `autonomy`
---@param store? string     where actions are kept; at home, if left out
---@return Autonomy?
---@return Failure? err
function autonomy.settle(group, store)
  local quiet, err = quiet_of(group.quiet_hours)
  if err then return nil, err end
  local list, opened = {}, {}
  for _, name in ipairs(group.runbooks) do
    if not opened[name] then
      opened[name], err = in_use.open("runbook", name, function()
        local r, why = runbook.open(name)
        return r, r and r.version or why
      end)
      if not opened[name] then return nil, err end
      list[#list + 1] = opened[name]
    end
  end
  -- What was done within the hour is counted over all runs, so it is kept whatever else is not.
  return { runbooks = list, per_hour = group.per_hour, quiet = quiet, dry_run = group.dry_run,
    store = store ~= ":memory:" and store or nil }
end

--- What a watch may call beside what is SAFE: the single callbacks that the config names, each of them CAUTION.
--- No word stands for all of a class here, for nobody sits beside it.
---@param group table       the config's `autonomy`
---@param skills Skill[]
---@return true?
---@return Failure? err
function autonomy.check_callbacks(group, skills)
  for i, name in ipairs(group.callbacks or {}) do
    local class
    for _, s in ipairs(skills) do class = class or s.callbacks[name] and s.callbacks[name].class end
    if class ~= "CAUTION" then
      return nil, failure.in_config({ "autonomy", "callbacks", i }, ("autonomy.callbacks: %s is %s"):format(name,
        class and class .. ", and only what is CAUTION can be let" or "no callback of the skills in use"),
        "name single callbacks, or take it out")
    end
  end
  return true
end

--- What `--allow` and the config let a watch call.
---@param o { allow?: string[], autonomy?: table }
---@return string[]?   nil for nothing
function autonomy.allows(o)
  local list = { unpack(o.allow or {}) }
  for _, name in ipairs(o.autonomy and o.autonomy.callbacks or {}) do list[#list + 1] = name end
  return list[1] and list or nil
end

--- Whether it is a time at which nothing is done.
---@param quiet? { from: integer, to: integer }
---@param now integer   minute of the day
---@return boolean
function autonomy.is_quiet(quiet, now)
  if not quiet then return false end
  if quiet.from < quiet.to then return now >= quiet.from and now < quiet.to end
  return now >= quiet.from or now < quiet.to
end

local function by_clock()
  local now = os.date "*t"
  return now.hour * MINUTES + now.min
end

local function allowed(r, name)
  for _, other in ipairs(r.allows) do if other == name then return true end end
  return false
end

-- What is said of a step that was not done, in the report and in the audit.
local function tell(case, r, step, state, message, seen)
  local entry = action_entry.find(step.action)
  local row = {
    id = json.null, node = case.node.name, action = step.action, arguments = json.object(step.arguments),
    class = entry and policy.action(entry.name, entry.class) or "DANGEROUS", object = seen and seen.object or "",
    figures = json.object(seen and seen.figures or {}), reason = step.why, state = state,
    by = { kind = "runbook", name = r.name, version = r.version }, outcome = { message = message },
  }
  case.proposals:tell(row)
  local ok, err = audit.record {
    kind = "runbook." .. state, node = row.node, action = row.action, arguments = row.arguments, object = row.object,
    class = row.class, by = row.by, reason = row.reason, message = message, trace_id = case.trace_id,
  }
  telemetry.emit("runbook." .. state, nil, { runbook = r.name, node = row.node, action = row.action,
    object = row.object, message = ok and message or tostring(err), trace_id = case.trace_id })
end

-- What it would do to what, as the node says now.
local function preview(case, step)
  local entry, err = action_entry.find(step.action)
  if not entry then return nil, err end
  local class = policy.action(entry.name, entry.class)
  if class == "never" then
    return nil, failure.new("gate", "your policy forbids " .. entry.name, "see " .. policy.path(), 5)
  end
  local bound
  bound, err = action_entry.bind(entry, step.arguments)
  if not bound then return nil, err end
  return actions.preview(case.node, entry, { arguments = bound })
end

local function perform(case, r, step, settings)
  local kept, err = actions.store { store = settings.store }
  if not kept then return nil, err end
  local p
  p, err = actions.propose(case.node, step.action, step.arguments, {
    store = kept, reason = step.why, trace_id = case.trace_id,
    by = { kind = "runbook", name = r.name, version = r.version },
  })
  if not p then return nil, err end
  case.proposals:keep(p)
  local per_hour = math.min(settings.per_hour, r.limits and r.limits.per_hour or settings.per_hour)
  local outcome
  outcome, err = actions.perform(case.node, p, { kind = "runbook", name = r.name, version = r.version,
    allows = r.allows, per_hour = per_hour })
  if outcome then return outcome end
  actions.reject(p, tostring(err)) -- what was not done by itself shall not lie there as if a person had to decide
  return outcome, err, p
end

local function one_step(case, r, step, settings, now)
  if step.forbidden then return tell(case, r, step, "refused", step.forbidden) end
  local seen, err = preview(case, step)
  if not seen then return tell(case, r, step, "refused", tostring(err)) end
  if settings.dry_run then
    return tell(case, r, step, "dry_run", "nothing was done; autonomy.dry_run = false in the config lets it", seen)
  end
  if autonomy.is_quiet(settings.quiet, now) then
    return tell(case, r, step, "refused", "these are quiet hours", seen)
  end
  local outcome, why, p = perform(case, r, step, settings)
  if not outcome and not p then return tell(case, r, step, "refused", tostring(why), seen) end
  telemetry.emit("runbook." .. (outcome and "done" or "refused"), nil, { runbook = r.name, node = case.node.name,
    action = step.action, object = seen.object, message = outcome and outcome.message or tostring(why),
    trace_id = case.trace_id })
end

-- What a runbook may look at: what the run's skills show, as the gate permits.
local function looker(case)
  local looks = 0
  return function(name, ...)
    looks = looks + 1
    if looks > MOST_LOOKS then return nil, ("a runbook looks %d times at most"):format(MOST_LOOKS) end
    for _, s in ipairs(case.skills) do
      local callback = s.callbacks[skill.resolve(s, tostring(name))]
      if callback then
        local ok, why = case.gate:permit(name, callback.class)
        if not ok then return nil, tostring(why) end
        local value, err = skill.call(s, name, { ... }, case.node)
        if value == nil then return nil, tostring(err) end
        return value
      end
    end
    return nil, ("the run has no callback %s"):format(tostring(name))
  end
end

local function fits(r, finding)
  local when = r.when
  return finding and (RANK[finding.severity] or 0) >= RANK[when.severity or "warning"]
    and (not when.object or when.object == finding.object)
end

--- What a runbook would do now: its own steps, about what the checks find.
---@param case { node: table, skills: Skill[], gate: Gate }
---@param r Runbook
---@return RunbookStep[]?
---@return Failure|string|nil err
function autonomy.plan(case, r)
  local finding = recheck.find(case, r.when.mechanism)
  if not fits(r, finding) then return nil, NOT_FOUND end
  finding.mechanism = r.when.mechanism
  local steps, err = runbook.steps(r, finding, looker(case))
  if not steps then return nil, err end
  for _, step in ipairs(steps) do
    if not allowed(r, step.action) then
      step.forbidden = ("the runbook %s does not allow %s"):format(r.name, step.action)
    end
  end
  return steps
end

local function follow_one(case, r, settings, now)
  local steps, err = autonomy.plan(case, r)
  if err == NOT_FOUND then
    return telemetry.emit("runbook.not_found_again", nil, { runbook = r.name, node = case.node.name,
      mechanism = r.when.mechanism, trace_id = case.trace_id })
  end
  if not steps then
    return tell(case, r, { action = r.allows[1], arguments = {}, why = r.title }, "refused", tostring(err))
  end
  for _, step in ipairs(steps) do one_step(case, r, step, settings, now) end
end

--- After an investigation: the runbooks for what it found, each once.
---@param case Case
---@param settings Autonomy
---@param now? integer   minute of the day
function autonomy.follow(case, settings, now)
  for _, r in ipairs(settings.runbooks) do
    for _, insight in ipairs(case.insights) do
      if insight.root_cause and insight.root_cause.mechanism == r.when.mechanism then
        follow_one(case, r, settings, now or by_clock())
        break
      end
    end
  end
end

return autonomy
