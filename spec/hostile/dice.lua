--- Chance that can be repeated: the same seed, the same throws, on any machine. Plain LuaJIT, for
--- the hostile worker is no program of ours.

local bit = require "bit"

local Dice = {}
Dice.__index = Dice

local dice = {}

---@param seed integer
function dice.new(seed)
  local self = setmetatable({ state = bit.tobit(seed * 2654435 + 1013904223) }, Dice)
  if self.state == 0 then self.state = 1 end
  for _ = 1, 8 do self:throw() end
  return self
end

---@return integer  from 0 to 2^31 - 1
function Dice:throw()
  local x = self.state
  x = bit.bxor(x, bit.lshift(x, 13))
  x = bit.bxor(x, bit.rshift(x, 17))
  x = bit.bxor(x, bit.lshift(x, 5))
  self.state = x
  return bit.band(x, 0x7FFFFFFF)
end

---@return integer  from a to b
function Dice:int(a, b) return a + self:throw() % (b - a + 1) end

---@return boolean  true so many times of a hundred
function Dice:chance(percent) return self:throw() % 100 < percent end

function Dice:pick(list) return list[self:int(1, #list)] end

---@return string
function Dice:bytes(count)
  local parts = {}
  for i = 1, count do parts[i] = string.char(self:throw() % 256) end
  return table.concat(parts)
end

--- A few bytes changed, lost or doubled.
function Dice:spoil(text)
  for _ = 1, self:int(1, 4) do
    local at = self:int(1, math.max(1, #text))
    local middle = self:pick { self:bytes(1), "", self:bytes(self:int(2, 6)), "\255", "\0" }
    text = text:sub(1, at - 1) .. middle .. text:sub(at + 1)
  end
  return text
end

return dice
