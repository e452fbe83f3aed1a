--- Fills a prompt: Markdown whose front matter names who reads it and its fields, and whose body
--- says {{field}} where a value goes. A field that is missing, unknown or never used is an error
--- with file and line, for whoever edited the file. Values are put in once and never searched
--- for fields themselves.

local crypto = require "host.crypto"
local failure = require "runtime.failure"
local files = require "runtime.files"
local in_use = require "runtime.in_use"

local prompt = {}

local function fault(file, line, message, next_step)
  return failure.new("prompt", ("%s:%d: %s"):format(file, line, message), next_step, 2)
end

-- The body, the line before it, and the declared fields with the line that declares them.
local function front_matter(text, file)
  local lines, fields, declared = {}, {}, nil
  for line in (text .. "\n"):gmatch "(.-)\r?\n" do lines[#lines + 1] = line end
  if lines[1] ~= "---" then
    return nil, fault(file, 1, "no front matter", 'begin the file with "---", "fields: a, b", "---"')
  end
  for n = 2, #lines do
    local line = lines[n]
    if line == "---" then
      if not declared then return nil, fault(file, n, 'the front matter has no "fields:"', "list the fields there") end
      return { body = table.concat(lines, "\n", n + 1), last = n, fields = fields, declared = declared }
    end
    local key, value = line:match "^([%w ]+):%s*(.*)$"
    if key == "fields" then
      declared = n
      for name in value:gmatch "[^%s,]+" do fields[name] = true end
    elseif key ~= "read by" and line:match "%S" then
      return nil, fault(file, n, ("the front matter knows no %q"):format(line), 'it has "read by:" and "fields:"')
    end
  end
  return nil, fault(file, #lines, "the front matter does not end", 'close it with a line "---"')
end

local function list(set)
  local names = {}
  for name in pairs(set) do names[#names + 1] = name end
  table.sort(names)
  return #names > 0 and table.concat(names, ", ") or "none"
end

---@param text string            the whole file
---@param file string            its name, for messages
---@param values table<string, string>
---@return string? filled
---@return Failure? err
function prompt.fill(text, file, values)
  local parts, err = front_matter(text, file)
  if not parts then return nil, err end
  for name in pairs(values) do
    if not parts.fields[name] then
      return nil, fault(file, parts.declared, ("the field %s is filled here but not declared"):format(name),
        "add it to fields")
    end
  end
  local used, line, out = {}, parts.last, {}
  for row in (parts.body .. "\n"):gmatch "(.-)\n" do
    line = line + 1
    local bad
    local filled = row:gsub("{{%s*([^{}]-)%s*}}", function(name)
      if not parts.fields[name] or values[name] == nil then bad = bad or name end
      used[name] = true
      return values[name]
    end)
    if bad then
      return nil, fault(file, line, ("unknown field {{%s}}"):format(bad), "its fields are " .. list(values))
    end
    out[#out + 1] = filled
  end
  for name in pairs(parts.fields) do
    if not used[name] then
      return nil, fault(file, parts.declared, ("the field %s is declared but never used"):format(name),
        ("put {{%s}} where it belongs, or take it out of fields"):format(name))
    end
  end
  return (table.concat(out, "\n"):gsub("^%s+", ""):gsub("%s+$", "") .. "\n")
end

-- The names of what each prompt was filled with last: a file that wants others is refused before it is needed.
local filled_with = {}

-- A prompt that can be filled, and its version.
local function checked(name)
  local text, shown = files.read("prompts/" .. name .. ".md")
  if not text then return nil, failure.of(shown, "prompt", 2) end
  local filled, err = prompt.fill(text, shown, filled_with[name])
  if not filled then return nil, err end
  return { text = text, file = shown }, crypto.sha256(text):sub(1, 12)
end

--- prompts/NAME.md, the user's own copy of it first; while a run goes on, the last that could be filled.
---@param name string
---@param values table<string, string>
---@return string?
---@return Failure? err
---@return string? version   of its text
function prompt.render(name, values)
  filled_with[name] = values
  local found, err, version = in_use.open("prompt", name, function() return checked(name) end)
  if not found then return nil, err end
  local filled
  filled, err = prompt.fill(found.text, found.file, values)
  return filled, err, version
end

return prompt
