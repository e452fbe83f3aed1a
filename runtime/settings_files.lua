--- The files of the settings folder that hold while the program runs: config, policy and secrets. Each says where it is
--- and puts in force what may be at once; what it refuses leaves everything as it was.

local config = require "runtime.config"
local policy = require "runtime.policy"
local prices = require "runtime.llm.prices"
local reach = require "runtime.reach"
local roster = require "runtime.roster"
local secret_patterns = require "runtime.secret_patterns"
local sinks = require "runtime.sinks"

local settings_files = {}

-- Whether two values say the same; functions are the same only if they are one.
local function same(a, b)
  if type(a) ~= "table" or type(b) ~= "table" then return a == b end
  for k, v in next, a do if not same(v, b[k]) then return false end end
  for k in next, b do if a[k] == nil then return false end end
  return true
end

-- A group stays the table that it is, for who holds it; another value is another one.
local function put(options, option, value)
  local held = options[option.name]
  if option.type ~= "group" or type(held) ~= "table" then
    options[option.name] = value
    return
  end
  for k in next, held do if value[k] == nil then held[k] = nil end end
  for k, v in next, value do held[k] = v end
end

local function second(_, err) return err end

-- The form of an option that others know: they say what is wrong before it holds.
local OWNERS = {
  hosts = function(value) return second(reach.hosts(value)) end,
  operators = function(value) return second(roster.standing { operators = value }) end,
  prices = prices.fault, sinks = sinks.fault,
  watchers = function(value) return second(roster.standing { watchers = value }) end,
}

local function form_fault(option, value)
  local owner = option.live and value ~= nil and OWNERS[option.name]
  return owner and owner(value)
end

--- What is wrong in the values that others know the form of.
---@param options table   from config.settle
---@return Failure? err   the first, in the order of the options
function settings_files.fault(options)
  for _, option in ipairs(config.OPTIONS) do
    local err = form_fault(option, options[option.name])
    if err then return config.placed(options, err) end
  end
end

--- Puts in force what an edit of the config file may change while the program runs.
---@param options table   from config.settle
---@return { applied: string[], waiting: string[] }?   the names of options
---@return Failure? err   then nothing changed
function settings_files.config(options)
  local fresh, err = config.again(options)
  if not fresh then return nil, err end
  local changed = { applied = {}, waiting = {} }
  for _, option in ipairs(config.OPTIONS) do
    err = err or not same(options[option.name], fresh[option.name]) and form_fault(option, fresh[option.name]) or nil
  end
  if err then return nil, config.placed(fresh, err) end
  for _, option in ipairs(config.OPTIONS) do
    if not same(options[option.name], fresh[option.name]) then
      table.insert(option.live and changed.applied or changed.waiting, option.name)
      if option.live then put(options, option, fresh[option.name]) end
    end
  end
  return changed
end

---@class SettingsFile
---@field name string
---@field path fun(options?: table): string?   nil where nobody goes by it
---@field apply fun(options?: table): table|true|nil, Failure?

---@type SettingsFile[]
settings_files.list = {
  { name = "policy", path = policy.path, apply = policy.load },
  { name = "secrets", path = secret_patterns.path, apply = secret_patterns.load },
  { name = "config", path = function(options) return options and config.path(options) end,
    apply = settings_files.config },
}

return settings_files
