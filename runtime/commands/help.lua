--- `help [COMMAND]`: made from the tables that do the work.

local config = require "runtime.config"
local failure = require "runtime.failure"
local json = require "runtime.json"
local manual = require "runtime.manual"
local page = require "runtime.help_page"
local screen = require "runtime.screen"

local help = {
  usage = "help [COMMAND]",
  words = 1,
  takes = { "command" },
  doc = "this, or one command; `events`: what is told",
  examples = {
    { "beamlens-run help", "all commands, and the options of every one" },
    { "beamlens-run help call", "one command: its options, examples, what to know" },
    { "beamlens-run call --help", "the same" },
    { "beamlens-run help events", "what scripts and sinks may hear" },
  },
}

local function overview(call)
  if not call.options.json then return page.overview(screen.page(call.options)), 0 end
  return json.encode { schema = 1, commands = manual.COMMANDS, options = config.names() } .. "\n", 0
end

local function one(call, name)
  if not call.options.json then return page.of(name, screen.page(call.options)), 0 end
  local command, options, examples = manual.command(name), {}, {}
  for i, option in ipairs(manual.options(name)) do options[i] = option.name end
  for i, example in ipairs(command.examples) do examples[i] = { line = example[1], about = example[2] } end
  return json.encode { schema = 1, command = name, usage = command.usage, doc = command.doc,
    more = command.more or json.null, options = options, examples = examples } .. "\n", 0
end

local function events(call)
  if not call.options.json then return require("runtime.events_text")(screen.page(call.options)), 0 end
  return json.encode { schema = 1, events = require "runtime.events" } .. "\n", 0
end

function help.run(call)
  local name = call.words[1]
  if not name then return overview(call) end
  if name == "events" then return events(call) end
  if name == "script" or manual.is_command(name) then return one(call, name) end
  if manual.command("script").find(name) then return one(call, "script") end -- SCRIPT.lua --help
  return nil, failure.new("usage", "there is no command " .. name,
    require "runtime.misplaced"(name, { "events", "script", unpack(manual.COMMANDS) }), 2)
end

return help
