--- Texts from elsewhere may hold any bytes; JSON and terminals want UTF-8.

local utf8 = {}

-- The length of the well-formed UTF-8 sequence at i, or nil (RFC 3629, table 3-7 of Unicode).
local function sequence(s, i)
  local a, b, c, d = s:byte(i, i + 3)
  local function tail(x) return x and x >= 0x80 and x <= 0xBF end
  if a >= 0xC2 and a <= 0xDF then return tail(b) and 2 end
  if a >= 0xE0 and a <= 0xEF then
    local low, high = a == 0xE0 and 0xA0 or 0x80, a == 0xED and 0x9F or 0xBF
    return b and b >= low and b <= high and tail(c) and 3
  end
  if a >= 0xF0 and a <= 0xF4 then
    local low, high = a == 0xF0 and 0x90 or 0x80, a == 0xF4 and 0x8F or 0xBF
    return b and b >= low and b <= high and tail(c) and tail(d) and 4
  end
end

--- The text with every byte that belongs to no character replaced by U+FFFD.
---@param s string
---@return string
function utf8.well_formed(s)
  if not s:find "[\128-\255]" then return s end
  local out, i = {}, 1
  while i <= #s do
    local n = s:byte(i) < 0x80 and 1 or sequence(s, i)
    out[#out + 1] = n and s:sub(i, i + n - 1) or "\239\191\189"
    i = i + (n or 1)
  end
  return table.concat(out)
end

--- At most so many bytes of a well-formed text, and no half of a character.
---@param s string
---@param most integer
---@return string
function utf8.cut(s, most)
  if #s <= most then return s end
  while most > 0 and s:byte(most + 1) >= 0x80 and s:byte(most + 1) < 0xC0 do most = most - 1 end
  return s:sub(1, most)
end

return utf8
