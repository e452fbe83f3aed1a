--- Numbers that look drawn by lot and are the same for the same seed, on every machine.

local bit = require "bit"

local random = {}

local Lot = {}
Lot.__index = Lot

-- FNV-1a, in 32 bits.
local function hash(text)
  local h = 0x811c9dc5
  for i = 1, #text do
    h = bit.bxor(h, text:byte(i))
    h = bit.tobit(h + bit.lshift(h, 1) + bit.lshift(h, 4) + bit.lshift(h, 7) + bit.lshift(h, 8) + bit.lshift(h, 24))
  end
  return h
end

---@param seed string   any text
---@return table lot
function random.lot(seed)
  local h = hash(seed)
  local self = setmetatable({ state = h ~= 0 and h or 1 }, Lot)
  for _ = 1, 8 do self:step() end -- seeds that differ in one letter part ways
  return self
end

-- xorshift32
function Lot:step()
  local x = self.state
  x = bit.bxor(x, bit.lshift(x, 13))
  x = bit.bxor(x, bit.rshift(x, 17))
  x = bit.bxor(x, bit.lshift(x, 5))
  self.state = x
  return x % 2 ^ 32
end

---@return integer   low to high, both included
function Lot:between(low, high) return low + self:step() % (high - low + 1) end

--- Another order of a list, which stays as it is.
function Lot:shuffled(list)
  local out = { unpack(list) }
  for i = #out, 2, -1 do
    local j = self:between(1, i)
    out[i], out[j] = out[j], out[i]
  end
  return out
end

return random
