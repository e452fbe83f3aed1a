--- The words of the command line: which are options, what they say, and whether a command has them.

local failure = require "runtime.failure"
local options = require "runtime.config.options"
local value = require "runtime.config.value"

local line = {}

local by_flag, flags = {}, {}
for _, option in ipairs(options.LIST) do
  if not option.file_only then
    local flag = options.flag(option)
    by_flag[flag], flags[#flags + 1] = option, flag
  end
end
table.sort(flags) -- of two that are as near, the same is always meant

--- The option of a flag as it is typed.
---@param flag string   --cookie-file
---@return Option?      nil where the command line has none of that name
function line.option(flag) return by_flag[flag] end

--- That there is no such option, and the one that somebody meant perhaps.
---@param flag string   as it was typed; `-node`, as Erlang has it, is one as well
---@return Failure
function line.unknown(flag)
  local two_dashes = flag:gsub("^%-%-?", "--")
  return failure.new("usage", "there is no option " .. flag, failure.meant(two_dashes, flags, value.SEE_HELP), 2)
end

-- One flag: sets the option, and says how many words it took.
local function take(given, argv, i)
  local flag, inline = argv[i]:match "^(%-%-[^=]+)=(.*)$"
  flag = flag or argv[i]
  local option = by_flag[flag]
  if not option then return nil, line.unknown(flag) end
  if option.type == "flag" and not inline then
    given[option.name] = true
    return 1
  end
  local word = inline or argv[i + 1]
  if not word then
    return nil, failure.new("usage", ("%s wants a value: %s %s"):format(flag, flag, option.shown), value.see(option), 2)
  end
  local read, err = value.read(option, word, flag)
  if err then return nil, err end
  if option.type == "list" then
    for k, earlier in ipairs(given[option.name] or {}) do table.insert(read, k, earlier) end
  end
  given[option.name] = read
  return inline and 1 or 2
end

-- What everybody types first.
local COMMAND_OF = { ["-h"] = "help", ["--help"] = "help", ["-v"] = "version", ["-V"] = "version",
  ["--version"] = "version" }

--- The words of the command line, apart: options, and what is no option in its order. What
--- stands behind `--` belongs to the script.
---@param argv string[]
---@return { options: table, words: string[], args: string[] }?
---@return Failure? err     the first of all that is wrong
---@return table? options   those that were read nevertheless, for whoever tells the error
function line.parse(argv)
  local parsed = { options = {}, words = {}, args = {} }
  local i, command, fault = 1, nil, nil
  while argv[i] do
    if argv[i] == "--" then
      parsed.args = { unpack(argv, i + 1) }
      break
    elseif COMMAND_OF[argv[i]] then
      command = COMMAND_OF[argv[i]]
      i = i + 1
    elseif argv[i]:match "^%-%-." then
      local taken, err = take(parsed.options, argv, i)
      fault = fault or err
      i = i + (taken or 1)
    else
      parsed.words[#parsed.words + 1] = argv[i]
      i = i + 1
    end
  end
  if fault then return nil, fault, parsed.options end
  if command then parsed.words = { command, command == "help" and parsed.words[1] or nil } end
  return parsed
end

--- Whether it may stand on the command line of this command.
---@param option Option
---@param command string   or "script"
---@return boolean
function line.belongs(option, command)
  return not option.command or option.command == command or option.also == command
end

--- Whether the options of the command line are some that this command has.
---@param given table     from line.parse
---@param command string  or "script"
---@return Failure?
function line.stray(given, command)
  for _, option in ipairs(options.LIST) do
    if not line.belongs(option, command) and given[option.name] ~= nil then
      local of = option.command == "script" and "scripts" or option.command
      return failure.new("usage", ("%s is an option of %s%s"):format(options.flag(option), of,
        option.also and " and " .. option.also or ""), value.see(option), 2)
    end
  end
end

return line
