--- `help [COMMAND]`: made from the tables that do the work.

local config = require "runtime.config"
local failure = require "runtime.failure"
local json = require "runtime.json"

local help = { usage = "help [COMMAND]", words = 1, doc = "this text, or what one command does; `events`: all of them" }

-- Those of every command and of scripts, or of one command alone.
local function option_lines(command)
  local lines = {}
  for _, option in ipairs(config.OPTIONS) do
    local flag = "--" .. option.name:gsub("_", "-") .. (option.shown and " " .. option.shown or "")
    local default = option.default
    if type(default) == "table" then default = table.concat(default, ",") end
    local shown = default and default ~= "" and (" [%s]"):format(tostring(default)) or ""
    local of = option.command ~= "script" and option.command or nil
    if not option.file_only and (of == command or command and option.also == command) then
      lines[#lines + 1] = ("  %-22s %s%s"):format(flag, option.doc, shown)
    end
  end
  return table.concat(lines, "\n")
end

-- One line for each command that has options of its own.
local function others(commands)
  local lines = {}
  for _, name in ipairs(commands) do
    local flags = {}
    for _, option in ipairs(config.OPTIONS) do
      if (option.command == name or option.also == name) and not option.file_only then
        flags[#flags + 1] = "--" .. option.name:gsub("_", "-") .. (option.shown and " " .. option.shown or "")
      end
    end
    if #flags > 0 then lines[#lines + 1] = ("  %-22s %s"):format(name, table.concat(flags, ", ")) end
  end
  return table.concat(lines, "\n")
end

local function own_options(command)
  local names = {}
  for _, option in ipairs(config.OPTIONS) do
    if option.command == command or option.also == command then names[#names + 1] = option.name end
  end
  return names
end

local EXITS = [[
Exit: 0 done, nothing wrong found; 1 findings; 2 usage, configuration or script; 3 node not reached
or lost; 4 incomplete or cannot tell; 5 refused by the gate; 6 the provider failed; 70 a fault of
ours; 130 interrupted.
]]

local function overview(commands)
  local lines = {}
  for _, name in ipairs(commands) do
    local command = require("runtime.commands." .. name)
    lines[#lines + 1] = ("  %-22s %s"):format(command.usage, command.doc)
  end
  return ([[
beamlens-run attaches to a running BEAM node and says what is wrong with it and why.

  beamlens-run SCRIPT.lua [options] [-- args]   run a script: a path, or a name in examples/
%s

Options; each but --allow also as BEAMLENS_… in the environment and in the config file:
%s

Of one command alone, told by `beamlens-run help COMMAND`:
%s

What only the config file sets (limits, anomaly, watchers, sinks, hosts, …) stands in examples/config.lua.

%s]]):format(table.concat(lines, "\n"), option_lines(), others(commands), EXITS)
end

function help.run(call)
  local name = call.words[1]
  if not name or name:match "%.lua$" then -- SCRIPT.lua --help
    if call.options.json then
      return json.encode { schema = 1, commands = call.commands, options = config.names() } .. "\n", 0
    end
    return overview(call.commands), 0
  end
  for _, known in ipairs(call.commands) do
    if known == name then
      local command = require("runtime.commands." .. name)
      if call.options.json then
        return json.encode { schema = 1, command = name, usage = command.usage, doc = command.doc,
          more = command.more or json.null, options = own_options(name) } .. "\n", 0
      end
      local own = option_lines(name)
      own = own ~= "" and "\n" .. own .. "\n" or ""
      return ("beamlens-run %s\n  %s\n%s%s"):format(command.usage, command.doc, own, command.more or ""), 0
    end
  end
  if name == "events" then
    if not call.options.json then return require("runtime.events_text")(), 0 end
    return json.encode { schema = 1, events = require "runtime.events" } .. "\n", 0
  end
  local near = failure.nearest(name, { "events", unpack(call.commands) })
  return nil, failure.new("usage", "there is no command " .. name,
    near and ("did you mean %s?"):format(near) or "see `beamlens-run help`", 2)
end

return help
