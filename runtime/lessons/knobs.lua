--- The limits that a file of checks names: constants of capital letters at the top level that are numbers, as
--- `local GROWS = 20`. To change one is to change this one word of its line, so that a person can read what changed.

local knobs = {}

---@class Knob
---@field name string
---@field value number
---@field line integer
---@field first integer    where the number stands in the text
---@field last integer

local NUMBER = "^%d+%.?%d*[eE]?[%+%-]?%d*$"

-- `local A, B = 1, 2 -- words`: each name with the number at its place. Nothing where a value is no number.
local function add_line(list, text, from, to, number)
  local names_at, names, stop = text:sub(from, to):match "^local ()([%u][%u%d_, ]*)=()"
  if not names_at then return end
  local words = {}
  for name in names:gmatch "[%u%d_]+" do words[#words + 1] = name end
  local at = from + stop - 1
  for _, name in ipairs(words) do
    local first, value, after = text:match("^%s*()([^%s,]+)%s*,?()", at)
    if not first or after - 1 > to + 1 or not value:match(NUMBER) or not tonumber(value) then return end
    list[#list + 1] = { name = name, value = tonumber(value), line = number, first = first,
      last = first + #value - 1 }
    at = after
  end
end

--- Those of a text.
---@param text string
---@return Knob[]
function knobs.of(text)
  local list, from, number = {}, 1, 1
  while from <= #text do
    local to = (text:find("\n", from, true) or #text + 1) - 1
    add_line(list, text, from, to, number)
    from, number = to + 2, number + 1
  end
  return list
end

--- A number as it is written into a file.
---@param value number
---@return string
function knobs.written(value)
  if value % 1 == 0 then return ("%.0f"):format(value) end
  return ("%.4g"):format(value)
end

--- The text with another number in its place.
---@param text string
---@param knob Knob   of this text
---@param value number
---@return string
function knobs.set(text, knob, value)
  return text:sub(1, knob.first - 1) .. knobs.written(value) .. text:sub(knob.last + 1)
end

return knobs
