--- What the config says of its sinks, checked: each of a type that there is, with the fields of the type, and with
--- events that there are.

local event_names = require "runtime.event_names"
local failure = require "runtime.failure"

local settings = {}

local TYPES = { "jsonl", "prometheus", "syslog", "webhook" }
local FORM = 'sinks = { { type = "jsonl", file = "…" } }'

local function fail(where, message, next_step, ...)
  return nil, failure.in_config({ "sinks", ... }, ("%s: %s"):format(where, message),
    next_step or "see examples/config.lua")
end

local function of_type(entry, i)
  local where = ("sinks[%d]"):format(i)
  if type(entry) ~= "table" then return fail(where, "a sink is a table", FORM, i) end
  for _, name in ipairs(TYPES) do
    if entry.type == name then return require("runtime.sinks." .. name) end
  end
  return fail(where, ("there is no type %s"):format(tostring(entry.type)),
    failure.meant(entry.type, TYPES, "there are " .. table.concat(TYPES, ", ")), i, "type")
end

local function event_fault(list)
  if type(list) ~= "table" or #list == 0 then return 'events wants names: { "operator.notification_sent" }' end
  for _, name in ipairs(list) do
    local found, why, next_step = event_names.read(tostring(name))
    if not found then return why, next_step end
  end
end

--- Where an entry stands, for who reads what is wrong with it.
---@param i integer
---@param entry table
---@return string
function settings.place(i, entry) return ("sinks[%d] (%s)"):format(i, entry.type) end

-- Every field one that the type has, and of its kind.
local function check(entry, i)
  local kind, err = of_type(entry, i)
  if not kind then return nil, err end
  local where = settings.place(i, entry)
  local names = { "type" }
  for name in pairs(kind.fields) do names[#names + 1] = name end
  if kind.hears ~= false then names[#names + 1] = "events" end
  table.sort(names)
  for name, given in pairs(entry) do
    local wanted = kind.fields[name]
    if wanted == "text" and (type(given) ~= "string" or given == "") then
      return fail(where, ("%s must be a text"):format(name), nil, i, name)
    elseif wanted == "number" and (type(given) ~= "number" or given < 1 or given > 86400) then
      return fail(where, ("%s must be a number from 1 to 86400"):format(name), nil, i, name)
    elseif name == "events" and kind.hears ~= false then
      local fault, next_step = event_fault(given)
      if fault then return fail(where, fault, next_step, i, name) end
    elseif not wanted and name ~= "type" then
      return fail(where, ("it has no %s"):format(tostring(name)),
        failure.meant(name, names, "it has " .. table.concat(names, ", ")), i, name)
    end
  end
  for _, name in ipairs(kind.needs or {}) do
    if entry[name] == nil then return fail(where, ("it wants %s"):format(name), nil, i) end
  end
  return kind
end

--- The modules of the types, one for each entry.
---@param list table[]
---@return table[]? kinds
---@return Failure? err
function settings.check(list)
  local kinds = {}
  for key in pairs(list) do
    if type(key) ~= "number" then return fail("sinks", "it is a list, and has no " .. tostring(key), FORM, key) end
  end
  for i, entry in ipairs(list) do
    local err
    kinds[i], err = check(entry, i)
    if not kinds[i] then return nil, err end
  end
  return kinds
end

return settings
