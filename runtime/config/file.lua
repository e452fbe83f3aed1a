--- The config file: where it is, what it says, and which line of it is to blame.

local failure = require "runtime.failure"
local files = require "runtime.files"
local options = require "runtime.config.options"

local file = {}

--- Where it is.
---@param given table    from line.parse
---@param environment fun(name: string): string?
---@return string path
---@return boolean named   then it must be there; the usual one may be
function file.where(given, environment)
  local path = given.config or environment "BEAMLENS_CONFIG"
  if path and path ~= "" then return path, true end -- an empty variable is none, here as everywhere
  return files.config_home() .. "/config.lua", false
end

-- Most starts have no line to look for.
local function line_of(path, keys) return require "runtime.key_line"(path, keys) end

--- What is wrong in it, with its line where that can be told.
---@param path string
---@param err Failure   with the keys of the value
---@return Failure
function file.blamed(path, err)
  local line = line_of(path, err.keys)
  return failure.new("config", ("%s:%s %s"):format(path, line and line .. ":" or "", err.message), err.next, 2)
end

local function load(path)
  local text, err = files.read_users(path, "config")
  if not text then return nil, err end
  local said
  said, err = require("runtime.stand_in").load(text, path) -- most starts have no file to run
  if err then return nil, failure.new("config", err.message, "mend the line", 2) end
  if type(said) ~= "table" then
    return nil, failure.new("config", path .. " must return a table", "see examples/config.lua", 2)
  end
  return said
end

local function key_fault(key)
  local option = options.of(key)
  if option and not option.line_only then return end
  if option then
    return failure.in_config({ key }, key .. " may only stand on the command line", "take it out")
  end
  local next_step = failure.meant(key, options.names(), "take it out")
  return failure.in_config({ key }, tostring(key) .. " is no option", next_step)
end

-- A key that is no option, or none of the file's: the first in the file.
local function stray(said, path)
  local first, at
  for key in pairs(said) do
    local fault = key_fault(key)
    local line = fault and (line_of(path, fault.keys) or math.huge)
    if fault and (not first or line < at) then first, at = fault, line end
  end
  return first
end

--- What it says, by the names of options; their values are not looked at.
---@param path string
---@param named boolean
---@return table?
---@return Failure? err
function file.read(path, named)
  if not named and not require("luv").fs_stat(path) then return {} end
  local said, err = load(path)
  if not said then return nil, err end
  err = stray(said, path)
  if err then return nil, file.blamed(path, err) end
  return said
end

return file
