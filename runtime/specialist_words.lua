--- What the strategy `specialist` adds to a report, in the words of every form of it: rows of a label and a text. Texts
--- of the node are in them as they are: whoever shows them makes them harmless.

local arguments = require "runtime.arguments"
local said = require "runtime.report_words"
local shapes = require("runtime.tools.operator").shapes

local specialist_words = {}

local missing = said.missing
local object, list = shapes.object, shapes.list
local ANYTHING = { type = "object" }

local NEEDED = object({ specialist = object({ phase_zero = list(ANYTHING), plan = list(ANYTHING),
  guidance = list(ANYTHING) }, { "phase_zero", "plan", "guidance" }) }, { "specialist" })
local ROWS = {
  phase_zero = { "name" }, plan = { "what", "class", "state" }, guidance = { "area", "text" },
}

--- Whether a strategy, perhaps a user's own, filled it so that it can be shown.
---@param given any
---@return string? why   not
function specialist_words.fault(given)
  local checked, why = arguments.check(NEEDED, { specialist = given })
  if not checked then return why end
  for part, fields in pairs(ROWS) do
    for i, row in ipairs(given[part]) do
      for _, field in ipairs(fields) do
        if type(row[field]) ~= "string" then
          return ("specialist.%s[%d].%s must be a text"):format(part, i, field)
        end
      end
    end
  end
end

--- What was found first of all.
---@param s table   `specialist` of a report
---@return { [1]: string, [2]: string }[]
function specialist_words.facts(s)
  local rows = {}
  for i, row in ipairs(s.phase_zero) do
    rows[i] = { row.name, not missing(row.says) and row.says or ("not seen: %s"):format(tostring(row.why)) }
  end
  return rows
end

local STATES = { refused = "not run", put_off = "put off" } -- the others are words already

--- How far a step came, and why no farther.
---@param step table
---@return string
function specialist_words.state(step)
  local state = STATES[step.state] or step.state
  return missing(step.why) and state or ("%s: %s"):format(state, step.why)
end

--- What a trace of a step heard, in a line; nil where it was none.
---@param step table
---@return string?
function specialist_words.heard(step)
  local r = step.result
  if missing(r) or type(r) ~= "table" or missing(r.calls) or missing(r.tracing) then return nil end
  local by, order = {}, {}
  for _, call in ipairs(r.calls) do
    if not by[call.pid] then order[#order + 1] = call.pid end
    by[call.pid] = (by[call.pid] or 0) + 1
  end
  for i, pid in ipairs(order) do order[i] = ("%s (%d)"):format(pid, by[pid]) end
  return ("%s was called by %s"):format(r.tracing, #order > 0 and table.concat(order, ", ") or "nobody meanwhile")
end

return specialist_words
