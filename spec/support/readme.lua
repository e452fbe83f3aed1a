--- The commands that the README shows, as they are typed.

local ours = require "host.files"
local uv = require "luv"

local readme = {}

---@return string
function readme.text()
  local file = assert(io.open(ours.root .. "/README.md"))
  local text = file:read "*a"
  file:close()
  return text
end

--- What stands behind a prompt in blocks of code, indented by four or fenced, in its order; what ends in a \ goes on.
---@param text string
---@return string[]
function readme.lines(text)
  local list, fenced = {}, false
  for line in text:gsub("\\\n%s*", ""):gmatch "[^\n]+" do
    if line:find "^%s*```" then fenced = not fenced end
    list[#list + 1] = line:match(fenced and "^%s*%$ (.+)$" or "^    %s*%$ (.+)$")
  end
  return list
end

local function names_a_command(word)
  return uv.fs_stat(("%s/runtime/commands/%s.lua"):format(ours.root, word or ""))
end

--- Those inside of sentences, each once: a command with something behind it. A word in capitals stands for something
--- else, so what has one is none.
---@param text string
---@return string[]
function readme.spans(text)
  local list, seen = {}, {}
  for span in text:gmatch "`([^`\n]+)`" do
    local words = span:match "^beamlens%-run (.+)$" or names_a_command(span:match "^(%l+) .") and span
    if words and not (seen[words] or words:find "%f[%w]%u%u+%f[%W]") then
      seen[words], list[#list + 1] = true, "beamlens-run " .. words
    end
  end
  return list
end

return readme
