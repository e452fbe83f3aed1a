--- The commands that the README shows, as they are typed.

local ours = require "host.files"

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

-- What is a command, and not only the name of one.
local SPANS = { "^beamlens%-run .", "^init .", "^show .", "^replay .", "^explain .", "^help ." }

--- Those inside of sentences, each once; a word in capitals stands for something, so such a one is none.
---@param text string
---@return string[]
function readme.spans(text)
  local list, seen = {}, {}
  for span in text:gmatch "`([^`\n]+)`" do
    local fits = false
    for _, pattern in ipairs(SPANS) do fits = fits or span:find(pattern) end
    if fits and not (seen[span] or span:find "%f[%w]%u%u+%f[%W]") then
      seen[span], list[#list + 1] = true, "beamlens-run " .. span:gsub("^beamlens%-run ", "")
    end
  end
  return list
end

return readme
