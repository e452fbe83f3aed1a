--- Terms in the external format as an attacker would send them: lengths that lie, nests without an
--- end, numbers of any size, and now and then one that is right. Bytes without the leading 131.

local terms = {}

local function u16(n) return string.char(math.floor(n / 256) % 256, n % 256) end
local function u32(n) return u16(math.floor(n / 65536)) .. u16(n % 65536) end

-- What is said of a length: mostly the truth.
local function claimed(dice, n)
  if dice:chance(93) then return n end
  return dice:pick { 0, n + 1, n * 2 + 5, 255, 65535, 2 ^ 31, 2 ^ 32 - 1, dice:throw() }
end

local makers = {}
local NAMES = {
  "small_integer", "integer", "float", "old_float", "atom", "latin_atom", "long_atom", "tuple", "large_tuple", "list",
  "improper", "string", "binary", "bits", "map", "small_big", "large_big", "pid", "ref", "port", "fun_of", "export",
  "compressed", "cache_ref", "nothing", "noise",
}

---@param depth integer   how much deeper it may go
function terms.any(dice, depth)
  if depth <= 0 then return makers[dice:pick { "small_integer", "atom", "binary", "integer", "nothing" }](dice, 0) end
  return makers[dice:pick(NAMES)](dice, depth - 1)
end

local function several(dice, depth, count)
  local parts = {}
  for i = 1, count do parts[i] = terms.any(dice, depth) end
  return table.concat(parts)
end

function makers.small_integer(dice) return "a" .. dice:bytes(1) end
function makers.integer(dice) return "b" .. dice:bytes(4) end
function makers.float(dice)
  return "F" .. dice:pick { dice:bytes(8), "\127\248\0\0\0\0\0\0", "\127\240\0\0\0\0\0\0" }
end

function makers.old_float(dice) return "c" .. dice:bytes(31) end
function makers.nothing() return "j" end
function makers.noise(dice) return dice:bytes(dice:int(1, 12)) end
function makers.cache_ref(dice) return "R" .. dice:bytes(1) end

function makers.atom(dice)
  local name = dice:pick { "true", "undefined", "return", "\195\169", "\255\254", "", "a\0b", ("x"):rep(255), "nil" }
  return "w" .. string.char(claimed(dice, #name) % 256) .. name
end

function makers.latin_atom(dice)
  local name = dice:bytes(dice:int(0, 20))
  return "d" .. u16(claimed(dice, #name)) .. name
end

function makers.long_atom(dice)
  local name = ("\240\159\152\128"):rep(dice:int(0, 300))
  return "v" .. u16(claimed(dice, #name)) .. name
end

function makers.tuple(dice, depth)
  local n = dice:int(0, 5)
  return "h" .. string.char(claimed(dice, n) % 256) .. several(dice, depth, n)
end

function makers.large_tuple(dice, depth)
  local n = dice:int(0, 4)
  return "i" .. u32(claimed(dice, n)) .. several(dice, depth, n)
end

function makers.list(dice, depth)
  local n = dice:int(0, 5)
  return "l" .. u32(claimed(dice, n)) .. several(dice, depth, n) .. "j"
end

function makers.improper(dice, depth) return "l" .. u32(claimed(dice, 1)) .. several(dice, depth, 2) end

function makers.string(dice)
  local text = dice:bytes(dice:int(0, 60))
  return "k" .. u16(claimed(dice, #text)) .. text
end

function makers.binary(dice)
  local text = dice:pick { dice:bytes(dice:int(0, 60)), "\27[2Jred", ("z"):rep(dice:int(0, 70000)) }
  return "m" .. u32(claimed(dice, #text)) .. text
end

function makers.bits(dice)
  local text = dice:bytes(dice:int(0, 9))
  return "M" .. u32(claimed(dice, #text)) .. dice:bytes(1) .. text
end

function makers.map(dice, depth)
  local n = dice:int(0, 4)
  return "t" .. u32(claimed(dice, n)) .. several(dice, depth, 2 * n)
end

function makers.small_big(dice)
  local n = dice:int(0, 40)
  return "n" .. string.char(claimed(dice, n) % 256) .. dice:bytes(1 + n)
end

function makers.large_big(dice)
  local n = dice:int(0, 400)
  return "o" .. u32(claimed(dice, n)) .. dice:bytes(1 + n)
end

function makers.pid(dice) return "X" .. makers.atom(dice) .. dice:bytes(12) end
function makers.port(dice) return "x" .. makers.atom(dice) .. dice:bytes(12) end

function makers.ref(dice)
  local n = dice:int(0, 6)
  return "Z" .. u16(claimed(dice, n)) .. makers.atom(dice) .. dice:bytes(4 + 4 * n)
end

function makers.fun_of(dice, depth)
  local rest = dice:bytes(25) .. makers.atom(dice) .. several(dice, depth, 4)
  return "p" .. u32(claimed(dice, #rest + 4)) .. rest
end

function makers.export(dice) return "q" .. makers.atom(dice) .. makers.atom(dice) .. "a" .. dice:bytes(1) end

function makers.compressed(dice)
  return "P" .. u32(dice:pick { 100, 2 ^ 32 - 1, 0 }) .. "\120\156" .. dice:bytes(dice:int(0, 50))
end

-- Of one kind, so deep or wide that whoever follows it by recursion or believes it runs out.
local MONSTERS = {
  function(dice) return ("l\0\0\0\1"):rep(dice:int(200, 100000)) .. "j" end,
  function(dice) return ("h\1"):rep(dice:int(200, 200000)) .. "j" end,
  function(dice) return ("t\0\0\0\1"):rep(dice:int(200, 60000)) .. "j" end,
  function(dice) return "l" .. u32(dice:int(1, 300000)) .. ("j"):rep(300000) end,
  function(dice) return "o" .. u32(dice:int(1000, 60000)) .. "\0" .. ("\255"):rep(60000) end,
  function() return "h\3" .. ("j"):rep(2) end,
  function() return "m\255\255\255\255" end,
  function() return "i\255\255\255\255" .. ("j"):rep(1000) end,
  function() return "t\255\255\255\255" .. ("jj"):rep(1000) end,
  function(dice)
    local list = {}
    for i = 1, 3000 do list[i] = "w\4" .. dice:bytes(4) .. "a\1" end
    return "t" .. u32(3000) .. table.concat(list)
  end,
}

---@return string
function terms.term(dice)
  if dice:chance(12) then return dice:pick(MONSTERS)(dice) end
  local bytes = terms.any(dice, dice:int(0, 7))
  return dice:chance(15) and dice:spoil(bytes) or bytes
end

return terms
