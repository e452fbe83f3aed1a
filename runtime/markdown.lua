--- Text of others inside Markdown that we write: nothing of it becomes a link, a picture, HTML, a heading, or ends the
--- place that it stands in. A word that a renderer might take for an address, or that has marks in it, stands as code,
--- where nothing is read into it; of all others the marks are escaped.

local plain = require("runtime.plain").text

local markdown = {}

-- A fence longer than any inside, as CommonMark has it.
local function ticks(text, least)
  local longest = least - 1
  for run in text:gmatch "`+" do longest = math.max(longest, #run) end
  return ("`"):rep(longest + 1)
end

--- A name, a path or a value, as it is.
---@param text any
---@return string
function markdown.code(text)
  text = plain(text)
  text = text:match("^.*%S", text:find "%S" or 1) -- one pass, however long the text is: a node may hand us any
  if not text then return "(empty)" end
  local around = ticks(text, 1)
  local gap = (text:find "^`" or text:find "`$") and " " or ""
  return around .. gap .. text .. gap .. around
end

-- What renderers make links, pictures or emphasis of, even where it is escaped; and what is easier to read as code.
-- A domain may have letters of any script.
local function as_code(word)
  return word:find "[@_`\\<>%[%]]" or word:find("//", 1, true) or word:lower():find "www%." or word:find "#%d"
    or word:find "%w:%S" or word:find "[%w\128-\255]%.[%a\128-\255][%a\128-\255]"
end

local function escaped(word)
  return (word:gsub("[%*~|&%$!{}]", "\\%0"))
end

local function marked(word)
  local inner = word:match "^.*[^%.,;:%?]"
  if not inner or not as_code(inner) then return escaped(word) end
  return markdown.code(inner) .. word:sub(#inner + 1)
end

--- A sentence, in a line that begins with something of ours or not.
---@param text any
---@return string
function markdown.prose(text)
  local parts = {}
  for word in plain(text):gmatch "%S+" do parts[#parts + 1] = marked(word) end
  if #parts == 0 then return "(empty)" end
  local line = table.concat(parts, " ")
  return (line:gsub("^[#>%+=:%-]", "\\%0"):gsub("^(%d+)([%.%)])", "%1\\%2"))
end

--- The same of a text of ours, which has its code between backticks already.
---@param text string
---@return string
function markdown.own(text) return plain(text) end

--- What may stand in a cell of a table: there a bar would end it, in code too, and so would one behind two backslashes.
---@param text string   Markdown, from the others
---@return string
function markdown.cell(text)
  return (text:gsub("\\*|?", function(marks) return marks:sub(-1) == "|" and "\\|" or nil end))
end

--- Lines of code. They come from files that people edit, not from a node.
---@param text string
---@param language string
---@return string
function markdown.fenced(text, language)
  local around = ticks(text, 3)
  return ("%s%s\n%s\n%s"):format(around, language, text, around)
end

return markdown
