--- Where in the code a finding points to: the first function among what it cites that is neither OTP's nor Elixir's
--- own. It is read from the recorded observations, in the rows that the cited figures stand in, so it is as true as
--- they are. Rows that are of the object itself come before those that only explain it.

local evidence = require "runtime.evidence"
local standard_modules = require "runtime.standard_modules"

---@class CodePlace
---@field module string
---@field func string         of a fun the function that it was written in
---@field arity integer
---@field observation string  where it was read
---@field path string

-- "mod:fun/1", with quotes around what wants them.
local function place_of(text)
  if type(text) ~= "string" then return nil end
  local module, func, arity = text:match "^'?([%a_][%w_%.@]*)'?:'?(.-)'?/(%d+)$"
  if not module or standard_modules.has(module) then return nil end
  -- The VM calls a fun '-start/2-fun-0-': that is code of start/2.
  local outer, outer_arity = func:match "^%-(.+)/(%d+)%-"
  func, arity = outer or func, outer_arity or arity
  func = func:gsub("^%-inlined%-", "")
  if func:find "[%s%c]" or func == "" then return nil end
  return { module = module, func = func, arity = tonumber(arity) }
end

-- What of a row says where it stands, the nearest to the cause first.
local FIELDS = { "app_function", "stack", "func", "current_function", "functions", "example_current_function",
  "initial_call", "name" }

local function joined(path, key)
  if type(key) == "number" then return ("%s[%d]"):format(path, key) end
  if not key:find "^[^%.%[%]]+$" then return ('%s["%s"]'):format(path, key) end
  return path == "" and key or path .. "." .. key
end

local function first_of(value, path)
  if type(value) == "string" then return place_of(value), path end
  if type(value) ~= "table" then return nil end
  for i, inner in ipairs(value) do
    local at = joined(path, i)
    local key = type(inner) == "table" and (inner.current_function and "current_function" or "func")
    local place = place_of(key and inner[key] or inner)
    if place then return place, key and joined(at, key) or at end
  end
end

-- The tables that a path leads through, the innermost first, each with its own path.
local function rows_of(value, path)
  local rows, walked = { { row = value, path = "" } }, ""
  for _, key in ipairs(evidence.keys(path) or {}) do
    value = type(value) == "table" and value[key] or nil
    if type(value) ~= "table" then break end
    walked = joined(walked, key)
    if #value == 0 then table.insert(rows, 1, { row = value, path = walked }) end
  end
  return rows
end

local function is_of(row, object)
  for _, field in ipairs { "name", "pid", "current_function", "app_function", "func", "initial_call", "owner_name" } do
    if row[field] == object then return true end
  end
  return false
end

local function in_row(row, path)
  for _, field in ipairs(FIELDS) do
    local place, at = first_of(row[field], joined(path, field))
    if place then return place, at end
  end
end

local function found(place, observation, path)
  place.observation, place.path = observation, path
  return place
end

-- One pass over the claims: with rows that are of the object alone, or with all.
local function search(seen, insight, own)
  for _, claim in ipairs(insight.evidence) do
    local o = seen:get(claim.observation)
    for _, at in ipairs(o and rows_of(o.value, claim.path) or {}) do
      if not own or is_of(at.row, insight.root_cause.object) then
        local place, path = in_row(at.row, at.path)
        if place then return found(place, o.id, path) end
      end
    end
  end
end

--- The place in the code, nil where nothing that was cited names one.
---@param seen Evidence
---@param insight table
---@return CodePlace?
return function(seen, insight)
  for _, claim in ipairs(insight.evidence) do
    local place = place_of(claim.value)
    if place then return found(place, claim.observation, claim.path) end
  end
  return search(seen, insight, true) or search(seen, insight, false)
end
