--- Where in the code a finding points to: the first function among what was seen that is neither OTP's nor Elixir's
--- own. It is read from the recorded observations, so it is as true as they are: in rows of the object first, those
--- that are cited before the others; then in cited rows that only explain it.

local evidence = require "runtime.evidence"
local sorted_keys = require "runtime.sorted_keys"
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

local NAMES = { "name", "pid", "current_function", "app_function", "func", "module", "initial_call", "owner_name" }

local function is_of(row, names)
  for _, field in ipairs(NAMES) do
    if names[row[field] or 0] then return true end
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

-- One pass over the claims: with rows that are of these alone, or with all.
local function cited(seen, insight, names)
  for _, claim in ipairs(insight.evidence) do
    local o = seen:get(claim.observation)
    for _, at in ipairs(o and rows_of(o.value, claim.path) or {}) do
      if not names or is_of(at.row, names) then
        local place, path = in_row(at.row, at.path)
        if place then return found(place, o.id, path) end
      end
    end
  end
end

local ALSO = { "pid", "name", "owner_pid", "owner_name", "connected_pid", "connected_name" }

-- What the object is called, and who owns it, by the rows that are cited of it.
local function names_of(seen, insight)
  local names = { [insight.root_cause.object] = true }
  local own = { [insight.root_cause.object] = true }
  for _, claim in ipairs(insight.evidence) do
    local o = seen:get(claim.observation)
    for _, at in ipairs(o and rows_of(o.value, claim.path) or {}) do
      for _, field in ipairs(is_of(at.row, own) and ALSO or {}) do
        if type(at.row[field]) == "string" then names[at.row[field]] = true end
      end
    end
  end
  return names
end

local function walk(value, path, names)
  if type(value) ~= "table" then return nil end
  if #value == 0 and is_of(value, names) then
    local place, at = in_row(value, path)
    if place then return place, at end
  end
  for i, key in ipairs(#value > 0 and value or sorted_keys(value)) do
    key = #value > 0 and i or key
    local place, at = walk(value[key], joined(path, key), names)
    if place then return place, at end
  end
end

-- Whatever else was seen of them, the latest first.
local function elsewhere(seen, names)
  local all = seen:all()
  for i = #all, 1, -1 do
    local place, path = walk(all[i].value, "", names)
    if place then return found(place, all[i].id, path) end
  end
end

--- The place in the code, nil where nothing that was seen names one.
---@param seen Evidence
---@param insight table
---@return CodePlace?
return function(seen, insight)
  for _, claim in ipairs(insight.evidence) do
    local place = place_of(claim.value)
    if place then return found(place, claim.observation, claim.path) end
  end
  local names = names_of(seen, insight)
  return cited(seen, insight, { [insight.root_cause.object] = true }) or elsewhere(seen, names) or cited(seen, insight)
end
