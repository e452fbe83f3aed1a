--- Somebody else's file as plain data. Its tables are copied, so that nothing in them changes under us;
--- its functions are left where they are: in their place stands one that evaluates the file anew, finds
--- the function again by its place, and runs it. So a file has no state. What a function kept in a local
--- of the file is gone when it returns, and a file that was changed cannot be half old and half new.

local confined = require "runtime.confined"
local failure = require "runtime.failure"

local stand_in = {}

local MOST_VALUES, MOST_BYTES, DEEPEST = 200000, 16 * 1024 * 1024, 40
local PLAIN = { number = true, boolean = true, ["nil"] = true, userdata = true } -- userdata: only ours make any

local function refused(file, keys, why)
  local names = {}
  for i, key in ipairs(keys) do names[i] = tostring(key) end
  local name = #names > 0 and table.concat(names, ".") or "what it returns"
  error(failure.new("skill", ("%s: %s %s"):format(file, name, why), "return plain values, each once", 2), 0)
end

-- A copy; `made` says what a function becomes. Nothing in their environment gives a table a metatable, so
-- where there is one it is ours, and marks a value of the codec or of JSON.
local function copied(file, value, made)
  local values, bytes, open, keys = 0, 0, {}, {}
  local function copy(v)
    values = values + 1
    if values > MOST_VALUES then refused(file, {}, ("has more than %d values"):format(MOST_VALUES)) end
    local kind = type(v)
    if kind == "string" then
      bytes = bytes + #v
      if bytes > MOST_BYTES then refused(file, {}, ("has more than %d MiB of text"):format(MOST_BYTES / 2 ^ 20)) end
      return v
    elseif PLAIN[kind] then
      return v
    elseif kind == "function" then
      return made(v, keys) or refused(file, keys, "is a function")
    elseif kind ~= "table" then
      refused(file, keys, "is a " .. kind)
    end
    if open[v] then refused(file, keys, "holds itself") end
    if #keys >= DEEPEST then refused(file, {}, ("is deeper than %d tables"):format(DEEPEST)) end
    open[v] = true
    local t = setmetatable({}, getmetatable(v))
    for key, item in next, v do
      local named = type(key) == "string" or type(key) == "number"
      if not named then refused(file, keys, "has a " .. type(key) .. " as a key") end
      keys[#keys + 1] = key
      rawset(t, key, copy(item))
      keys[#keys] = nil
    end
    open[v] = nil
    return t
  end
  return copy(value)
end

local function none() return nil end

local given_to

-- A function of theirs that one of ours was handed, as a comparison or a thing to do for each: it runs
-- confined like the one that handed it over, and on the same count.
local function inside(stay, file, f)
  return function(...)
    local args, n = { ... }, select("#", ...)
    for i = 1, n do args[i] = given_to(stay, file, args[i]) end
    local results = { confined.call(stay, f, unpack(args, 1, n)) }
    if not results[1] then error(results[2], 0) end
    local last = table.maxn(results)
    for i = 2, last do results[i] = copied(file, results[i], none) end
    return unpack(results, 2, last)
  end
end

-- What they are handed: copies, whose functions run outside.
function given_to(stay, file, value)
  return copied(file, value, function(f)
    local outside = confined.outside(stay, function(...)
      local args, n = { ... }, select("#", ...)
      local function handed(theirs) return stay.ours[theirs] or inside(stay, file, theirs) end
      for i = 1, n do args[i] = copied(file, args[i], handed) end
      local results = { f(unpack(args, 1, n)) }
      local last = table.maxn(results)
      for i = 1, last do results[i] = given_to(stay, file, results[i]) end
      return unpack(results, 1, last)
    end)
    stay.ours[outside] = f
    return outside
  end)
end

local function evaluated(stay, text, file, given)
  local chunk, err = confined.chunk(text, file)
  if not chunk then return nil, err end
  return confined.call(stay, chunk, given_to(stay, file, given))
end

local evaluate_function

-- Raises what is wrong, as a Failure.
local function found(value, keys, file)
  for _, key in ipairs(keys) do value = type(value) == "table" and value[key] or nil end
  if type(value) == "function" then return value end
  error(failure.new("skill", ("%s: %s is not the same each time the file is run"):format(file,
    table.concat(keys, ".")), "write it as a plain table of functions", 2), 0)
end

function evaluate_function(text, file, given, keys, whole_s)
  return function(...)
    local stay = confined.stay(file, whole_s)
    local ok, value = evaluated(stay, text, file, given)
    if not ok then error(value, 0) end
    return inside(stay, file, found(value, keys, file))(...)
  end
end

--- What a file returns, as data of ours.
---@param text string
---@param file string    for messages
---@param given? any     the argument it is run with
---@param whole_s? number  what one call of a function of it may take, waiting and all; 120 if left out
---@return any value     nil when something is wrong
---@return Failure? err
function stand_in.load(text, file, given, whole_s)
  local ok, value = evaluated(confined.stay(file), text, file, given)
  if not ok then return nil, value end
  local fine, data = pcall(copied, file, value, function(_, keys)
    return evaluate_function(text, file, given, { unpack(keys) }, whole_s)
  end)
  if not fine then return nil, confined.fault(file, data) end
  return data
end

return stand_in
