--- JSON text from Lua values, the same text for the same value: keys are sorted, so that a
--- prompt's prefix stays byte for byte what a provider has cached. (cjson orders keys as
--- they lie in memory and cannot tell an empty list from an empty object; it decodes.)
---
--- A table is an object when it has a string key or is marked, else a list; `{}` is `[]`.
--- Values of the codec (tables and userdata) say what they are by `__jsontype` in their metatable.

local cjson = require "cjson"
local unseen = require "runtime.unseen"
local utf8 = require "runtime.utf8"

local json = {}

json.null = cjson.null

local Object = { __jsontype = "object" }

--- Marks a table as an object even while it is empty.
---@generic T: table
---@param t T
---@return T
function json.object(t) return setmetatable(t, Object) end

local ESCAPES = { ['"'] = '\\"', ["\\"] = "\\\\", ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t" }

local function escape(c) return ESCAPES[c] or ("\\u%04x"):format(c:byte()) end

-- Nothing in our JSON steers a terminal or hides from an eye: it is shown as \u, which means the same.
local function text(s) return '"' .. unseen.escaped((utf8.well_formed(s):gsub('[%c"\\\127]', escape))) .. '"' end

local function number(n)
  if n ~= n or n == math.huge or n == -math.huge then return "null" end
  if n % 1 == 0 and math.abs(n) < 2 ^ 63 then return ("%d"):format(n) end
  -- The shortest digits that read back as the same number.
  local short = ("%.15g"):format(n)
  return tonumber(short) == n and short or ("%.17g"):format(n)
end

local encode

local function list(t, open)
  local out = {}
  for i = 1, #t do out[i] = encode(t[i], open) end
  if t.tail ~= nil then -- an improper list of Erlang, as the codec's own JSON has it
    out[#out + 1] = '"|"'
    out[#out + 1] = encode(t.tail, open)
  end
  return "[" .. table.concat(out, ",") .. "]"
end

local function object(t, open)
  local keys, values = {}, {}
  for k, v in pairs(t) do
    local key = tostring(k)
    keys[#keys + 1], values[key] = key, v
  end
  table.sort(keys)
  for i, key in ipairs(keys) do keys[i] = text(key) .. ":" .. encode(values[key], open) end
  return "{" .. table.concat(keys, ",") .. "}"
end

--- What a table is as JSON.
---@param t table
---@return "object"|"array"|"text"|"number"
function json.kind(t)
  local marked = (getmetatable(t) or {}).__jsontype
  if marked then return marked end
  return #t == 0 and next(t) ~= nil and "object" or "array"
end

function encode(v, open)
  local t = type(v)
  if t == "table" or t == "userdata" and getmetatable(v) then
    local as = json.kind(v)
    if as == "text" then return text(tostring(v)) end
    if as == "number" then return tostring(v) end
    if open[v] then error("json: a table that contains itself", 0) end
    open[v] = true
    local out = as == "object" and object(v, open) or list(v, open)
    open[v] = nil
    return out
  end
  if t == "string" then return text(v) end
  if t == "number" then return number(v) end
  if t == "boolean" then return tostring(v) end
  if t == "nil" or v == json.null then return "null" end
  error("json: cannot encode a " .. t, 0)
end

---@param v any
---@return string
function json.encode(v) return encode(v, {}) end

---@param s string
---@return any value   json.null for null
---@return string? err
function json.decode(s)
  local ok, value = pcall(cjson.decode, s)
  if ok then return value end
  return nil, (tostring(value):gsub("^.-: ", ""))
end

--- The table that a text of the store is; an empty one where it is none, for whoever can write the store can write
--- anything there.
---@param s any
---@return table
function json.kept(s)
  local value = json.decode(tostring(s))
  return type(value) == "table" and value or {}
end

local EMPTY = "\0"  -- the only member of what was an empty object

-- The text with every empty object marked; nothing in a string is touched.
local function marked(s)
  local out, at = {}, 1
  while true do
    local quote = s:find('"', at, true)
    out[#out + 1] = s:sub(at, (quote or #s + 1) - 1):gsub("{%s*}", '{"\\u0000":0}')
    if not quote then return table.concat(out) end
    local stop = s:find('["\\]', quote + 1)
    while stop and s:byte(stop) == 92 do stop = s:find('["\\]', stop + 2) end
    at = (stop or #s) + 1
    out[#out + 1] = s:sub(quote, at - 1)
  end
end

local function unmarked(value)
  if type(value) ~= "table" then return value end
  if next(value) == EMPTY then return json.object {} end
  for key, inner in pairs(value) do value[key] = unmarked(inner) end
  return value
end

--- As `decode`, but an empty object stays one when it is encoded again: for what goes back as it came.
---@param s string
---@return any value
---@return string? err
function json.faithful(s)
  if not s:find "{%s*}" then return json.decode(s) end
  local value, err = json.decode(marked(s))
  if err then return json.decode(s) end
  return unmarked(value)
end

return json
