--- How often findings were right here: counted from what people said of runs (runtime/feedback.lua) and from what these
--- runs found, whenever it is asked for. It is told beside a finding, and changes none.

local feedback = require "runtime.feedback"
local gravity = require "runtime.gravity"
local json = require "runtime.json"

local records = {}

---@class Judged            a finding of a run that a person gave their word on
---@field run integer
---@field object string
---@field mechanism string
---@field operators string[]   the skills that saw it
---@field right boolean
---@field insight table     as the run made it

---@param cause? Cause
---@return boolean
local function is(cause, object, mechanism)
  return cause ~= nil and cause.object == object and cause.mechanism == mechanism
end

--- Whether a finding was right, by what was said of its run: where the cause was another, the others were not.
---@param said Feedback
---@return boolean
function records.right(said, object, mechanism)
  return said.word == "right" or is(said.cause, object, mechanism)
end

--- Every grave finding of the runs that somebody judged, once for each run.
---@param s Store
---@param said? table<integer, Feedback>   from feedback.all, where it was asked already
---@return Judged[]?
---@return Failure? err
function records.judged(s, said)
  local err
  if not said then
    said, err = feedback.all(s)
    if not said then return nil, err end
  end
  local rows
  rows, err = s:rows [[select run, object, mechanism, operators, body from insights
    where run in (select run from feedback) order by run, id]]
  if not rows then return nil, err end
  local list, seen = {}, {}
  for _, row in ipairs(rows) do
    local insight, key = json.kept(row.body), ("%d %s %s"):format(row.run, row.mechanism, row.object)
    if gravity.grave[insight.severity] and not seen[key] then
      seen[key] = true
      list[#list + 1] = { run = row.run, object = row.object, mechanism = row.mechanism, insight = insight,
        operators = json.kept(row.operators), right = records.right(said[row.run], row.object, row.mechanism) }
    end
  end
  return list
end

local function add(rows, by_key, skill, mechanism, what)
  local key = ("%s %s"):format(skill or "", mechanism)
  if not by_key[key] then
    by_key[key] = { skill = skill, mechanism = mechanism, right = 0, wrong = 0, missed = 0 }
    rows[#rows + 1] = by_key[key]
  end
  by_key[key][what] = by_key[key][what] + 1
end

local function once(list)
  local seen, out = {}, {}
  for _, name in ipairs(list) do
    if not seen[name] then out[#out + 1], seen[name] = name, true end
  end
  return out
end

--- The record of each check, by its skill and its mechanism. What was missed has no skill: nobody saw it.
---@param s Store
---@return { skill?: string, mechanism: string, right: integer, wrong: integer, missed: integer }[]?
---@return Failure? err
function records.all(s)
  local said, err = feedback.all(s)
  if not said then return nil, err end
  local judged
  judged, err = records.judged(s, said)
  if not judged then return nil, err end
  local rows, by_key, found = {}, {}, {}
  for _, one in ipairs(judged) do
    if is(said[one.run].cause, one.object, one.mechanism) then found[one.run] = true end
    for _, skill in ipairs(once(one.operators)) do
      add(rows, by_key, skill, one.mechanism, one.right and "right" or "wrong")
    end
  end
  for run, word in pairs(said) do
    if word.cause and word.cause.object and not found[run] then
      add(rows, by_key, nil, word.cause.mechanism, "missed")
    end
  end
  table.sort(rows, function(a, b)
    if a.skill ~= b.skill then return (a.skill or "~") < (b.skill or "~") end
    return a.mechanism < b.mechanism
  end)
  return rows
end

--- Says beside each finding of a report how often one like it was right in this store; nothing where nobody said.
---@param s Store
---@param report table
function records.tell(s, report)
  if #report.insights == 0 then return end
  local counts = {}
  for _, one in ipairs(records.judged(s) or {}) do
    local count = counts[one.mechanism] or { right = 0, of = 0 }
    count.right, count.of = count.right + (one.right and 1 or 0), count.of + 1
    counts[one.mechanism] = count
  end
  for _, insight in ipairs(report.insights) do insight.record = counts[insight.root_cause.mechanism] end
end

return records
