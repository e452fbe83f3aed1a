--- Log lines as they leave for a provider: lines that differ only in their figures are one, with
--- <n>, <pid>, <time> and the like in the place of what differs, how many there were, when the first and
--- the last came, and one of them as it was. It is shorter, and says more at once. At home, to
--- the analyst and to a person, each line stands as it came.
---
--- The texts are those of `privacy`: short, without controls, secrets named already.

local log_templates = {}

---@alias LogLists table<string, { text: string, at: string, alike: string[] }>
---  Which lists of a skill's answers hold lines: the fields of their text, their time, and what else must be alike.

--- What is wrong with the `lines` of a skill.
---@param lists any
---@return string? why
function log_templates.fault(lists)
  if lists == nil then return end
  local wants = 'lines wants { entries = { text = "message", at = "timestamp", alike = { "level" } } }'
  if type(lists) ~= "table" then return wants end
  for _, way in pairs(lists) do
    if type(way) ~= "table" or type(way.text) ~= "string" or type(way.at) ~= "string" or type(way.alike) ~= "table" then
      return wants
    end
  end
end

local function numbered(found)
  if found:find "^#Ref" then return "<ref>" end
  if found:find "^#Port" then return "<port>" end
  return "<pid>"
end

local function long_hex(found) return #found >= 8 and found:find "%d" and found:find "%a" and "<hex>" or nil end

-- The digits of an arity say which function it is: they are put aside as controls, which no text has.
local function aside(before, digits)
  return before .. digits:gsub("%d", function(d) return string.char(d:byte() - 34) end)
end

local function back(c) return string.char(c:byte() + 34) end

-- In this order. No pattern begins with a repetition that another text could make long.
local PARTS = {
  { "<(%a+):%x+>", "<%1>" },
  { "%f[%d]%d%d%d%d%-%d%d%-%d%d[T ]%d%d:%d%d:%d%d[%.,]?%d*Z?", "<time>" },
  { "%f[%d]%d%d:%d%d:%d%d[%.,]?%d*", "<time>" },
  { "%f[%x]%x%x%x%x%x%x%x%x%-%x%x%x%x%-%x%x%x%x%-%x%x%x%x%-%x%x%x%x%x%x%x%x%x%x%x%x", "<uuid>" },
  { "#%a+<%d[%d%.]*>", numbered }, { "<%d[%d%.]*>", numbered },
  { '"[^"\n]*"', "<text>" },
  { "%f[%d]%d+%.%d+%.%d+%.%d+:?%d*", "<ip>" },
  { "%f[%x]%x+:%x*:%x*:[%x:]*", "<ip>" },
  { "([%.:][%l_][%w_@!?]*/)(%d%d?)%f[%D]", aside },
  { "0x%x+", "<hex>" }, { "%f[%w]%x+%f[%W]", long_hex },
  { "%f[%d]%d+%.?%d*", "<n>" },
}

--- A line with what differs from time to time replaced.
---@param text string
---@return string
function log_templates.of(text)
  for _, part in ipairs(PARTS) do text = text:gsub(part[1], part[2]) end
  return (text:gsub("[\14-\23]", back))
end

-- One row of each kind in the place of the newest of it.
local function grouped(rows, way)
  local groups, by_key = {}, {}
  for _, row in ipairs(rows) do
    local message = row[way.text]
    local template = type(message) == "string" and log_templates.of(message) or message
    local parts = { tostring(template) }
    for i, field in ipairs(way.alike) do parts[i + 1] = tostring(row[field]) end
    local key = table.concat(parts, "\n")
    local group = by_key[key]
    if not group then
      group = {}
      for name, value in pairs(row) do group[name] = value end
      group[way.text], group.count, group.last = template, 0, row.last or row[way.at]
      if template ~= message then group.example = message end
      by_key[key], groups[#groups + 1] = group, group
    end
    group.count = group.count + (row.count or 1)
    group.first = row.first or row[way.at] -- the newest comes first
  end
  return groups
end

--- An answer of a skill's callback with its log lines as templates; any other as it is.
---@param lists? LogLists   of the skill
---@param answer any
---@return any
function log_templates.applied(lists, answer)
  if not lists or type(answer) ~= "table" then return answer end
  local out = setmetatable({}, getmetatable(answer))
  for name, value in pairs(answer) do
    out[name] = lists[name] and type(value) == "table" and grouped(value, lists[name]) or value
    if lists[name] then out.templates = #out[name] end
  end
  return out
end

return log_templates
