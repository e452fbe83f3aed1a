--- Integers as the distribution protocol writes them: unsigned, most significant byte first.

local bytes = {}

local char, byte, floor = string.char, string.byte, math.floor

function bytes.u16(n) return char(floor(n / 256) % 256, n % 256) end

function bytes.u32(n)
  return char(floor(n / 16777216) % 256, floor(n / 65536) % 256, floor(n / 256) % 256, n % 256)
end

function bytes.read_u16(s, at)
  local a, b = byte(s, at, at + 1)
  return a * 256 + b
end

function bytes.read_u32(s, at)
  local a, b, c, d = byte(s, at, at + 3)
  return ((a * 256 + b) * 256 + c) * 256 + d
end

return bytes
