--- What `help(name)` answers in a script of `execute`: all about a callback, a word for a mechanism or an action.
--- The prompt names these and says no more, for it is sent with every request; who needs one asks here. The
--- node is not asked, and nothing of an answer is a figure.

local actions = require "runtime.actions"
local failure = require "runtime.failure"
local mechanisms = require "runtime.mechanisms"
local skill = require "runtime.skill"

local help = { name = "help" }

--- Words for mechanisms with what each says, a line each.
---@param words string[]
---@return string
function help.mechanisms(words)
  local lines = {}
  for i, word in ipairs(words) do lines[i] = mechanisms[word] and ("%s: %s"):format(word, mechanisms[word]) or word end
  return table.concat(lines, "\n")
end

local function words_of(s, mechanism_words)
  local words = { "mechanisms", unpack(mechanism_words) }
  for _, name in ipairs(skill.callable(s)) do words[#words + 1] = name end
  for _, e in ipairs(actions.entries()) do words[#words + 1] = e.name end
  return words
end

---@param s Skill
---@param mechanism_words string[]   of the case
---@param name? any                  the callbacks if left out
---@return string?
---@return string? err
function help.of(s, mechanism_words, name)
  if name == nil then return skill.describe(s) end
  if type(name) ~= "string" then return nil, 'help takes a name, as in help("mechanisms")' end
  if name == "mechanisms" then return help.mechanisms(mechanism_words) end
  local callback = skill.help(s, name)
  if callback then return callback end
  if mechanisms[name] then return help.mechanisms { name } end
  for _, word in ipairs(mechanism_words) do if word == name then return word end end
  local e = actions.find(name)
  if e then return actions.describe(e) end
  local near = failure.nearest(name, words_of(s, mechanism_words))
  return nil, ("help knows no %s%s; it knows callbacks, actions and mechanisms"):format(name:sub(1, 80),
    near and (", did you mean " .. near) or "")
end

return help
