--- A value of an option, from wherever somebody said it, in the form that the option has: or what is wrong with it.

local failure = require "runtime.failure"

local value = {}

--- Where the options of every command are told of.
value.SEE_HELP = "see `beamlens-run help`"
local SEE_EXAMPLE = "see `beamlens-run init examples/config.lua`" -- where help has no word of it

--- Where an option is told of.
---@param option Option
---@return string
function value.see(option)
  if option.file_only then return SEE_EXAMPLE end
  return option.command and ("see `beamlens-run help %s`"):format(option.command) or value.SEE_HELP
end

-- `at` is its place in the file: "anomaly.z_threshold".
local function unfit(at, message, next_step)
  local err = failure.new("usage", message, next_step, 2)
  err.keys = {}
  for key in at:gmatch "[^.]+" do err.keys[#err.keys + 1] = key end
  return nil, err
end

local function choice_fault(option, word)
  if not option.of then return end
  for _, one in ipairs(option.of) do if one == word then return end end
  local near = failure.nearest(word, option.of)
  return ("must be one of %s, not %s%s"):format(table.concat(option.of, ", "), word,
    near and (" (did you mean %s?)"):format(near) or "")
end

-- By type: the value in its form, or nil and what it wants.
local READ = {}

function READ.text(_, given) return type(given) == "string" and given or nil, "text" end

function READ.number(option, given)
  local n = type(given) == "number" and given or tostring(given):match "^%d+%.?%d*$" and tonumber(given)
  local fits = n and n >= option.min and n <= option.max and (n % 1 == 0 or not option.whole)
  return fits and n or nil,
    ("a %s from %d to %d"):format(option.whole and "whole number" or "number", option.min, option.max)
end

function READ.list(_, given)
  local words, want = {}, "names, one at least"
  if type(given) == "table" then
    for i, word in ipairs(given) do
      if type(word) ~= "string" then return nil, want end
      words[i] = word
    end
  else
    for word in tostring(given):gmatch "[^,%s]+" do words[#words + 1] = word end
  end
  if #words == 0 then return nil, want end
  return words
end

local FLAGS = { ["1"] = true, ["true"] = true, ["0"] = false, ["false"] = false, [""] = false }

function READ.flag(_, given)
  if type(given) == "boolean" then return given end
  return FLAGS[given], "true or false"
end

function READ.boolean(_, given)
  if type(given) == "boolean" then return given end
  return nil, "true or false, without quotes"
end

function READ.table(_, given) return type(given) == "table" and given or nil, "a table" end

-- Its fields, those left out by their defaults.
local function read_group(option, given, where)
  if type(given) ~= "table" then
    return unfit(where, ("%s wants a table, not %s"):format(where, tostring(given)), SEE_EXAMPLE)
  end
  local group, known, names = {}, {}, {}
  for i, field in ipairs(option.fields) do
    known[field.name], group[field.name], names[i] = field, field.default, field.name
  end
  for name, one in pairs(given) do
    name = tostring(name)
    local at = ("%s.%s"):format(where, name)
    if not known[name] then
      return unfit(at, ("%s has no %s"):format(where, name),
        failure.meant(name, names, "it has " .. table.concat(names, ", ")))
    end
    local err
    group[name], err = value.read(known[name], one, at, SEE_EXAMPLE)
    if err then return nil, err end
  end
  return group
end

---@param option Option
---@param given any
---@param where string        how it is called in a complaint: its place in the file, its flag, its variable
---@param next_step? string   where there is more to read
---@return any read
---@return Failure? err
function value.read(option, given, where, next_step)
  next_step = next_step or value.see(option)
  if option.type == "group" then return read_group(option, given, where) end
  if given == option.default then return given end -- handed on as it was, nobody has set it: config.default
  local read, want = READ[option.type](option, given)
  if read == nil then
    local kind = type(given)
    local got = (kind == "table" or kind == "function") and "that " .. kind or tostring(given)
    return unfit(where, ("%s wants %s, not %s"):format(where, want, got), next_step)
  end
  local fault = choice_fault(option, read)
  if fault then return unfit(where, ("%s %s"):format(where, fault), next_step) end
  local wrong = option.checked_by and require(option.checked_by).check(read)
  if wrong then return nil, wrong end
  return read
end

--- What an option is where nobody says it.
---@param option Option
---@return any
function value.unset(option)
  if option.fields then return (read_group(option, {}, option.name)) end
  return option.default
end

return value
