--- A tool's schema in the words Gemini has for one: types in capitals, several types as `anyOf`, and only
--- the keywords it knows. What is left out is checked by us all the same (runtime/arguments.lua).

local json = require "runtime.json"

local gemini_schema = {}

local translate

local function kinds_of(schema)
  local kinds = {}
  for i, kind in ipairs(schema.type) do kinds[i] = { type = kind:upper() } end
  return kinds
end

local function properties_of(schema)
  local out = {}
  for name, inner in pairs(schema.properties or {}) do out[name] = translate(inner) end
  return out
end

local function is_open(schema) return schema.type == "object" and next(schema.properties or {}) == nil end

function translate(schema)
  -- An object of unknown fields is none it takes; it comes as a text instead.
  if is_open(schema) then
    local meant = schema.description and schema.description .. "; " or ""
    return { type = "STRING", description = meant .. "a JSON object" }
  end
  local out = { description = schema.description, minimum = schema.minimum, maximum = schema.maximum }
  if type(schema.type) == "table" then
    out.anyOf = kinds_of(schema)
    return out
  end
  out.type = schema.type:upper()
  if schema.type == "string" then out.enum = schema.enum end
  if schema.items then out.items = translate(schema.items) end
  if schema.type == "object" then
    out.properties = json.object(properties_of(schema))
    out.required = schema.required and #schema.required > 0 and schema.required or nil
  end
  return out
end

--- The declaration of a tool. One without arguments has no parameters at all.
---@param tool { name: string, description: string, parameters: table }
---@return table
function gemini_schema.declaration(tool)
  return { name = tool.name, description = tool.description,
    parameters = not is_open(tool.parameters) and translate(tool.parameters) or nil }
end

--- The arguments of a call as the tool wants them: what came as text for an object is one again.
---@param tool? { parameters: table }
---@param args table
---@return table
function gemini_schema.arguments(tool, args)
  for name, inner in pairs(tool and tool.parameters.properties or {}) do
    local object = is_open(inner) and type(args[name]) == "string" and json.decode(args[name])
    if type(object) == "table" then args[name] = object end
  end
  return args
end

return gemini_schema
