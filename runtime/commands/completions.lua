--- `completions SHELL`: what a shell is told, so that Tab knows our commands, options and names.

local complete = require "runtime.complete"
local failure = require "runtime.failure"
local json = require "runtime.json"
local scripts = require "runtime.completion_scripts"
local sorted_keys = require "runtime.sorted_keys"

local command = {
  usage = "completions SHELL",
  words = 1,
  takes = { "shell" },
  doc = "a script for bash, zsh or fish: what Tab knows",
  examples = {
    { "source <(beamlens-run completions bash)", "in ~/.bashrc" },
    { "source <(beamlens-run completions zsh)", "in ~/.zshrc" },
    { "beamlens-run completions fish | source", "in ~/.config/fish/config.fish" },
  },
  more = [[
`make install` puts all three where the shells of this machine look for them. Tab knows commands, options and what they
take: skills, callbacks and the arguments of one, topics, runs and actions that are kept, providers (clients of your
config, too), nodes looked at before and those that epmd knows here. No node is asked.
]],
}

local WORDS = "words" -- what the scripts ask

-- The words that may stand where the last argument stands.
local function words(c)
  local offers, paths = complete.next(c.options.args)
  if c.options.json then
    local list = {}
    for i, offer in ipairs(offers) do list[i] = { word = offer[1], about = offer[2] } end
    return json.encode { schema = 1, words = list, paths = paths } .. "\n", 0
  end
  local lines = {}
  for i, offer in ipairs(offers) do lines[i] = table.concat(offer, "\t") .. "\n" end
  if paths then lines[#lines + 1] = (":%s\n"):format(paths) end
  return table.concat(lines), 0
end

function command.run(c)
  local shell = c.words[1]
  if shell == WORDS then return words(c) end
  local script = scripts[shell]
  if script then
    return c.options.json and json.encode { schema = 1, shell = shell, script = script } .. "\n" or script, 0
  end
  local take = "take bash, zsh or fish"
  if not shell then return nil, failure.new("usage", "no shell was named", take, 2) end
  return nil, failure.new("usage", "there are no completions for " .. shell,
    failure.meant(shell, sorted_keys(scripts), take), 2)
end

return command
