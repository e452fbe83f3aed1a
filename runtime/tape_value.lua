--- A node's answer as JSON that a person can read, and back again as it was: a list is a list, a map with atom keys
--- an object, and what JSON has no word for is an object of one key that begins with "$". What is read back is what a
--- skill was given when it was written, so a run that is recorded and its replay see the same.

local etf = require "host.etf"
local crypto = require "host.crypto"
local json = require "runtime.json"
local utf8 = require "runtime.utf8"

local tape_value = {}

local A, kind = etf.A, etf.kind

-- What the codec marks its maps with; it makes no such tables but by decoding.
local MARKS = {
  atoms = getmetatable(etf.amap {}),
  texts = getmetatable(etf.decode "\131t\0\0\0\1m\0\0\0\1xa\1"),
  others = getmetatable(etf.decode "\131t\0\0\0\1a\1a\1"),
  improper = getmetatable(etf.decode "\131l\0\0\0\1a\1a\2"),
}

local encode

local function list_of(t, clean)
  local out = {}
  for i = 1, #t do out[i] = encode(t[i], clean) end
  return out
end

local function fields_of(t, clean)
  local out, count = json.object {}, 0
  for key, value in pairs(t) do
    if type(key) ~= "string" or key:sub(1, 1) == "$" then return nil end
    out[clean(key)] = encode(value, clean)
    count = count + 1
  end
  return out, count
end

local function pairs_of(t, clean)
  local out = {}
  for key, value in pairs(t) do out[#out + 1] = { encode(key, clean), encode(value, clean) } end
  table.sort(out, function(a, b) return json.encode(a[1]) < json.encode(b[1]) end)
  return out
end

local function encode_table(t, clean)
  local mark, as = getmetatable(t), kind(t)
  if as == "tuple" then return { ["$tuple"] = list_of(t, clean) } end
  if mark == MARKS.improper then return { ["$improper"] = list_of(t, clean), tail = encode(t.tail, clean) } end
  if mark ~= MARKS.atoms and mark ~= MARKS.texts and mark ~= MARKS.others and (#t > 0 or next(t) == nil) then
    return list_of(t, clean)
  end
  local fields, count = fields_of(t, clean)
  local word = mark == MARKS.texts and "$texts" or mark ~= MARKS.atoms and mark ~= MARKS.others and "$table"
  if not fields then return { [mark == MARKS.others and "$map" or word or "$atoms"] = pairs_of(t, clean) } end
  if word then return { [word] = fields } end
  return count > 0 and fields or { ["$empty"] = true }
end

local function encode_object(v, clean)
  if v == json.null then return { ["$null"] = true } end
  local as = kind(v)
  if as == "atom" then return { ["$atom"] = clean(tostring(v)) } end
  if as == "chars" then return { ["$chars"] = clean(tostring(v)) } end
  return { ["$term"] = crypto.hex(etf.encode(v)), text = tostring(v) }
end

function encode(v, clean)
  local t = type(v)
  if t == "string" then return clean(utf8.well_formed(v)) end
  if t == "table" then return encode_table(v, clean) end
  if t == "userdata" then return encode_object(v, clean) end
  if t == "nil" then return { ["$nil"] = true } end
  if t == "function" or t == "thread" then error("no value of a node: a " .. t, 0) end
  return v
end

--- Raises where there is a function in it.
---@param v any
---@param clean fun(text: string): string   how a text may be written down
---@return any   for json.encode
function tape_value.encode(v, clean) return encode(v, clean) end

local decode

local function decoded(list)
  local out = {}
  for i, item in ipairs(list) do out[i] = decode(item) end
  return out
end

local function map_of(given, mark)
  local out = {}
  if given[1] ~= nil then
    for _, pair in ipairs(given) do out[decode(pair[1])] = decode(pair[2]) end
  else
    for key, value in pairs(given) do out[key] = decode(value) end
  end
  return mark and setmetatable(out, mark) or out
end

local WORDS = {
  ["$tuple"] = function(v) return etf.tuple(unpack(decoded(v), 1, #v)) end,
  ["$improper"] = function(v, t)
    local out = decoded(v)
    out.tail = decode(t.tail)
    return setmetatable(out, MARKS.improper)
  end,
  ["$atoms"] = function(v) return map_of(v, MARKS.atoms) end,
  ["$texts"] = function(v) return map_of(v, MARKS.texts) end,
  ["$map"] = function(v) return map_of(v, MARKS.others) end,
  ["$table"] = function(v) return map_of(v) end,
  ["$empty"] = function() return setmetatable({}, MARKS.atoms) end,
  ["$null"] = function() return json.null end,
  ["$nil"] = function() return nil end,
  ["$atom"] = function(v) return A[v] end,
  ["$chars"] = function(v) return etf.chars(v) end,
  ["$term"] = function(v)
    return (etf.decode((v:gsub("%x%x", function(pair) return string.char(tonumber(pair, 16)) end))))
  end,
}

function decode(v)
  if type(v) ~= "table" then return v end
  local word = next(v)
  if word == "text" or word == "tail" then word = next(v, word) end
  if type(word) == "string" and word:sub(1, 1) == "$" then
    local read = WORDS[word]
    if not read then error("unknown word " .. word, 0) end
    return read(v[word], v)
  end
  if type(word) == "string" then return map_of(v, MARKS.atoms) end
  return decoded(v)
end

--- Raises what was not written by `encode`.
---@param v any   from json.decode
---@return any
function tape_value.decode(v) return decode(v) end

return tape_value
