--- Variables of the environment that somebody set for us in vain: a slip in a name would else be found by nobody. What
--- is like none of ours may be another program's.

local config = require "runtime.config"
local failure = require "runtime.failure"
local manual = require "runtime.manual"

local NAME, PREFIX = "^BEAMLENS_([%w_]+)$", "BEAMLENS_"
local SCRIPT = "SCRIPT" -- what the provider `script` plays

--- A sentence for each, sorted.
---@param environment table<string, string>
---@return string[]
return function(environment)
  local read, names, why = { [SCRIPT] = true }, {}, {}
  for _, variable in ipairs(manual.VARIABLES) do
    local name = variable[1]:match(NAME)
    if name then
      read[name] = true
      names[#names + 1] = name
    end
  end
  for _, option in ipairs(config.OPTIONS) do
    local name = option.name:upper()
    if option.line_only then
      why[name] = ("%s may only stand on the command line"):format(config.flag(option))
    elseif option.file_only then
      why[name] = ("only the config file sets %s"):format(option.name)
    else
      read[name] = true
      names[#names + 1] = name
    end
  end
  local sentences = {}
  for variable in pairs(environment) do
    local name = variable:match(NAME)
    local near = name and not read[name] and not why[name] and failure.nearest(name, names)
    local reason = name and why[name] or near and ("did you mean %s%s?"):format(PREFIX, near)
    if reason then sentences[#sentences + 1] = ("%s is not read; %s"):format(variable, reason) end
  end
  table.sort(sentences)
  return sentences
end
