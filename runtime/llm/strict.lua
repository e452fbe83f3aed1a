--- Tools as a provider takes them that is to keep to their schemas letter for letter (`strict`). Each has its own
--- subset of JSON schema; what it does not know is left out there and checked by us (runtime/arguments.lua), and a
--- tool whose arguments are open stays without it.

local json = require "runtime.json"
local sorted_keys = require "runtime.sorted_keys"

local strict = {}

local function set_of(list)
  local set = {}
  for _, name in ipairs(list or {}) do set[name] = true end
  return set
end

-- What each of the two does to a schema that is none of an object.
local DROPPED = {
  openai = { "minLength", "maxLength" },
  anthropic = { "minLength", "maxLength", "minimum", "maximum", "maxItems", "minItems" },
}

local function with_null(schema)
  local types = type(schema.type) == "table" and { unpack(schema.type) } or { schema.type }
  types[#types + 1] = "null"
  schema.type = types
  if schema.enum then
    schema.enum = { unpack(schema.enum) }
    schema.enum[#schema.enum + 1] = json.null
  end
  return schema
end

local narrowed

local function narrowed_object(schema, way, sums)
  local required, properties = set_of(schema.required), {}
  for name, inner in pairs(schema.properties or {}) do
    local own = narrowed(inner, way, sums)
    if not own then return nil end
    if not required[name] then
      sums.optional = sums.optional + 1
      if way == "openai" then own = with_null(own) end -- there is nothing optional there, but null
    end
    properties[name] = own
  end
  local must = way == "openai" and sorted_keys(properties) or schema.required
  return { type = "object", description = schema.description, properties = json.object(properties),
    required = must and #must > 0 and must or nil, additionalProperties = false }
end

-- A copy in the provider's subset; nil where there is none.
function narrowed(schema, way, sums)
  if schema.type == "object" then
    if next(schema.properties or {}) == nil and not sums.top then return nil end -- open: anything may stand there
    sums.top = false
    return narrowed_object(schema, way, sums)
  end
  local out = {}
  for key, value in pairs(schema) do out[key] = value end
  for _, key in ipairs(DROPPED[way]) do out[key] = nil end
  if type(schema.type) == "table" then sums.unions = sums.unions + 1 end
  if schema.items then
    out.items = narrowed(schema.items, way, sums)
    if not out.items then return nil end
  end
  return out
end

--- One tool's schema in a provider's subset.
---@param parameters table
---@param way "openai"|"anthropic"
---@return table? schema     nil: it cannot be strict
---@return { optional: integer, unions: integer }? sums
function strict.schema(parameters, way)
  local sums = { optional = 0, unions = 0, top = true }
  local schema = narrowed(parameters, way, sums)
  return schema, schema and sums
end

-- What Anthropic takes of strict tools in one request.
local MOST_TOOLS, MOST_OPTIONAL, MOST_UNIONS = 20, 24, 16

--- The schemas of all tools in their order, each with whether it is strict.
---@param tools table[]
---@param way "openai"|"anthropic"
---@return { parameters: table, strict: true? }[]
function strict.tools(tools, way)
  local out, count, optional, unions = {}, 0, 0, 0
  for i, tool in ipairs(tools) do
    local schema, sums = strict.schema(tool.parameters, way)
    if schema and way == "anthropic" then
      count, optional, unions = count + 1, optional + sums.optional, unions + sums.unions
      if count > MOST_TOOLS or optional > MOST_OPTIONAL or unions > MOST_UNIONS then
        count, optional, unions = count - 1, optional - sums.optional, unions - sums.unions
        schema = nil
      end
    end
    out[i] = schema and { parameters = schema, strict = true } or { parameters = tool.parameters }
  end
  return out
end

--- Whether a provider refused a request because of this.
---@param err ProviderFault
function strict.is_refused(err)
  local said = err.message:lower()
  return err.status == 400 and (said:find "strict" ~= nil or said:find "schema" ~= nil)
end

return strict
