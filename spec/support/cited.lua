--- What a text of ours names that is to be typed: callbacks, commands, options. Told is what there is not.

local config = require "runtime.config"
local mechanisms = require "runtime.mechanisms"
local skill = require "runtime.skill"
local skill_arguments = require "runtime.skill_arguments"

local cited = { skills = {} }

for i, name in ipairs(skill.names()) do cited.skills[i] = assert(skill.open(name)) end

local owner, prefixes, options = {}, {}, {}

--- Every word of what callbacks say that they answer: among them all fields.
---@type table<string, true>
cited.fields = {}

for _, s in ipairs(cited.skills) do
  for _, callback in pairs(s.callbacks) do
    for word in table.concat(callback.returns, " "):gmatch "[%w_]+" do cited.fields[word] = true end
  end
  for _, callback in ipairs(skill.callable(s)) do
    owner[callback], prefixes[callback:match "^%l+"] = s, true
  end
end
for _, option in ipairs(config.OPTIONS) do options["--" .. option.name:gsub("_", "-")] = true end

--- Words in backticks that have one of the prefixes that callbacks have, and are none, nor a field or a mechanism.
---@param text string
---@return string[]
function cited.callbacks_missing(text)
  local missing = {}
  for name in text:gmatch "`(%l+_[%l_]+)`" do
    if prefixes[name:match "^%l+"] and not (owner[name] or mechanisms[name] or cited.fields[name]) then
      missing[#missing + 1] = name
    end
  end
  return missing
end

--- Options and commands of `beamlens-run` that there are not.
---@param text string
---@return string[]
function cited.words_missing(text)
  local missing = {}
  for flag in text:gmatch "%f[%-]%-%-%a[%a-]*" do
    if not options[flag] then missing[#missing + 1] = flag end
  end
  for command in text:gmatch "`beamlens%-run (%l+)%f[%s`]" do
    if not pcall(require, "runtime.commands." .. command) then missing[#missing + 1] = command end
  end
  return missing
end

-- As a shell takes them apart, without options.
local function shell_words(line)
  local words = {}
  for word in line:gsub(" %-%-%l+ %S+", ""):gmatch "%S+" do words[#words + 1] = word:gsub("'", "") end
  return words
end

--- What is wrong with each `beamlens-run call …` in a text: the name, or an argument.
---@param text string
---@return string[]
function cited.calls_refused(text)
  local refused = {}
  for line in text:gsub("%s*\n%s*", " "):gmatch "`beamlens%-run call ([^`]+)`" do
    local words = shell_words(line)
    local s = owner[words[1]]
    local name, given = words[1], {}
    if s then name, given = skill.resolve(s, name) end
    local all = { unpack(given or {}) }
    for i = 2, #words do all[#all + 1] = words[i] end
    local bound, why
    if s then bound, why = skill_arguments.bind(name, s.callbacks[name].args or {}, all) end
    if not bound then refused[#refused + 1] = ("%s: %s"):format(line, tostring(why or "no callback")) end
  end
  return refused
end

return cited
