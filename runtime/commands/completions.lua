--- `completions SHELL`: what a shell is told, so that Tab knows our commands, options and names.

local complete = require "runtime.complete"
local failure = require "runtime.failure"
local json = require "runtime.json"
local scripts = require "runtime.completion_scripts"

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

local WORDS, SHELLS = "words", { "bash", "fish", "zsh" }

-- What the scripts ask: the words that may stand where the last argument stands.
local function words(c)
  local offers, paths = complete.next(c.options.args, c.commands)
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
  local near = shell and failure.nearest(shell, SHELLS)
  return nil, failure.new("usage", shell and "there are no completions for " .. shell or "no shell was named",
    near and ("did you mean %s?"):format(near) or "take bash, zsh or fish", 2)
end

return command
