--- What `help(name)` answers in a script of `execute`: all about a callback, a word for a mechanism, an action, or a
--- topic of what there is to know about the BEAM. The prompt names these and says no more, for it is sent with every
--- request; who needs one asks here. The node is not asked, and nothing of an answer is a figure.

local actions = require "runtime.actions"
local advice = require "runtime.advice"
local failure = require "runtime.failure"
local knowledge = require "runtime.knowledge"
local words_for = require "runtime.mechanism_words"
local skill = require "runtime.skill"

local help = { name = "help" }

local MORE = 'help("topics"): how the BEAM works, and what to look at in which order'

local function words_of(s, known)
  local words = { "mechanisms", unpack(known) }
  for _, name in ipairs(skill.callable(s)) do words[#words + 1] = name end
  for _, e in ipairs(actions.entries()) do words[#words + 1] = e.name end
  words[#words + 1] = "topics"
  for _, t in ipairs(knowledge.all()) do words[#words + 1] = t.topic end
  return words
end

-- The line that everybody sees, and below it what a designer says of it.
local function word_of(word)
  local known = advice.of(word)
  return words_for.lines { word } .. (known and "\n" .. advice.text(known) or "")
end

local function topics()
  local lines = {}
  for _, t in ipairs(knowledge.all()) do
    if t.group ~= "mechanisms" then lines[#lines + 1] = ("%s: %s"):format(t.topic, t.about) end
  end
  return table.concat(lines, "\n")
end

---@param s Skill
---@param known string[]   the words for mechanisms
---@param name? any        the callbacks if left out
---@return string?
---@return string? err
function help.of(s, known, name)
  if name == nil then return skill.describe(s) end
  if type(name) ~= "string" then return nil, 'help takes a name, as in help("mechanisms")' end
  if name == "mechanisms" then return words_for.lines(known) .. "\n" .. MORE end
  local callback = skill.help(s, name)
  if callback then return callback end
  for _, word in ipairs(known) do if word == name then return word_of(word) end end
  local e = actions.find(name)
  if e then return actions.describe(e) end
  if name == "topics" then return topics() end
  local topic = knowledge.of(name)
  if topic then return topic.text end
  local near = failure.nearest(name, words_of(s, known))
  return nil, ("help knows no %s%s; it knows callbacks, actions, mechanisms and topics"):format(name:sub(1, 80),
    near and (", did you mean " .. near) or "")
end

return help
