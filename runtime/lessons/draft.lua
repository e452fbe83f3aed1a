--- A draft of a check for a cause that nobody found: where the object stands in the answers of the recorded run, with
--- the figure that tells it most from its like. Where it stands nowhere, a check that says nothing yet.

local skill = require "runtime.skill"
local sorted_keys = require "runtime.sorted_keys"

local draft = {}

-- What becomes code of the draft as it stands. Keys of a recorded answer may be the node's words, or anybody's who
-- recorded it.
local WORD = "^[%a_][%w_]*$"
local function is_word(text) return type(text) == "string" and text:find(WORD) ~= nil end

local LEAST = 2 -- times the greatest of the others

---@class Sighting
---@field skill string
---@field call any[]       the look, as a check writes it
---@field list string      the field of the answer that holds the rows
---@field key string       the field that names the object
---@field field string     the figure
---@field value number
---@field others number    the greatest of the other rows

local function key_of(row, object)
  for _, key in ipairs(sorted_keys(row)) do
    if row[key] == object and is_word(key) then return key end
  end
end

local function greatest(rows, but, field, so_far)
  for _, row in ipairs(rows) do
    local value = row ~= but and type(row) == "table" and row[field]
    if type(value) == "number" and value > so_far then so_far = value end
  end
  return so_far
end

-- What others have there in runs in which nothing was wrong with it.
local function elsewhere(others, o, list, field)
  local so_far = 0
  for _, trial in ipairs(others) do
    for _, other in ipairs(trial.observations) do
      local rows = other.callback == o.callback and type(other.value) == "table" and other.value[list]
      if type(rows) == "table" then so_far = greatest(rows, nil, field, so_far) end
    end
  end
  return so_far
end

-- As a check of ours asks it, else as it is asked without arguments; nil where it wants some.
local function call_of(s, callback)
  for _, check in ipairs(s.checks or {}) do
    for _, look in ipairs(check.look) do
      if type(look) == "table" and look[1] == callback then return { unpack(look) } end
    end
  end
  local known = s.callbacks[callback]
  for _, arg in ipairs(known and known.args or {}) do
    if arg.default == nil then return nil end
  end
  return known and { callback } or nil
end

-- The most telling figure of one row.
local function telling(o, list, row, key, others)
  local best
  for _, field in ipairs(sorted_keys(row)) do
    local value = row[field]
    if type(value) == "number" and value > 0 and is_word(field) then
      local most = greatest(o.value[list], row, field, elsewhere(others, o, list, field))
      local times = value / math.max(most, 1e-9)
      if value >= LEAST * most and (not best or times > best.times) then
        best = { list = list, key = key, field = field, value = value, others = most, times = times }
      end
    end
  end
  return best
end

-- The sightings of an object in what one look brought.
local function seen_in(o, object, others)
  local best
  for _, list in ipairs(sorted_keys(o.value)) do
    for _, row in ipairs(is_word(list) and type(o.value[list]) == "table" and o.value[list] or {}) do
      local key = type(row) == "table" and #row == 0 and key_of(row, object)
      local found = key and telling(o, list, row, key, others)
      if found and (not best or found.times > best.times) then best = found end
    end
  end
  return best
end

--- Where an object stands out.
---@param observations Observation[]
---@param object string
---@param others Trial[]   runs in which it was right
---@return Sighting?
function draft.sighting(observations, object, others)
  local best
  for _, o in ipairs(observations) do
    local alone = o.kind == "execute" and type(o.callback) == "string" and o.callback:find "^[%w_]+$"
    local found = alone and type(o.value) == "table" and #o.value == 0 and seen_in(o, object, others)
    local s = found and (not best or found.times > best.times) and is_word(o.operator)
      and skill.open(o.operator)
    local call = s and call_of(s, o.callback)
    if call then
      best = found
      best.skill, best.call = o.operator, call
    end
  end
  return best
end

local function literal(value)
  if type(value) == "number" then return ("%.14g"):format(value) end
  return '"' .. value:gsub('[%c"\\]', function(c) return ("\\%03d"):format(c:byte()) end) .. '"'
end

local function call_text(call)
  local parts = {}
  for i, value in ipairs(call) do parts[i] = literal(value) end
  if call.after then parts[#parts + 1] = ("after = %g"):format(call.after) end
  return "{ " .. table.concat(parts, ", ") .. " }"
end

local CHECK = [[
--- A draft, from $RUN, where nothing found this:
---   $CAUSE
--- It knows that one run: read it before you use it.

local words = ...

local $LIMIT = $AT -- it was $VALUE there, of others $OTHERS at most

local $ID = {
  id = "$ID", mechanism = "$MECHANISM", suspect = words.always,
  expert = $EXPERT,
  look = { $CALL },
  confirm = function(results)
    local row, i = words.row_of(results[1].$LIST, "$KEY", $QUOTED)
    if not row or (row.$FIELD or 0) < $LIMIT then return end
    return {
      object = $QUOTED, severity = "warning", confidence = "low",
      figures = words.cite(results, { { 1, ("$LIST[%d].$FIELD"):format(i) } }),
      hypothesis = ("$FIELD of %s is %s, as when it was %s in $RUN."):format($QUOTED, row.$FIELD,
        "$MECHANISM"),
      unlike = {},
      next_steps = { words.step "see whether it is what it was then: `beamlens-run show $RUN`" },
    }
  end,
}

return { $ID }
]]

local NOTHING_YET = [[
--- A draft, from $RUN, where nothing found this:
---   $CAUSE
--- It stands out in no answer that was recorded, so the check says nothing before `look` and `confirm` are written.
--- `beamlens-run skills $SKILL` lists what can be asked.

local words = ...

local $ID = {
  id = "$ID", mechanism = "$MECHANISM", suspect = words.always,
  expert = $EXPERT,
  look = {},
  confirm = function() end,
}

return { $ID }
]]

local function name_of(text) return (text:lower():gsub("[^%l%d]+", "_"):gsub("^_", ""):gsub("_$", "")) end

local function rounded(value) return ("%.2g"):format(value) + 0 end

-- An object's name is the node's: nothing of it ends a line.
local function one_line(text) return (text:gsub("%c", " "):sub(1, 60)) end

--- The file of a new check.
---@param trouble { mechanism: string, object: string }
---@param run string             r17
---@param skill_name string      whose check it is, where the object was seen nowhere
---@param sighting? Sighting
---@return string path   "skills/checks/beam_slow_consumer_invoices.lua"
---@return string text
function draft.write(trouble, run, skill_name, sighting)
  skill_name = (sighting and sighting.skill or skill_name):match("[^/]*$"):gsub("[^%w_]", "_")
  local id = name_of(("%s_%s"):format(trouble.mechanism, name_of(trouble.object):sub(1, 30)))
  local cause = ("%s: %s"):format(one_line(trouble.object), trouble.mechanism)
  local fields = { ID = id, RUN = run, CAUSE = cause, MECHANISM = literal(trouble.mechanism):sub(2, -2),
    SKILL = skill_name, QUOTED = literal(trouble.object),
    EXPERT = literal(("What was %s in %s."):format(cause, run)) }
  if sighting then
    local limit = sighting.others > 0 and math.sqrt(sighting.value * sighting.others) or sighting.value / 2
    fields.LIMIT, fields.AT = name_of(sighting.field):upper(), ("%.14g"):format(rounded(limit))
    fields.FIELD, fields.LIST, fields.KEY = sighting.field, sighting.list, sighting.key
    fields.VALUE, fields.OTHERS = ("%.14g"):format(sighting.value), ("%.14g"):format(sighting.others)
    fields.CALL = call_text(sighting.call)
  end
  local text = (sighting and CHECK or NOTHING_YET):gsub("%$(%u+)", fields)
  return ("skills/checks/%s_%s.lua"):format(skill_name, id), text
end

return draft
