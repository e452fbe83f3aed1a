--- Whether the arguments of a tool call fit the tool's schema, and what is wrong when not, in a
--- sentence that lets the model try again. The schema is the JSON schema that the provider is
--- shown, so what is promised and what is checked are one. It knows: object (properties,
--- required), array, string, integer, number, boolean, enum, minimum, maximum, minItems,
--- and a list of types. What every schema here means need not be sent with each: an object that names
--- its properties takes no others, and a text that is required has something in it.

local failure = require "runtime.failure"
local json = require "runtime.json"
local sorted_keys = require "runtime.sorted_keys"

local arguments = {}

local NAMES = {
  object = "an object", array = "a list", string = "a text", integer = "a whole number", number = "a number",
  boolean = "true or false",
}

-- An empty table may be either: Lua has lost which it was.
local IS = {
  object = function(v) return type(v) == "table" and #v == 0 end,
  array = function(v) return type(v) == "table" and (next(v) == nil or #v > 0) end,
  string = function(v) return type(v) == "string" end,
  integer = function(v) return type(v) == "number" and v % 1 == 0 end,
  number = function(v) return type(v) == "number" and v == v end,
  boolean = function(v) return type(v) == "boolean" end,
}

local function kind(v)
  if type(v) == "number" then return tostring(v) end
  if v == nil or v == json.null then return "nothing" end
  if type(v) == "table" then return #v > 0 and "a list" or "an object" end
  return NAMES[type(v)] or "a " .. type(v)
end

local check

-- Models say null, or an empty text, for an optional argument that they leave out.
local function left_out(v) return v == nil or v == json.null or v == "" end

local function object(schema, v, where)
  local known = schema.properties
  if not known then return v end
  local names = sorted_keys(known)
  local function at(name) return where == "" and name or where .. "." .. name end
  for name, inner in pairs(v) do
    if not known[name] and inner ~= json.null then
      local near = failure.nearest(tostring(name), names)
      return nil, ("there is no %s%s; it takes %s"):format(at(tostring(name)),
        near and (", did you mean " .. near) or "", #names > 0 and table.concat(names, ", ") or "no arguments")
    end
  end
  local out = {}
  for _, name in ipairs(schema.required or {}) do
    if v[name] == "" then return nil, at(name) .. " must not be empty" end
    if left_out(v[name]) then return nil, at(name) .. " is missing" end
  end
  for _, name in ipairs(names) do
    if not left_out(v[name]) then
      local inner, why = check(known[name], v[name], at(name))
      if why then return nil, why end
      out[name] = inner
    end
  end
  return out
end

local function array(schema, v, where)
  if schema.minItems and #v < schema.minItems then
    return nil, ("%s needs %d entry at least"):format(where, schema.minItems)
  end
  local out = {}
  for i, inner in ipairs(v) do
    local why
    out[i], why = check(schema.items, inner, ("%s[%d]"):format(where, i))
    if why then return nil, why end
  end
  return out
end

local function range(schema)
  if not schema.maximum then return ("%s at least"):format(schema.minimum) end
  if not schema.minimum then return ("%s at most"):format(schema.maximum) end
  return ("from %s to %s"):format(schema.minimum, schema.maximum)
end

local function bounded(schema, v, where)
  if schema.enum then
    for _, word in ipairs(schema.enum) do
      if word == v then return v end
    end
    return nil, ("%s must be one of %s, not %s"):format(where, table.concat(schema.enum, ", "), tostring(v))
  end
  if type(v) == "number" and (v < (schema.minimum or v) or v > (schema.maximum or v)) then
    return nil, ("%s must be %s, not %s"):format(where, range(schema), v)
  end
  if v == "" then return nil, where .. " must not be empty" end
  return v
end

function check(schema, v, where)
  local types = type(schema.type) == "table" and schema.type or { schema.type }
  local fits, wanted = nil, {}
  for i, name in ipairs(types) do
    if IS[name](v) then fits = fits or name end
    wanted[i] = NAMES[name]
  end
  if not fits then
    local name = where == "" and "the arguments" or where
    return nil, ("%s must be %s, not %s"):format(name, table.concat(wanted, " or "), kind(v))
  end
  if fits == "object" then return object(schema, v, where) end
  if fits == "array" then return array(schema, v, where) end
  return bounded(schema, v, where)
end

--- A checked copy of the arguments: only what the schema knows, optional nulls left out.
---@param schema table
---@param args any
---@return table?
---@return string? why
function arguments.check(schema, args) return check(schema, args, "") end

return arguments
