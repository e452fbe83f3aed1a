--- The next step for who typed a word in the place of a command that is none: where it belongs, for a person who has
--- read of a node, a callback, a topic or a skill, and not yet of the commands; else the command that is near.

local failure = require "runtime.failure"
local knowledge = require "runtime.knowledge"
local skill = require "runtime.skill"

local function is_skill(word)
  for _, name in ipairs(skill.names()) do if name == word then return true end end
  return false
end

local function is_callback(word)
  if not word:find "_" then return false end
  for _, name in ipairs(skill.names()) do
    local s = skill.open(name)
    if s and s.callbacks[skill.resolve(s, word)] then return true end
  end
  return false
end

-- The line that was meant, perhaps.
local function line_of(word)
  if word:find "^[^@/]+@[^@/]+$" then return "beamlens-run health --node " .. word end
  if is_skill(word) then return "beamlens-run skills " .. word end
  if is_callback(word) then return "beamlens-run call " .. word end
  if knowledge.of(word) then return "beamlens-run explain " .. word end
end

---@param word string
---@param commands string[]
---@return string
return function(word, commands)
  local line = line_of(word)
  return line and ("did you mean `%s`?"):format(line) or failure.meant(word, commands, "see `beamlens-run help`")
end
