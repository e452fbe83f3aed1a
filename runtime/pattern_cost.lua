--- How long a search with a Lua pattern may take at worst. The matcher is C, which no count of steps
--- stops: it tries every way to share a text among the parts of a pattern that repeat, and five `.-`
--- on a text of a page are more ways than there is time. What is bounded here is the number of ways.

local pattern_cost = {}

-- The matcher's own functions, whatever a caller of ours put over those of strings.
local find, sub, byte, char = string.find, string.sub, string.byte, string.char

local REPEATS = { ["*"] = true, ["+"] = true, ["-"] = true }

-- Where a set that begins at `at` ends. Its first character may be a bracket.
local function set_end(pattern, at)
  local i = at + 1
  if sub(pattern, i, i) == "^" then i = i + 1 end
  repeat
    local c = sub(pattern, i, i)
    if c == "" then return #pattern end
    i = i + (c == "%" and 2 or 1)
  until sub(pattern, i, i) == "]"
  return i
end

-- What matches one character each, with how often it may.
local function parts(pattern)
  local list, i = {}, sub(pattern, 1, 1) == "^" and 2 or 1
  while i <= #pattern do
    local c, two = sub(pattern, i, i), sub(pattern, i, i + 1)
    local last = i
    if c == "(" or c == ")" then
      i = i + 1
    elseif two == "%f" then
      i = set_end(pattern, i + 2) + 1
    elseif two == "%b" then
      list[#list + 1] = { balanced = true }
      i = i + 4
    elseif c == "$" and i == #pattern then
      list[#list + 1] = { the_end = true }
      i = i + 1
    else
      if c == "%" then last = i + 1 elseif c == "[" then last = set_end(pattern, i) end
      local often = sub(pattern, last + 1, last + 1)
      local class = not find(two, "^%%%d") and sub(pattern, i, last) or nil
      list[#list + 1] = { class = class, often = (REPEATS[often] or often == "?") and often or nil }
      i = last + (list[#list].often and 2 or 1)
    end
  end
  return list
end

-- Whether no character fits both: then what repeats can stop at one place alone.
local function apart(one, other)
  for c = 0, 255 do
    local text = char(c)
    if find(text, "^" .. one .. "$") and find(text, "^" .. other .. "$") then return false end
  end
  return true
end

local function settled(part, after)
  if after.the_end then return true end
  return part.class and after.class and (not after.often or after.often == "+") and apart(part.class, after.class)
end

-- `nested`: what repeats and stops at one place is gone through for each way of what stands before it.
---@return { anchored: boolean, repeats: boolean, nested: boolean, open: integer, doubles: integer, parts: integer }
local function analysed(pattern)
  local list = parts(pattern)
  local shape = { anchored = byte(pattern) == 94, repeats = false, nested = false, open = 0,
    doubles = 0, parts = #list }
  for i, part in ipairs(list) do
    local after = list[i + 1]
    if after and (part.balanced or REPEATS[part.often]) then -- as the last it takes what it can, and that is all
      shape.repeats = true
      if not part.balanced and not settled(part, after) then
        shape.open = shape.open + 1
      elseif shape.open > 0 then
        shape.nested = true
      end
    elseif part.often == "?" then
      shape.doubles = shape.doubles + 1
    end
  end
  return shape
end

local known, many = {}, 0
local MOST_KNOWN = 500

--- The steps that a search takes at worst.
---@param pattern string
---@param length integer   of the text
---@return number
function pattern_cost.of(pattern, length)
  local shape = known[pattern]
  if not shape then
    if many >= MOST_KNOWN then known, many = {}, 0 end
    shape = analysed(pattern)
    known[pattern], many = shape, many + 1
  end
  local n = length + 1
  local ways = n ^ math.max(shape.open + (shape.nested and 1 or 0), shape.repeats and 1 or 0)
  return ways * (shape.anchored and 1 or n) * 2 ^ shape.doubles * math.max(1, shape.parts)
end

return pattern_cost
