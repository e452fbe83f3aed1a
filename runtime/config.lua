--- Every option there is. Each but --allow may also be set by environment (BEAMLENS_NODE) and in
--- the config file, in that order of strength.

local chunk_limits = require "runtime.chunk_limits"
local failure = require "runtime.failure"
local files = require "runtime.files"

local config = {}

---@class Option
---@field name string      as a key of `options`; --cookie-file is cookie_file
---@field type "text"|"number"|"list"|"flag"|"boolean"|"group"|"table"   boolean: a flag that no text sets; table: of a
---  form that its owner checks
---@field shown? string    what stands for the value in the help
---@field default any
---@field of? string[]     the values there are
---@field values? string   what kind they are of, for completions: runtime/complete_sources.lua (not of FILE, DIR)
---@field min? number       of a number
---@field max? number
---@field whole? true
---@field line_only? true  neither environment nor config may set it
---@field command? string  on the command line it belongs to this command alone
---@field also? string     and to this one
---@field file_only? true  only the config file and scripts may set it
---@field fields? Option[]  of a group: what it holds, each with a default
---@field checked_by? string  a module whose `check` says what is wrong with a table of the config file
---@field live? true        an edit of the config file holds while the program runs; else from the next start on
---@field doc string

---@type Option[]
config.OPTIONS = {
  { name = "node", type = "text", shown = "NAME", values = "node", doc = "the node to look at: shop@host" },
  { name = "cookie_file", type = "text", shown = "FILE",
    doc = "where its cookie is; else BEAMLENS_COOKIE, else ~/.erlang.cookie" },
  { name = "port", type = "number", shown = "N", min = 1, max = 65535, whole = true,
    doc = "the node's distribution port, when there is no epmd" },
  { name = "via", type = "text", shown = "WAY:TARGET", values = "way",
    doc = "through a shell beside it: ssh:USER@HOST, docker:NAME, kubectl:[NS/]POD, ecs:[CLUSTER/]SERVICE, "
      .. "shell:COMMAND, local, or a profile of the config file" },
  { name = "env", type = "text", shown = "ENV", values = "env", doc = "which environment of that profile: prod" },
  { name = "task", type = "text", shown = "ID", doc = "which task of an ECS service: its first letters will do" },
  { name = "through", type = "text", shown = "HOW", of = { "forward", "console" },
    doc = "forward leads the node's port here, console starts a helper there; else whichever goes" },
  { name = "profiles", type = "table", file_only = true, checked_by = "runtime.door.profiles",
    doc = "nodes by name: where they are, and how one gets there" },
  { name = "reason", type = "text", shown = "TEXT", default = "", doc = "what made you look: an alert, a complaint" },
  { name = "skills", type = "list", shown = "a,b", values = "skill", doc = "which skills look",
    default = { "beam", "ets", "gc", "allocator", "overload", "ports", "sup", "system", "vm_events", "logger",
      "exception" } },
  { name = "provider", type = "text", shown = "P", values = "provider",
    doc = "who thinks: analyst (rules, no key), anthropic, …, or a client of client_registry" },
  { name = "model", type = "text", shown = "M", doc = "the provider's model" },
  { name = "client_registry", type = "table", file_only = true, doc = "clients of providers by name, and the first" },
  { name = "prices", type = "table", file_only = true, live = true,
    doc = "USD for a million tokens of a model, over our list" },
  { name = "limits", type = "group", file_only = true, live = true,
    doc = "what a run may use before its last answer", fields = {
    { name = "iterations", type = "number", default = 25, min = 1, max = 1000, whole = true },
    { name = "calls", type = "number", min = 1, max = 1e6, whole = true },
    { name = "tokens", type = "number", min = 1, max = 1e9, whole = true },
    { name = "usd", type = "number", min = 0, max = 1e6 },
    { name = "node_reductions", type = "number", min = 1, max = 1e15 },
  } },
  { name = "strategy", type = "text", shown = "S", values = "strategy",
    doc = "how it works: hybrid (rules, then the model), agent_loop, pipeline, specialist, or a file" },
  { name = "deadline", type = "number", shown = "SECONDS", default = 300, min = 1, max = 86400,
    doc = "when the run must have its answer" },
  { name = "allow", type = "list", shown = "WHAT", values = "allowable", default = {}, line_only = true,
    doc = "callbacks with side effects: caution, or single ones by name" },
  { name = "no_relays", type = "flag", default = false, doc = "no event relays on the node" },
  { name = "sandbox", type = "text", default = "strict", of = { "strict", "allow-weak" }, shown = "HOW",
    doc = "strict, or allow-weak: run a model's Lua without seccomp" },
  { name = "show_outgoing", type = "flag", default = false, doc = "print on stderr what is sent to the provider" },
  { name = "elixir", type = "flag", default = false, line_only = true, command = "eval",
    doc = "the expression is Elixir" },
  { name = "limit", type = "list", shown = "NAME=N", values = "limit", default = {}, line_only = true,
    command = "sandbox", doc = "another limit for the chunk: wall_ms=300" },
  { name = "demo_callbacks", type = "flag", default = false, line_only = true, command = "sandbox",
    doc = "four callbacks to try: beam_get_memory, beam_top_processes, echo, boom" },
  { name = "store", type = "text", shown = "FILE",
    doc = "where everything is kept, or :memory: for nothing; left out, in a file at home" },
  { name = "retention", type = "group", file_only = true, live = true, doc = "how long the store keeps what", fields = {
    { name = "runs_days", type = "number", default = 90, min = 1, max = 36500 },
    { name = "events_days", type = "number", default = 7, min = 1, max = 36500 },
  } },
  { name = "record", type = "text", shown = "FILE", line_only = true, command = "script",
    doc = "keep what node and model answer, for `replay`" },
  { name = "report", type = "text", shown = "FILE.md", line_only = true, command = "script", also = "show",
    doc = "the report as Markdown too, to hand on" },
  { name = "prompts", type = "text", shown = "DIR", line_only = true, command = "replay",
    doc = "replay with the prompts of this folder" },
  { name = "cause", type = "text", shown = "OBJECT:MECHANISM", values = "cause", line_only = true, command = "feedback",
    doc = "what it really was; healthy: nothing" },
  { name = "note", type = "text", shown = "TEXT", line_only = true, command = "feedback",
    doc = "kept with it" },
  { name = "cassettes", type = "list", shown = "DIR|FILE", line_only = true, command = "lessons",
    doc = "recorded runs beside those that the store knows of" },
  { name = "diff", type = "text", shown = "FILE", line_only = true, command = "lessons",
    doc = "write the proposed changes there, for patch" },
  { name = "operators", type = "table", file_only = true, live = true, doc = "operators by name, skill and mode" },
  { name = "watchers", type = "table", file_only = true, live = true,
    doc = "skills that `watch` keeps an operator on for ever" },
  { name = "sort", type = "text", default = "memory", of = { "memory", "mailbox", "reductions", "binary" },
    shown = "BY", line_only = true, command = "top", doc = "by memory, mailbox, reductions or binary" },
  { name = "every", type = "number", shown = "SECONDS", min = 1, max = 3600, line_only = true,
    command = "top", doc = "seconds from look to look, 2 if left out; more where a look costs much" },
  { name = "escalate", type = "flag", default = false, line_only = true, command = "watch",
    doc = "watch by rules for nothing; call the model only on an anomaly" },
  { name = "listen", type = "text", shown = "ADDRESS", command = "watch",
    doc = "serve /healthz, /metrics and POST /run there: 127.0.0.1:9464" },
  { name = "token_file", type = "text", shown = "FILE", doc = "the bearer token of POST /run, mode 0600",
    command = "watch" },
  { name = "sinks", type = "table", file_only = true, live = true,
    doc = "where events go: jsonl, prometheus, webhook, syslog" },
  { name = "hosts", type = "list", default = {}, file_only = true, live = true,
    doc = "host:port that skills may reach" },
  { name = "approval_key", type = "text", file_only = true,
    doc = "the key of who approves actions: whoever can read it may" },
  { name = "config", type = "text", shown = "FILE", doc = "the config file" },
  { name = "json", type = "flag", default = false, doc = "the result as one JSON object" },
  { name = "quiet", type = "flag", default = false, doc = "no progress on stderr" },
  { name = "no_color", type = "flag", default = false, doc = "no colours; NO_COLOR does the same" },
  { name = "no_input", type = "flag", default = false, doc = "never ask" },
  { name = "autonomy", type = "group", file_only = true, doc = "what runbooks may do without a person", fields = {
    { name = "runbooks", type = "list", default = {} },
    { name = "callbacks", type = "list", default = {} },
    { name = "per_hour", type = "number", default = 3, min = 0, max = 100, whole = true },
    { name = "quiet_hours", type = "text", default = "" },
    { name = "dry_run", type = "boolean", default = true },
  } },
  { name = "anomaly", type = "group", file_only = true, live = true, doc = "how `watch` judges", fields = {
    { name = "collection_interval_ms", type = "number", default = 30000, min = 100, max = 3600000 },
    { name = "learning_duration_ms", type = "number", default = 300000, min = 0, max = 86400000 },
    { name = "z_threshold", type = "number", default = 3, min = 1, max = 100 },
    { name = "consecutive_required", type = "number", default = 3, min = 1, max = 100, whole = true },
    { name = "cooldown_ms", type = "number", default = 900000, min = 0, max = 86400000 },
    { name = "auto_trigger", type = "flag", default = true },
    { name = "max_triggers_per_hour", type = "number", default = 3, min = 0, max = 1000, whole = true },
  } },
  { name = "chunk", type = "group", file_only = true, doc = "the limits of a model's Lua",
    fields = chunk_limits.FIELDS },
}

local by_flag = {}
for _, option in ipairs(config.OPTIONS) do by_flag["--" .. option.name:gsub("_", "-")] = option end

local function flags()
  local names = {}
  for flag, option in pairs(by_flag) do names[#names + 1] = not option.file_only and flag or nil end
  table.sort(names)
  return names
end

local SEE_HELP = "see `beamlens-run help`"
local SEE_EXAMPLE = "see `beamlens-run init examples/config.lua`" -- where help has no word of it

local function usage(message, next_step) return failure.new("usage", message, next_step or SEE_HELP, 2) end

-- What is wrong with a value. `at` is its place in the file: "anomaly.z_threshold".
local function unfit(at, message, next_step)
  local err = usage(message, next_step)
  err.keys = {}
  for key in at:gmatch "[^.]+" do err.keys[#err.keys + 1] = key end
  return nil, err
end

local function choice_fault(option, value)
  if not option.of then return end
  for _, word in ipairs(option.of) do if word == value then return end end
  local near = failure.nearest(value, option.of)
  return ("must be one of %s, not %s%s"):format(table.concat(option.of, ", "), value,
    near and (" (did you mean %s?)"):format(near) or "")
end

local read = {
  text = function(_, value) return type(value) == "string" and value or nil, "text" end,
  number = function(option, value)
    local n = type(value) == "number" and value or tostring(value):match "^%d+%.?%d*$" and tonumber(value)
    local fits = n and n >= option.min and n <= option.max and (n % 1 == 0 or not option.whole)
    return fits and n or nil,
      ("a %s from %d to %d"):format(option.whole and "whole number" or "number", option.min, option.max)
  end,
  list = function(_, value)
    local words, want = {}, "names, one at least"
    if type(value) == "table" then
      for i, word in ipairs(value) do
        if type(word) ~= "string" then return nil, want end
        words[i] = word
      end
    else
      for word in tostring(value):gmatch "[^,%s]+" do words[#words + 1] = word end
    end
    if #words == 0 then return nil, want end
    return words
  end,
  flag = function(_, value)
    if type(value) == "boolean" then return value end
    if value == "1" or value == "true" then return true end
    if value == "0" or value == "false" or value == "" then return false end
    return nil, "true or false"
  end,
}

function read.table(_, value)
  if type(value) == "table" then return value end
  return nil, "a table"
end

function read.boolean(_, value)
  if type(value) == "boolean" then return value end
  return nil, "true or false, without quotes"
end

local accept

-- Its fields, those left out by their defaults.
local function accept_group(option, value, where)
  if type(value) ~= "table" then
    return unfit(where, ("%s wants a table, not %s"):format(where, tostring(value)), SEE_EXAMPLE)
  end
  local group, known, names = {}, {}, {}
  for i, field in ipairs(option.fields) do
    known[field.name], group[field.name], names[i] = field, field.default, field.name
  end
  for name, given in pairs(value) do
    name = tostring(name)
    local near = not known[name] and failure.nearest(name, names)
    if not known[name] then
      return unfit(("%s.%s"):format(where, name), ("%s has no %s"):format(where, name),
        near and ("did you mean %s?"):format(near) or "it has " .. table.concat(names, ", "))
    end
    local err
    group[name], err = accept(known[name], given, ("%s.%s"):format(where, name), SEE_EXAMPLE)
    if err then return nil, err end
  end
  return group
end

function accept(option, value, where, next_step)
  next_step = next_step or option.file_only and SEE_EXAMPLE or nil
  if option.type == "group" then return accept_group(option, value, where) end
  if value == option.default then return value end -- handed on as it was, nobody has set it: config.default
  local result, want = read[option.type](option, value)
  if result == nil then
    local kind = type(value)
    local got = (kind == "table" or kind == "function") and "that " .. kind or tostring(value)
    return unfit(where, ("%s wants %s, not %s"):format(where, want, got), next_step)
  end
  local fault = choice_fault(option, result)
  if fault then return unfit(where, ("%s %s"):format(where, fault), next_step) end
  local wrong = option.checked_by and require(option.checked_by).check(result)
  if wrong then return nil, wrong end
  return result
end

--- A value for an option as a script gives it, in the form that the option has.
---@param name string
---@param value any
---@param where? string   how the option is called in a complaint, if not by its name
---@return any value
---@return Failure? err   also for a name that is no option
function config.check(name, value, where)
  local option = by_flag["--" .. name:gsub("_", "-")]
  if option then return accept(option, value, where or name) end
  local near = failure.nearest(name, config.names())
  return nil, usage("there is no option " .. name, near and ("did you mean %s?"):format(near))
end

--- The flag that somebody meant by one that there is not.
---@param flag string
---@return string?
function config.nearest_flag(flag) return failure.nearest(flag, flags()) end

-- One flag of the command line: sets the option, and says how many words it took.
local function take(options, argv, i)
  local flag, inline = argv[i]:match "^(%-%-[^=]+)=(.*)$"
  flag = flag or argv[i]
  local option = by_flag[flag]
  if not option or option.file_only then
    local near = config.nearest_flag(flag)
    return nil, usage("there is no option " .. flag, near and ("did you mean %s?"):format(near))
  end
  if option.type == "flag" and not inline then
    options[option.name] = true
    return 1
  end
  local value = inline or argv[i + 1]
  if not value then return nil, usage(flag .. " wants a value: " .. flag .. " " .. option.shown) end
  local result, err = accept(option, value, flag)
  if result == nil then return nil, err end
  if option.type == "list" and options[option.name] then
    for k, word in ipairs(options[option.name]) do table.insert(result, k, word) end
  end
  options[option.name] = result
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
function config.parse(argv)
  local line = { options = {}, words = {}, args = {} }
  local i, command, fault = 1, nil, nil
  while argv[i] do
    if argv[i] == "--" then
      line.args = { unpack(argv, i + 1) }
      break
    elseif COMMAND_OF[argv[i]] then
      command = COMMAND_OF[argv[i]]
      i = i + 1
    elseif argv[i]:match "^%-%-." then
      local taken, err = take(line.options, argv, i)
      fault = fault or err
      i = i + (taken or 1)
    else
      line.words[#line.words + 1] = argv[i]
      i = i + 1
    end
  end
  if fault then return nil, fault, line.options end
  if command then line.words = { command, command == "help" and line.words[1] or nil } end
  return line
end

local function load_file(path)
  local text, err = files.read_users(path, "config")
  if not text then return nil, err end
  local result
  result, err = require("runtime.stand_in").load(text, path) -- most starts have no file to run
  if err then return nil, failure.new("config", err.message, "mend the line", 2) end
  if type(result) ~= "table" then
    return nil, failure.new("config", path .. " must return a table", "see examples/config.lua", 2)
  end
  return result
end

local function usual_path() return files.config_home() .. "/config.lua" end

-- An empty variable is none, here as everywhere.
local function named_file(given, environment)
  local path = given.config or environment "BEAMLENS_CONFIG"
  return path ~= "" and path or nil
end

-- What is wrong in the file, with its line where that can be told. Most starts have nothing to look for.
local function in_file(path, err)
  local line = require "runtime.key_line"(path, err.keys)
  return failure.new("config", ("%s:%s %s"):format(path, line and line .. ":" or "", err.message), err.next, 2)
end

-- Keys that are no options, or none of the file's, as failures: the first in the file first.
local function strays(result, path)
  local list = {}
  for key in pairs(result) do
    local option = by_flag["--" .. tostring(key):gsub("_", "-")]
    if not option or option.line_only then
      local why = option and "may only stand on the command line" or "is no option"
      local near = not option and failure.nearest(tostring(key), config.names())
      local err = failure.in_config({ key }, ("%s %s"):format(tostring(key), why),
        near and ("did you mean %s?"):format(near) or "take it out")
      list[#list + 1] = { line = require "runtime.key_line"(path, err.keys) or math.huge, err = err }
    end
  end
  table.sort(list, function(a, b) return a.line < b.line end)
  return list
end

-- The config file: the named one must be there, the usual one may be.
local function from_file(named)
  local path = named or usual_path()
  if not named and not require("luv").fs_stat(path) then return {} end
  local result, err = load_file(path)
  if not result then return nil, err end
  local stray = strays(result, path)[1]
  if stray then return nil, in_file(path, stray.err) end
  return result
end

--- Whether it may stand on the command line of this command.
---@param option Option
---@param command string   or "script"
---@return boolean
function config.belongs(option, command)
  return not option.command or option.command == command or option.also == command
end

--- The option of a flag as it is typed.
---@param flag string   --cookie-file
---@return Option?      nil where the command line has none of that name
function config.option(flag)
  local option = by_flag[flag]
  return option and not option.file_only and option or nil
end

--- Whether the options of the command line are some that this command has.
---@param given table     from config.parse
---@param command string  or "script"
---@return Failure?
function config.stray(given, command)
  for _, option in ipairs(config.OPTIONS) do
    if not config.belongs(option, command) and given[option.name] ~= nil then
      local of = option.command == "script" and "scripts" or option.command
      return usage(("--%s is an option of %s%s"):format(option.name:gsub("_", "-"), of,
        option.also and " and " .. option.also or ""),
        of == "scripts" and SEE_HELP or ("see `beamlens-run help %s`"):format(of))
    end
  end
end

--- What an option is where nobody sets it: the very table, so that it can be told from a list that says the same.
---@param name string
---@return any
function config.default(name)
  for _, option in ipairs(config.OPTIONS) do
    if option.name == name then return option.default end
  end
end

--- The names of all options.
---@return string[]
function config.names()
  local names = {}
  for i, option in ipairs(config.OPTIONS) do names[i] = option.name end
  return names
end

-- What options were settled from, for as long as there are these options.
local origin = setmetatable({}, { __mode = "k" })

--- What holds for this run: command line, else environment, else config file, else default.
---@param given table                    from config.parse
---@param environment fun(name: string): string?
---@return table? options
---@return Failure? err     the first of all that is wrong
---@return table? options   what holds nevertheless, for whoever tells the error
function config.settle(given, environment)
  local path = named_file(given, environment)
  local file, fault = from_file(path)
  path = path or usual_path()
  file = file or {}
  local options = {}
  for _, option in ipairs(config.OPTIONS) do
    local name, value, where, given_there = option.name, given[option.name], nil, nil
    local file_or_line = option.line_only or option.file_only
    local from_environment = not file_or_line and environment("BEAMLENS_" .. name:upper()) or nil
    if value == nil and from_environment and from_environment ~= "" then
      value, where = from_environment, "BEAMLENS_" .. name:upper()
    elseif value == nil and file[name] ~= nil then
      value, where, given_there = file[name], name, true
    end
    if where then
      local err
      value, err = accept(option, value, where)
      if err and given_there then err = in_file(path, err) end
      fault = fault or err
    end
    if value == nil then value = option.fields and accept_group(option, {}, name) or option.default end
    options[name] = value
  end
  origin[options] = { given = given, environment = environment, file = file }
  if fault then return nil, fault, options end
  return options
end

--- The config file that these options go by, whether it is there or not.
---@param options table   from config.settle
---@return string?
function config.path(options)
  local from = origin[options]
  return from and (named_file(from.given, from.environment) or usual_path()) or nil
end

--- An error as it is told: one that is about a value of the config file with the file and, where it can be told, the
--- line before it.
---@param options table   from config.settle
---@param err Failure
---@return Failure
function config.placed(options, err)
  local from = err.keys and origin[options]
  if not (from and from.file[err.keys[1]] ~= nil) then return err end
  return in_file(config.path(options), err)
end

--- What would hold if they were settled now.
---@param options table   from config.settle
---@return table? options
---@return Failure? err
function config.again(options) return config.settle(origin[options].given, origin[options].environment) end

return config
