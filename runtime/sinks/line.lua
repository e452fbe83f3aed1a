--- An event as it leaves: one JSON object, with nothing in it that a model might not be shown either.

local uv = require "luv"
local json = require "runtime.json"

local line = {}

local LARGEST = 65536

local function stamp()
  local seconds, micro = uv.gettimeofday()
  return os.date("!%Y-%m-%dT%H:%M:%S", seconds) .. (".%03dZ"):format(math.floor(micro / 1000))
end

-- What JSON has no word for is left out; what is too deep is none of an event's.
local function writable(value, depth)
  local kind = type(value)
  if kind == "function" or kind == "thread" or depth > 12 then return nil end
  if kind ~= "table" or (getmetatable(value) or {}).__jsontype == "text" then return value end
  local out = setmetatable({}, getmetatable(value))
  for key, each in pairs(value) do out[key] = writable(each, depth + 1) end
  return out
end

-- Times come as fractions of what they are counted in.
local function whole(measurements)
  for _, name in ipairs { "duration", "system_time" } do
    if type(measurements[name]) == "number" then measurements[name] = math.floor(measurements[name]) end
  end
  return measurements
end

---@param event string
---@param measurements table
---@param metadata table
---@param clean fun(value: any): any
---@return { event: string, at: string, measurements: table, metadata: table }
function line.of(event, measurements, metadata, clean)
  return {
    event = event, at = stamp(), measurements = json.object(whole(writable(measurements, 1))),
    metadata = json.object(clean(writable(metadata, 1))),
  }
end

--- As text. One that is too large goes without what made it so.
---@param item table   from line.of
---@return string
function line.text(item)
  local object = { schema = 1, event = item.event, at = item.at, measurements = item.measurements,
    metadata = item.metadata }
  local text = json.encode(object)
  if #text <= LARGEST then return text end
  local kept = {}
  for key, value in pairs(item.metadata) do
    if type(value) ~= "table" and #tostring(value) <= 1000 then kept[key] = value end
  end
  object.metadata, object.cut = json.object(kept), true
  return json.encode(object)
end

return line
