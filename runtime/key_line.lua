--- Where a key stands in a file of settings, for who reads what is wrong with it. The file was run, not parsed, and may
--- have put its table together in any way: this reads the table that is written behind `return`, as people write them,
--- and says nothing where the key is not found there.

local files = require "runtime.files"

local OPENS, CLOSES = { ["{"] = true, ["("] = true, ["["] = true }, { ["}"] = true, [")"] = true, ["]"] = true }

-- Past blanks and comments.
local function skip(text, at)
  while true do
    local _, blank = text:find("^%s+", at)
    at = blank and blank + 1 or at
    local _, long, level = text:find("^%-%-%[(=*)%[", at)
    local _, rest = text:find("^%-%-[^\n]*", at)
    if long then
      local _, last = text:find("]" .. level .. "]", long, true)
      at = (last or #text) + 1
    elseif rest then
      at = rest + 1
    else
      return at
    end
  end
end

local function short_end(text, at, quote)
  while at <= #text do
    local c = text:sub(at, at)
    if c == quote or c == "\n" then return at end
    at = at + (c == "\\" and 2 or 1)
  end
  return #text
end

-- Where the token that begins here ends.
local function token_end(text, at)
  local quote = text:match("^[\"']", at)
  if quote then return short_end(text, at + 1, quote) end
  local _, opened, level = text:find("^%[(=*)%[", at)
  if opened then
    local _, last = text:find("]" .. level .. "]", opened, true)
    return last or #text
  end
  local _, last = text:find("^[%w_]+", at)
  return last or at
end

-- The key of a field that begins here, and where what it is set to begins; nil for an item of a list.
local function key_at(text, at)
  local name, value = text:match("^([%a_][%w_]*)%s*=()", at)
  if not name then name, value = text:match("^%[%s*\"([^\"\n]*)\"%s*%]%s*=()", at) end
  if not name then name, value = text:match("^%[%s*'([^'\n]*)'%s*%]%s*=()", at) end
  if not name then
    name, value = text:match("^%[%s*(%d+)%s*%]%s*=()", at)
    name = tonumber(name)
  end
  if name and text:sub(value, value) ~= "=" then return name, value end
end

local function table_of_return(text)
  local at, last = skip(text, 1), nil
  while at <= #text do
    local stop = token_end(text, at)
    local word = text:sub(at, stop)
    if last == "return" and word == "{" then return at end
    last, at = word, skip(text, stop + 1)
  end
end

-- Calls `seen(depth, key, at)` for each field of the table that begins here; a table in a call or an index is no part
-- of it.
local function walk(text, at, seen)
  local open = { { items = 0 } } -- what is open, innermost last; of a table how many items of a list it had
  at = skip(text, at + 1)
  local begins = true
  while at <= #text do
    local inside = open[#open]
    local c = text:sub(at, at)
    if inside.items and begins and not CLOSES[c] then
      local key, value = key_at(text, at)
      if not key then
        inside.items = inside.items + 1
        key, value = inside.items, at
      end
      seen(inside.depth or 1, key, at)
      at = skip(text, value)
      c = text:sub(at, at)
    end
    begins = c == "{" or inside.items and (c == "," or c == ";")
    local stop = token_end(text, at)
    if stop == at and OPENS[c] then
      open[#open + 1] = c == "{" and inside.items and { items = 0, depth = (inside.depth or 1) + 1 } or {}
    elseif stop == at and CLOSES[c] then
      open[#open] = nil
      if #open == 0 then return end
    end
    at = skip(text, stop + 1)
  end
end

local function line_of(text, keys)
  local start = table_of_return(text)
  if not start then return nil end
  local found, place = 0, nil
  walk(text, start, function(depth, key, at)
    found = math.min(found, depth - 1)
    if depth ~= found + 1 or keys[depth] ~= key then return end
    found = depth
    if not place or depth > place.depth then place = { depth = depth, at = at } end
  end)
  return place and 1 + select(2, text:sub(1, place.at - 1):gsub("\n", ""))
end

--- The line of the last of these keys that is found, each in the table of the one before it.
---@param path string
---@param keys (string|number)[]   { "sinks", 1, "type" }
---@return integer? line
return function(path, keys)
  local text = files.read_users(path, "config")
  return text and line_of(text, keys)
end
