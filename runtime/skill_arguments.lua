--- The arguments of a callback: what a model passes by position, checked against what the skill
--- declares. What is wrong is worded so that it can try again.

local failure = require "runtime.failure"

local skill_arguments = {}

local function number(arg, v)
  if not v or v ~= v or math.abs(v) == math.huge then return nil, "a number" end -- as Erlang has them
  if v < (arg.min or v) or v > (arg.max or v) then
    return nil, ("from %s to %s"):format(arg.min or "any", arg.max or "any")
  end
  return v
end

local DEEPEST = 16

-- Whether the codec and JSON both can say it: no list with named keys, no end in itself.
local function sayable(v, depth)
  if type(v) == "number" then return v == v and math.abs(v) ~= math.huge end
  if type(v) ~= "table" then return type(v) ~= "function" and type(v) ~= "thread" end
  if depth > DEEPEST or getmetatable(v) then return false end
  local listed = #v > 0
  for key, value in pairs(v) do
    if type(key) ~= (listed and "number" or "string") or not sayable(value, depth + 1) then return false end
  end
  return table.maxn(v) == #v
end

local accept = {
  any = function(_, v)
    if v == nil or not sayable(v, 1) then return nil, "a number, a text, true, false, a list or a table with names" end
    return v
  end,
  number = function(arg, v) return number(arg, tonumber(v)) end,
  integer = function(arg, v)
    v = tonumber(v)
    if not v or v % 1 ~= 0 then return nil, "an integer" end
    return number(arg, v)
  end,
  string = function(_, v)
    if type(v) ~= "string" then return nil, "a string" end
    return v
  end,
  choice = function(arg, v)
    for _, word in ipairs(arg.of) do if word == v then return v end end
    return nil, "one of " .. table.concat(arg.of, ", ")
  end,
}

--- The model's positional arguments as named ones, or what is wrong with them.
---@param name string   the callback, for messages
---@param args Arg[]
---@param given any[]
---@return table<string, any>?
---@return Failure? err
function skill_arguments.bind(name, args, given)
  local function refused(why) return nil, failure.new("usage", name .. why, nil, 2) end
  -- An argument dropped in silence would be an answer to another question.
  if table.maxn(given) > #args then
    return refused(#args == 0 and " takes no arguments"
      or (" takes at most %d argument%s, not %d"):format(#args, #args == 1 and "" or "s", table.maxn(given)))
  end
  local bound = {}
  for i, arg in ipairs(args) do
    local v = given[i]
    if v == nil then v = arg.default end
    local ok, want = accept[arg.type](arg, v)
    if ok == nil then return refused((": %s must be %s"):format(arg.name, want)) end
    bound[arg.name] = ok
  end
  return bound
end

return skill_arguments
