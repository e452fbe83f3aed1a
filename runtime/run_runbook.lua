--- The action that runs a runbook of the owner's with a person's word for it: what its steps would do is
--- worked out when it is proposed, and exactly these steps, with the objects that they were for, are what is
--- approved. Each is then an action of its own, checked and done in one query, with its own lines in the
--- audit and its own undo. It answers by functions where other actions answer by a text of Erlang.

local etf = require "host.etf"
local json = require "runtime.json"

local A, tuple = etf.A, etf.tuple

-- Called when they are needed: an action knows nothing of those that know all actions.
local function of(name) return require("runtime." .. name) end

local function refused(why) return tuple(A.refused, tostring(why)) end
local function changed(why) return tuple(A.changed, tostring(why)) end

-- What a run would have: the skills whose checks know this trouble, and leave for nothing but what is SAFE.
local function case_for(node, mechanism)
  local skill, skills = of "skill", {}
  for _, name in ipairs(skill.names()) do
    local s = skill.open(name)
    for _, check in ipairs(s and s.checks or {}) do
      if check.mechanism == mechanism then
        skills[#skills + 1] = s
        break
      end
    end
  end
  return { node = node, skills = skills, gate = of("gate").new {} }
end

-- Its version, and { action, arguments as JSON, object, identity, why } of each step: the identity of all of it.
local function planned(node, name)
  local r, err = of("runbook").open(name)
  if not r then return nil, err end
  local steps
  steps, err = of("autonomy").plan(case_for(node, r.when.mechanism), r)
  if not steps then return nil, err end
  if #steps == 0 then return nil, ("the runbook %s has nothing to do now"):format(name) end
  local rows = {}
  for i, step in ipairs(steps) do
    if step.forbidden then return nil, step.forbidden end
    local entry = of("action_entry").find(step.action)
    if not entry then return nil, ("step %d: there is no action %s"):format(i, step.action) end
    local bound
    bound, err = of("action_entry").bind(entry, step.arguments)
    if not bound then return nil, err end
    local seen
    seen, err = of("actions").preview(node, entry, { arguments = bound })
    if not seen then return nil, err end
    rows[i] = { step.action, json.encode(json.object(bound)), seen.object, seen.identity, step.why }
  end
  return { r.version, rows }
end

local function steps_of(p)
  local version, rows = unpack((etf.decode((of("ledger").bytes(p.identity)))))
  for i, row in ipairs(rows) do
    rows[i] = { action = row[1], arguments = json.decode(row[2]), object = row[3], identity = row[4], why = row[5] }
  end
  return rows, version
end

local LONGEST = 400 -- bytes of what is shown of one: all but the why stands there whole

local function step_words(step, figures)
  local lost = figures.lost and "; is lost: " .. tostring(figures.lost) or ""
  local deed = ("%s %s (%s)%s"):format(step.action, step.object, of("action_words").arguments(step), lost)
  local why = (': "%s"'):format(step.why)
  if #deed + #why <= LONGEST then return deed .. why end
  return #deed <= LONGEST and deed or nil
end

-- The steps, with what each would do by the node's own word.
local function shown(node, name, identity)
  local steps = steps_of { identity = of("ledger").pack(identity) }
  local figures, width = { steps = #steps }, #tostring(#steps)
  for i, step in ipairs(steps) do
    local entry, err = of("action_entry").find(step.action)
    local seen
    if entry then seen, err = of("actions").preview(node, entry, { arguments = step.arguments }) end
    if not seen then return refused(err) end
    if seen.object ~= step.object then
      return refused(("step %d would be done to %s now, and not to %s"):format(i, seen.object, step.object))
    end
    local words = step_words(step, seen.figures)
    if not words then return refused(("step %d is too long to be shown whole"):format(i)) end
    figures[("step_%0" .. width .. "d"):format(i)] = words
    if seen.figures.lost then figures.lost = "see the steps" end
  end
  return { object = name, identity = identity, figures = figures }
end

-- What was proposed is what is approved: it is not worked out a second time.
local function preview(node, p)
  local name = p.arguments.runbook
  if p.identity then return shown(node, name, (etf.decode((of("ledger").bytes(p.identity))))) end
  local identity, err = planned(node, name)
  if not identity then return refused(err) end
  return shown(node, name, identity)
end

-- The row of the store is nobody's word: the runbook as it lies there says what may be done.
local function lawful(p, steps, version)
  local r, err = of("runbook").open(p.arguments.runbook)
  if not r then return nil, err end
  if r.version ~= version then return nil, ("the runbook %s was edited since"):format(r.name) end
  local allows = {}
  for _, name in ipairs(r.allows) do allows[name] = true end
  for _, step in ipairs(steps) do
    if not allows[step.action] then return nil, ("the runbook %s does not allow %s"):format(r.name, step.action) end
  end
  return true
end

-- Whether all that its steps are for is still there.
local function check(node, p)
  local action_entry = of "action_entry"
  local steps, version = steps_of(p)
  local ok, err = lawful(p, steps, version)
  if not ok then return changed(err) end
  for _, step in ipairs(steps) do
    local entry
    entry, err = action_entry.find(step.action)
    if not entry then return changed(err) end
    if entry.queries.check then
      local answer
      answer, err = action_entry.ask(node, entry, "check", step)
      if answer == nil then return nil, err end
      local tag, why = action_entry.tagged(answer)
      if tag ~= "same" then return changed(("%s: %s"):format(step.object, action_entry.words(why))) end
    else
      local seen
      seen, err = of("actions").preview(node, entry, step)
      if not seen then return changed(err) end
      if seen.identity ~= step.identity then return changed(step.object .. " was replaced, or it changed") end
    end
  end
  return A.same
end

local function do_step(node, p, i, step)
  local entry, err = of("action_entry").find(step.action)
  if not entry then return nil, err end
  local child
  child, err = of("ledger").add(p.store, {
    node = p.node, life = p.life, action = step.action, arguments = step.arguments, object = step.object,
    class = of("policy").action(entry.name, entry.class), identity = step.identity, figures = {},
    reason = ("step %d of %s: %s"):format(i, p.arguments.runbook, step.why):sub(1, 500), trace_id = p.trace_id,
    by = { kind = "runbook", name = p.arguments.runbook, parent = p.id }, proposed_at = os.time(),
  })
  if not child then return nil, err end
  local outcome
  outcome, err = of("deed").perform(node, child, { kind = "runbook", name = p.arguments.runbook,
    allows = { step.action } })
  if not outcome then of("actions").reject(child, tostring(err)) end
  return child.id, outcome and outcome.state or "rejected", outcome and outcome.message or tostring(err)
end

-- One after the other; the first that does not do what it was for is the last.
local function deed(node, p)
  local same, err = check(node, p)
  if same ~= A.same then return same and etf.encode(same), err end
  local ids = {}
  for i, step in ipairs((steps_of(p))) do
    local id, state, why = do_step(node, p, i, step)
    if not id and i == 1 then return etf.encode(refused(state)) end
    if state == "rejected" and i == 1 then return etf.encode(refused(why)) end
    ids[#ids + 1] = id
    if state ~= "verified" then break end
  end
  return etf.encode(tuple(A.done, ids))
end

-- Those that it began, by their own word: after a crash nobody told their names.
local function children(p)
  local found = {}
  for _, other in ipairs(of("ledger").list(p.store, 500) or {}) do
    if other.by.parent == p.id then table.insert(found, 1, other) end
  end
  return found
end

local function after(_, p)
  local said, worst, begun = {}, nil, children(p)
  for i, child in ipairs(begun) do
    said[i] = ("%s %s is %s"):format(child.id, child.action, (child.state:gsub("_", " ")))
    if child.state ~= "verified" then worst = child end
  end
  local total = #(steps_of(p))
  local text = ("%d of %d steps: %s"):format(#begun, total, #begun > 0 and table.concat(said, ", ") or "none was begun")
  return tuple(worst == nil and #begun == total and A.ok or A.failed, text)
end

return {
  name = "run_runbook",
  title = "run a runbook",
  class = "DANGEROUS", -- as the worst of what a runbook may do; each step keeps its own
  args = { { name = "runbook", type = "string", doc = "the name of one in the owner's runbooks folder" } },
  doc = "Does the steps of a runbook that the owner wrote, if its own check finds the trouble now. Right where there "
    .. "is one for what you found.",
  undo_doc = "each of its steps is an action of its own and is undone by itself",
  answers = { preview = preview, check = check, deed = deed, after = after },
  queries = { check = "" }, -- the identity holds what moves, so it is the check that compares
  undo = function(_, before)
    local ids = type(before) == "table" and table.concat(before, ", ") or "its steps"
    return "undo its steps one by one, the last first: " .. ids
  end,
}
