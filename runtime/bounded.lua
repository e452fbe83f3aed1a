--- The libraries that somebody else's Lua may use, each call bounded: what is C runs to its end
--- whoever counts steps, so what it may make, and how long it may search, is looked at before.

local pattern_cost = require "runtime.pattern_cost"

local bounded = { string = {}, table = {}, math = {} }

local LONGEST_TEXT = 4 * 1024 * 1024
local LONGEST_SEARCH = 1e9  -- steps: some seconds
local AT_ONCE = 16          -- bytes that are compared in one of them where nothing is a pattern

local STRING = { "byte", "char", "find", "format", "gmatch", "gsub", "len", "lower", "match", "rep", "reverse", "sub",
  "upper" } -- no dump
local TABLE = { "concat", "insert", "maxn", "remove", "sort" }
local UNLISTED_MATH = { randomseed = true } -- the dice are everybody's

for _, name in ipairs(STRING) do bounded.string[name] = string[name] end
for _, name in ipairs(TABLE) do bounded.table[name] = table[name] end
for name, f in pairs(math) do bounded.math[name] = not UNLISTED_MATH[name] and f or nil end

local concat, insert, sort = table.concat, table.insert, table.sort
local find, format, gmatch, gsub = string.find, string.format, string.gmatch, string.gsub
local match, rep, sub = string.match, string.rep, string.sub

-- A level up is the file that called.
local function refuse(level, text, ...) error(format(text, ...), level + 1) end

local function fits(bytes, level)
  if bytes > LONGEST_TEXT then
    refuse(level + 1, "this makes a text of %.0f bytes, and %d are the most; make less of it", bytes, LONGEST_TEXT)
  end
end

local function length(v) return type(v) == "string" and #v or 32 end

function bounded.string.rep(s, n, separator)
  if type(s) == "string" and type(n) == "number" and n > 1 then
    fits((#s + (separator and length(separator) or 0)) * n, 2)
  end
  return rep(s, n, separator)
end

function bounded.string.format(text, ...)
  local bytes = 128 * length(text)
  for i = 1, select("#", ...) do bytes = bytes + 4 * length((select(i, ...))) end -- %q may write \ddd
  if bytes > LONGEST_TEXT then
    local exact = select(2, gsub(text, "%%", "")) * 512 + #text
    for i = 1, select("#", ...) do exact = exact + length((select(i, ...))) end
    fits(exact, 2)
  end
  return format(text, ...)
end

function bounded.table.concat(list, separator, from, to)
  if type(list) == "table" then
    local bytes, between = 0, separator and length(separator) or 0
    for i = from or 1, to or #list do
      bytes = bytes + length(list[i]) + between
      if bytes > LONGEST_TEXT then fits(bytes, 2) end
      if list[i] == nil then break end
    end
  end
  return concat(list, separator, from, to)
end

--- From a place far below the first, the library would move that many things up.
function bounded.table.insert(list, ...)
  local place = ...
  if select("#", ...) == 2 and type(list) == "table" and type(place) == "number"
    and not (place >= 1 and place <= #list + 1) then
    refuse(2, "the place %.0f is not from 1 to %d", place, #list + 1)
  end
  return insert(list, ...)
end

-- An order that the library finds by itself is looked for by steps that are not counted, and there are
-- lists for which it takes the square of their length.
local function ascending(a, b) return a < b end

function bounded.table.sort(list, before) return sort(list, before == nil and ascending or before) end

local function searched(s, pattern, level)
  if type(s) ~= "string" or type(pattern) ~= "string" then return end
  if pattern_cost.of(pattern, #s) > LONGEST_SEARCH then
    refuse(level + 1, "the pattern %s on a text of %d bytes may search for ever; let what repeats in it end at one "
      .. "certain character, or begin it with ^", sub(gsub(format("%q", pattern), "\\\n", "\\n"), 1, 80), #s)
  end
end

function bounded.string.find(s, pattern, init, plain)
  if not plain then
    searched(s, pattern, 2)
  elseif type(s) == "string" and type(pattern) == "string" and #s * #pattern / AT_ONCE > LONGEST_SEARCH then
    refuse(2, "a text of %d bytes in one of %d may be searched for ever; look for less of it", #pattern, #s)
  end
  return find(s, pattern, init, plain)
end

function bounded.string.match(s, pattern, init)
  searched(s, pattern, 2)
  return match(s, pattern, init)
end

-- There `^` is a character like any other.
function bounded.string.gmatch(s, pattern)
  searched(s, type(pattern) == "string" and gsub(pattern, "^%^", "%%^") or pattern, 2)
  return gmatch(s, pattern)
end

-- The most that one match is replaced by.
local function longest(replacement)
  if type(replacement) ~= "table" then return length(replacement) end
  local most = 0
  for _, v in pairs(replacement) do most = math.max(most, length(v)) end
  return most
end

function bounded.string.gsub(s, pattern, replacement, most)
  searched(s, pattern, 2)
  if type(s) ~= "string" or type(pattern) ~= "string" then return gsub(s, pattern, replacement, most) end
  if type(replacement) ~= "function" then
    local _, times = gsub(s, pattern, "", most)
    local quoted = type(replacement) == "string" and select(2, gsub(replacement, "%%", "")) or 0
    fits(#s + times * longest(replacement) + quoted * #s, 2)
    return gsub(s, pattern, replacement, most)
  end
  local bytes = #s
  return gsub(s, pattern, function(...)
    local by = replacement(...)
    bytes = bytes + length(by)
    fits(bytes, 3)
    return by
  end, most)
end

return bounded
