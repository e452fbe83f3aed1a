--- What an experienced designer says of a mechanism: prompts/mechanisms/WORD.md, the user's own copy of it first. All
--- of them have one form, and this file reads it: what the word means, then headings in their order, each with
--- paragraphs, one snippet of code, or a list.

local failure = require "runtime.failure"
local files = require "runtime.files"
local ours = require "host.files"

local advice = {}

---@class Advice
---@field means string            one paragraph
---@field change string           what to change in the design
---@field erlang? string          a snippet, where code should change
---@field elixir? string
---@field configuration? string[] flags and settings, where they are the fix
---@field verify string           which figure must do what, and for how long
---@field undo string
---@field follow_up string[]
---@field fault? string           why the user's own file was not taken

---@class AdviceHeading
---@field title string
---@field key string              of an Advice
---@field kind "text"|"code"|"list"
---@field needed? true

---@type AdviceHeading[]
advice.HEADINGS = {
  { title = "Change", key = "change", kind = "text", needed = true },
  { title = "Erlang", key = "erlang", kind = "code" },
  { title = "Elixir", key = "elixir", kind = "code" },
  { title = "Configuration", key = "configuration", kind = "list" },
  { title = "Verify", key = "verify", kind = "text", needed = true },
  { title = "Undo", key = "undo", kind = "text", needed = true },
  { title = "Follow-up", key = "follow_up", kind = "list", needed = true },
}

local place_of, titles = {}, {}
for i, heading in ipairs(advice.HEADINGS) do place_of[heading.title], titles[i] = i, heading.title end

local read = {}

-- Without the blanks around it, in one pass: a line may be as long as a file.
local function stripped(line) return line:match("^.*%S", line:find "%S" or 1) end

-- Lines of a paragraph belong together; an empty one parts two of them.
function read.text(lines)
  local paragraphs, open = {}, nil
  for _, line in ipairs(lines) do
    local words = stripped(line)
    if words and not open then
      open = {}
      paragraphs[#paragraphs + 1] = open
    elseif not words then
      open = nil
    end
    if words then open[#open + 1] = words end
  end
  for i, words in ipairs(paragraphs) do paragraphs[i] = table.concat(words, " ") end
  if #paragraphs == 0 then return nil, "has no text" end
  return table.concat(paragraphs, "\n\n")
end

function read.list(lines)
  local items = {}
  for _, line in ipairs(lines) do
    local item, more = line:match "^%- (.+)$", line:match "^  +(%S.*)$"
    if item then
      items[#items + 1] = item
    elseif more and #items > 0 then
      items[#items] = items[#items] .. " " .. more
    elseif line:find "%S" then
      return nil, 'wants lines that begin with "- "'
    end
  end
  if #items == 0 then return nil, 'has no line that begins with "- "' end
  return items
end

function read.code(lines)
  local text = table.concat(lines, "\n")
  local inside = text:match "^%s*```%l*\n(.-)\n```%s*$"
  if not inside or inside:find("```", 1, true) then return nil, "wants one snippet between ``` and ```" end
  return inside
end

-- The lines below each heading, with the number of the line that it stands in; the first has no heading.
local function parts_of(text)
  local parts, fenced, number = { { line = 1, lines = {} } }, false, 0
  for line in (text:gsub("\r\n", "\n") .. "\n"):gmatch "(.-)\n" do
    number = number + 1
    local title = not fenced and number > 1 and line:match "^#+ +(.*)$"
    if line:find "^```" then fenced = not fenced end
    if title then
      parts[#parts + 1] = { title = stripped(title) or "", line = number, lines = {} }
    elseif number > 1 then
      table.insert(parts[#parts].lines, line)
    end
  end
  return parts
end

local function fault(file, line, why, next_step)
  return failure.new("prompt", ("%s:%d: %s"):format(file, line, why), next_step, 2)
end

-- A part under its heading. What stands above it may have been left out, but not written behind it.
local function take(found, part, last, file)
  local place = place_of[part.title]
  if not place then
    return nil, fault(file, part.line, "there is no heading " .. part.title,
      failure.meant(part.title, titles, "it has " .. table.concat(titles, ", ")))
  end
  if place <= last then
    return nil, fault(file, part.line, ("%s stands too late"):format(part.title),
      "the order is " .. table.concat(titles, ", "))
  end
  local heading = advice.HEADINGS[place]
  local value, why = read[heading.kind](part.lines)
  if why then return nil, fault(file, part.line, ("%s %s"):format(part.title, why), "mend it") end
  found[heading.key] = value
  return place
end

--- Reads the text of such a file.
---@param text string
---@param word string     the mechanism
---@param file string     its name, for messages
---@return Advice?
---@return Failure? err
function advice.read(text, word, file)
  if stripped(text:match "^#%s+([^\r\n]*)[\r\n]" or "") ~= word then
    return nil, fault(file, 1, "it begins with another word", ("begin it with: # %s"):format(word))
  end
  local parts = parts_of(text)
  local found = { means = read.text(parts[1].lines) }
  if not found.means then
    return nil, fault(file, 1, "it does not say what the word means", "say it below the first line")
  end
  local last = 0
  for i = 2, #parts do
    local place, err = take(found, parts[i], last, file)
    if not place then return nil, err end
    last = place
  end
  for _, heading in ipairs(advice.HEADINGS) do
    if heading.needed and not found[heading.key] then
      return nil, fault(file, parts[#parts].line, "the heading " .. heading.title .. " is missing", "add it")
    end
  end
  return found
end

local function path_of(word) return ("prompts/mechanisms/%s.md"):format(word) end

--- What is known of a mechanism; nil for a word of somebody's own without a file. A file of the user's that does not
--- read is told, and ours stands in its place.
---@param word string
---@return Advice?
function advice.of(word)
  if not word:find "^[%w_]+$" then return nil end -- it becomes a path
  local text, shown = files.read(path_of(word))
  local found, err
  if text then found, err = advice.read(text, word, shown) end
  if found then return found end
  local own = ours.read(path_of(word))
  found = own and advice.read(own, word, path_of(word)) or nil
  if found then found.fault = tostring(err or shown) end
  return found
end

--- The same as text, for who asks for a word: as it stands in the file, without the marks of its form.
---@param a Advice
---@return string
function advice.text(a)
  local lines = { a.means }
  for _, heading in ipairs(advice.HEADINGS) do
    local value = a[heading.key]
    if heading.kind == "list" and value then value = "- " .. table.concat(value, "\n- ") end
    local gap = heading.kind == "text" and " " or "\n"
    if value then lines[#lines + 1] = ("%s:%s%s"):format(heading.title, gap, value) end
  end
  return table.concat(lines, "\n")
end

--- The same as Markdown, headings and all.
---@param a Advice
---@return string
function advice.markdown(a)
  local parts = { a.means }
  for _, heading in ipairs(advice.HEADINGS) do
    local value = a[heading.key]
    if heading.kind == "list" and value then value = "- " .. table.concat(value, "\n- ") end
    if heading.kind == "code" and value then value = ("```%s\n%s\n```"):format(heading.key, value) end
    if value then parts[#parts + 1] = ("## %s\n%s"):format(heading.title, value) end
  end
  return table.concat(parts, "\n\n")
end

return advice
