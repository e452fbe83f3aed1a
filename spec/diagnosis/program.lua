--- Makes a case of the gallery a program: names and numbers are drawn by seed, and what a right diagnosis says is said
--- with the names drawn. In the text of a case `$word` is a number where the case draws one of that name, and else a
--- name of its own that tells nothing. The same seed gives the same program.

local random = require "spec.diagnosis.random"
local words = require "spec.diagnosis.words"

---@class Planting
---@field module string
---@field source string
---@field truth Truth[]       what is wrong, with the names drawn; empty for a twin
---@field also Truth[]        what may be said besides
---@field within string[]     what the node is started by, if by anything
---@field args string[]       more of its command line
---@field asked_by? string     the names that the bench asks it by

---@class Truth
---@field mechanism string
---@field objects string[]    any of them names it; one that ends in * is the beginning of a name

local program = {}

local function namer(lot)
  local plain, used = lot:shuffled(words), {}
  local function fresh()
    local word = plain[#plain]
    plain[#plain] = nil
    return word
  end
  -- One word or two, as people name things.
  return function()
    local word = lot:between(1, 2) == 1 and fresh() or fresh() .. "_" .. fresh()
    assert(not used[word])
    used[word] = true
    return word
  end
end

-- What stands for each `$word`, drawn in the order of the alphabet so that no line more changes the others.
local function drawn(part, twin, lot, name)
  local keys, values = { "module" }, {}
  local text = table.concat({ part.source, unpack(part.within or {}) }, " ")
  for key in text:gmatch "%$(%l[%w_]*)" do keys[#keys + 1] = key end
  table.sort(keys)
  for _, key in ipairs(keys) do
    local range = (part.draw or {})[key]
    if values[key] == nil then values[key] = range and lot:between(range[1], range[2]) or name() end
  end
  for key, value in pairs(twin and part.twin or {}) do values[key] = value end
  return values
end

local function filled(text, values)
  return (text:gsub("%$(%l[%w_]*)", function(key) return tostring(values[key]) end))
end

local function named(truths, values)
  local list = {}
  for i, t in ipairs(truths or {}) do
    local objects = {}
    for k, object in ipairs(t.objects) do objects[k] = filled(object, values) end
    list[i] = { mechanism = t.mechanism, objects = objects }
  end
  return list
end

local function started(command, values)
  local list = {}
  for i, word in ipairs(command or {}) do list[i] = filled(word, values) end
  return list
end

--- The programs of one run.
---@param parts table[]     of spec/faults/cases: the background, then the case's, which has two for two causes
---@param twin boolean      without the faults
---@param seed string
---@return Planting[]
function program.draw(parts, twin, seed)
  local lot = random.lot(seed)
  local name, plantings = namer(lot), {}
  for i, part in ipairs(parts) do
    local values = drawn(part, twin, lot, name)
    local define = twin and "-define(TWIN, true).\n" or ""
    plantings[i] = { module = values.module, within = started(part.within, values), args = started(part.args, values),
      asked_by = part.asked_by and filled(part.asked_by, values), truth = twin and {} or named(part.truth, values),
      also = named(part.also, values), source = ("-module(%s).\n-export([start/0]).\n%s%s"):format(values.module,
        define, filled(part.source, values)) }
  end
  return plantings
end

return program
