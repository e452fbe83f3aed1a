--- What there is to tell of the commands and options, from the tables that do the work: `help`, the man page and
--- completions are made of it.

local config = require "runtime.config"

local manual = {}

--- A command, as its file in runtime/commands returns it.
---@class Command
---@field usage string         its name and words
---@field doc string           one line
---@field words integer        how many words it takes at most
---@field takes? string[]      what each is, a kind of runtime/complete_sources.lua; the last holds for all further
---@field further? true       behind `--` stands another command of ours
---@field examples string[][]  lines as they are typed, and what each is for
---@field more? string         paragraphs; lines that begin with a blank stay as they are
---@field run fun(call: table): string?, integer|Failure

--- All commands there are; what a new person looks for first stands first.
---@type { title: string, [integer]: string }[]
manual.GROUPS = {
  { title = "Look first", "health", "script", "ask", "top", "explain" },
  { title = "What was found", "runs", "show", "report", "insights", "feedback", "lessons", "replay" },
  { title = "One question", "skills", "call", "eval" },
  { title = "All the time, and what may be done", "watch", "actions" },
  { title = "Around it", "connect", "doctor", "init", "sandbox", "completions", "man", "help", "version" },
}

--- What it is.
manual.ABOUT = [[
beamlens-run attaches from outside to a running BEAM node (Erlang, Elixir, Gleam), looks around, and says what is wrong
and why, with the figures that prove it; or that the node is healthy; or that it cannot tell, and what would tell.
Nothing is installed on the node, and nothing on it is changed but by an action that a person approved, or that a
runbook of yours allows. Without a key the built-in analyst thinks, by rules; with one, a language model does.
]]

manual.OF_EVERY = "The options of every command; each but --allow also as BEAMLENS_… in the environment and in the "
  .. "config file."

--- What the exit code says, whatever the command.
---@type { [1]: integer, [2]: string }[]
manual.EXITS = {
  { 0, "done, nothing wrong found" },
  { 1, "findings" },
  { 2, "usage, configuration or script" },
  { 3, "node not reached or lost" },
  { 4, "incomplete, or cannot tell" },
  { 5, "refused by the gate" },
  { 6, "the provider failed" },
  { 70, "a fault of ours" },
  { 130, "interrupted" },
}

--- Variables that are no option's.
---@type { [1]: string, [2]: string }[]
manual.VARIABLES = {
  { "BEAMLENS_COOKIE", "the node's cookie" },
  { "BEAMLENS_DEBUG", "1: tracebacks of faults on stderr" },
  { "ERL_EPMD_PORT", "where epmd listens, as for Erlang itself" },
  { "NO_COLOR", "no colours" },
  { "XDG_CONFIG_HOME", "beamlens/ in it has your config.lua and what `init` copies; else ~/.config" },
  { "XDG_STATE_HOME", "beamlens/ in it has the store, the audit and the key of approvals; else ~/.local/state" },
}

--- What is read and written at home.
---@type { [1]: string, [2]: string }[]
manual.FILES = {
  { "~/.config/beamlens/config.lua", "the config file; `beamlens-run init` makes one" },
  { "~/.config/beamlens/skills/, checks/, prompts/, tools/, runbooks/", "yours, before ours of the same name" },
  { "~/.config/beamlens/policy.lua", "your word on what may be done, over our classes" },
  { "~/.local/state/beamlens/beamlens.db", "what runs saw and told" },
  { "~/.local/state/beamlens/audit.jsonl", "what was done or refused" },
  { "~/.erlang.cookie", "the node's cookie, where nothing else says it" },
}

--- The commands by name, without that of scripts.
---@type string[]
manual.COMMANDS = {}

local is_command = {}
for _, group in ipairs(manual.GROUPS) do
  for _, name in ipairs(group) do
    if name ~= "script" then
      manual.COMMANDS[#manual.COMMANDS + 1], is_command[name] = name, true
    end
  end
end
table.sort(manual.COMMANDS)

---@param word string
---@return boolean
function manual.is_command(word) return is_command[word] == true end

---@param name string   "script", too
---@return Command
function manual.command(name) return require("runtime.commands." .. name) end

--- The paragraphs of a text.
---@param text string
---@return fun(): string?, boolean?   a paragraph, and whether it was laid out by hand: it begins with a blank
function manual.paragraphs(text)
  local next_part = (text:gsub("^\n+", ""):gsub("\n*$", "") .. "\n\n"):gmatch "(.-)\n\n+"
  return function()
    local part = next_part()
    return part, part and part:find "^ " ~= nil
  end
end

--- How an option is written: `--node NAME`.
---@param option Option
---@return string
function manual.flag(option)
  return config.flag(option) .. (option.shown and " " .. option.shown or "")
end

--- What it does, and what it is where nobody says.
---@param option Option
---@return string
function manual.about(option)
  local default = option.default
  if type(default) == "table" then default = table.concat(default, ",") end
  return option.doc .. (default and default ~= "" and (" [%s]"):format(tostring(default)) or "")
end

--- The options of the command line that belong to this command alone, or to every one.
---@param command? string   nil: those of every one
---@return Option[]
function manual.options(command)
  local list = {}
  for _, option in ipairs(config.OPTIONS) do
    local its = not command and not option.command or command and option.command and config.belongs(option, command)
    if its and not option.file_only then list[#list + 1] = option end
  end
  return list
end

return manual
