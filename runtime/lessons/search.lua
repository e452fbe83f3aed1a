--- The number that tells apart: how far a limit has to move until what was wrong is right, and how far it may before
--- what was right is wrong. Found by trying, for a limit may work in any way; a limit is moved no more than tenfold.

local knobs = require "runtime.lessons.knobs"

local search = {}

local FARTHEST = 10
local NEAR = 1.02   -- two numbers that are as good as one
local MARGIN = 1.1  -- beyond what was wrong, where nothing right says how far

---@class Move
---@field knob Knob
---@field to number
---@field solved_at number    the least move after which what was wrong is right
---@field harmed_at? number   the first move after which something right is not any more; nil where none within tenfold
---@field change number       how far, as a factor

-- As whole as the number that it is in the place of.
local function like(knob, value)
  if knob.value % 1 ~= 0 then return tonumber(("%.4g"):format(value)) end
  return math.floor(value + 0.5)
end

local function apart(knob, a, b)
  if knob.value % 1 == 0 and math.abs(a - b) <= 1 then return false end
  return math.max(a, b) / math.min(a, b) > NEAR
end

-- Between one number that is not so and one that is: the first that is, and the last that is not.
local function border(knob, from, to, is)
  while apart(knob, from, to) do
    local middle = like(knob, math.sqrt(from * to))
    if middle == from or middle == to then break end
    if is(middle) then to = middle else from = middle end
  end
  return to, from
end

-- The shortest number between two, or beside the first.
local function round(knob, value, one, other)
  local low, high = math.min(one, other), math.max(one, other)
  for digits = 1, 4 do
    local short = like(knob, tonumber(("%." .. digits .. "g"):format(value)))
    if short > low and short < high then return short end
  end
  return one
end

--- As far as a limit is moved.
---@param knob Knob
---@param up boolean
---@return number?   nil where it cannot be moved that way
function search.far(knob, up)
  local far = like(knob, up and knob.value * FARTHEST or knob.value / FARTHEST)
  return far > 0 and far ~= knob.value and far or nil
end

--- Moves one limit one way.
---@param knob Knob
---@param up boolean
---@param solved fun(value: number): boolean
---@param harm fun(value: number): string?   what would be lost
---@return Move?
---@return string? why   where it would tell apart, but at a price
function search.move(knob, up, solved, harm)
  local far = search.far(knob, up)
  if not far or not solved(far) then return nil end
  local solved_at = border(knob, knob.value, far, solved)
  local why = harm(solved_at)
  if why then return nil, ("%s = %s would do, but %s"):format(knob.name, knobs.written(solved_at), why) end
  local harmed_at = harm(far) and border(knob, solved_at, far, function(value) return harm(value) ~= nil end) or nil
  local other = harmed_at or (up and solved_at * MARGIN ^ 2 or solved_at / MARGIN ^ 2)
  local to = round(knob, math.sqrt(solved_at * other), solved_at, other)
  if not solved(to) or harm(to) then to = solved_at end
  return { knob = knob, to = to, solved_at = solved_at, harmed_at = harmed_at,
    change = math.max(to, knob.value) / math.min(to, knob.value) }
end

return search
