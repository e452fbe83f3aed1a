--- What a person's word on a run says of its findings, and of a change: which are right, which troubles are over, what
--- would be lost.

local sorted_keys = require "runtime.sorted_keys"
local trial = require "runtime.lessons.trial"

local judging = {}

local function cause_of(case)
  local cause = case.said and case.said.cause
  return cause and cause.object and trial.key(cause) or nil
end

-- Whether a finding is right in this run, by what was said of it: "right", "wrong", nil where nobody can tell.
local function word_on(case, key)
  local said = case.said
  if not said then return nil end
  if said.word == "right" then return case.before.recorded.found[key] and "right" or "wrong" end
  if said.cause then return key == cause_of(case) and "right" or "wrong" end
  return case.before.recorded.found[key] and "wrong" or nil
end

--- What is wrong with it today: findings that were not so, and a cause that is not found.
---@param case RecordedCase
---@param missed? boolean   only what was missed; of a run that was not recorded it is left out otherwise
---@return { kind: "false_alarm"|"missed", key: string, mechanism: string, object: string }[]
function judging.troubles(case, missed)
  local list, cause = {}, cause_of(case)
  for _, key in ipairs(missed and {} or sorted_keys(case.before.found)) do
    local root = case.before.found[key].root_cause
    if word_on(case, key) == "wrong" then
      list[#list + 1] = { kind = "false_alarm", key = key, mechanism = root.mechanism, object = root.object }
    end
  end
  if cause and not case.before.found[cause] and (missed or not case.kept) then
    local said = case.said.cause
    list[#list + 1] = { kind = "missed", key = cause, mechanism = said.mechanism, object = said.object }
  end
  return list
end

--- Whether a trouble is over after a change. Where the change asked what was never recorded, that cannot be told.
---@param trouble { kind: string, key: string }
---@param before Trial
---@param after Trial
---@return boolean
function judging.solved(trouble, before, after)
  if trouble.kind == "missed" then return after.found[trouble.key] ~= nil end
  local blind = after.verdict == "cannot_tell" and before.verdict ~= "cannot_tell"
  return before.found[trouble.key] ~= nil and not after.found[trouble.key] and not blind
    and after.unanswered <= before.unanswered
end

local function is_fine(case)
  return case.said ~= nil and (case.said.word == "right" or case.said.cause ~= nil and not case.said.cause.object)
end

--- What a change would make worse in this run; nil where nothing.
---@param case RecordedCase
---@param before Trial
---@param after Trial
---@return string?
function judging.harm(case, before, after)
  for _, key in ipairs(sorted_keys(before.found)) do
    if word_on(case, key) == "right" and not after.found[key] then
      return ("%s would lose %s, which was right"):format(case.name, key)
    end
  end
  for _, key in ipairs(sorted_keys(after.found)) do
    if word_on(case, key) == "wrong" and not before.found[key] then
      return ("%s would name %s, which was not so"):format(case.name, key)
    end
  end
  if is_fine(case) and before.verdict == "healthy" and after.verdict == "cannot_tell" then
    return ("%s could not be told any more"):format(case.name)
  end
end

return judging
