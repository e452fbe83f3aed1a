--- What holds for a run: command line, else environment, else config file, else default, in that order of strength.

local failure = require "runtime.failure"
local file = require "runtime.config.file"
local line = require "runtime.config.line"
local options = require "runtime.config.options"
local value = require "runtime.config.value"

local config = {
  OPTIONS = options.LIST, names = options.names, default = options.default, flag = options.flag,
  parse = line.parse, option = line.option, unknown = line.unknown, belongs = line.belongs, stray = line.stray,
}

--- A value for an option as a script gives it, in the form that the option has.
---@param name string
---@param given any
---@param where? string   how the option is called in a complaint, if not by its name
---@return any value
---@return Failure? err   also for a name that is no option
function config.check(name, given, where)
  local option = options.of(name)
  if option then return value.read(option, given, where or name) end
  return nil, failure.new("usage", "there is no option " .. name, failure.meant(name, options.names(), value.SEE_HELP),
    2)
end

-- What environment or file say of an option; nil where nothing.
local function said(option, environment, kept, path)
  local variable = "BEAMLENS_" .. option.name:upper()
  local text = not (option.line_only or option.file_only) and environment(variable)
  if text and text ~= "" then return value.read(option, text, variable) end
  if kept[option.name] == nil then return nil end
  local read, err = value.read(option, kept[option.name], option.name)
  if err then return nil, file.blamed(path, err) end
  return read
end

-- What options were settled from, for as long as there are these options.
local origin = setmetatable({}, { __mode = "k" })

---@param given table                    from config.parse
---@param environment fun(name: string): string?
---@return table? settled
---@return Failure? err     the first of all that is wrong
---@return table? settled   what holds nevertheless, for whoever tells the error
function config.settle(given, environment)
  local path, named = file.where(given, environment)
  local kept, fault = file.read(path, named)
  kept = kept or {}
  local settled = {}
  for _, option in ipairs(options.LIST) do
    local read, err = given[option.name], nil
    if read == nil then read, err = said(option, environment, kept, path) end
    if read == nil then read = value.unset(option) end
    settled[option.name], fault = read, fault or err
  end
  origin[settled] = { given = given, environment = environment, kept = kept }
  if fault then return nil, fault, settled end
  return settled
end

--- The config file that these options go by, whether it is there or not.
---@param settled table   from config.settle
---@return string?
function config.path(settled)
  local from = origin[settled]
  return from and (file.where(from.given, from.environment)) or nil
end

--- An error as it is told: one that is about a value of the config file with the file and, where it can be told, the
--- line before it.
---@param settled table   from config.settle
---@param err Failure
---@return Failure
function config.placed(settled, err)
  local from = err.keys and origin[settled]
  if not (from and from.kept[err.keys[1]] ~= nil) then return err end
  return file.blamed(config.path(settled), err)
end

--- What would hold if they were settled now.
---@param settled table   from config.settle
---@return table? settled
---@return Failure? err
function config.again(settled) return config.settle(origin[settled].given, origin[settled].environment) end

return config
