--- Any value as text for a person: an object as lines, a list of objects as a table, both
--- below each other by indentation.

local json = require "runtime.json"
local plain = require "runtime.plain"

local render = {}

local MOST_WIDE, LEAST_WIDE = 48, 8

local function scalar(v)
  if type(v) == "number" and v % 1 == 0 and math.abs(v) < 2 ^ 53 then return ("%d"):format(v) end
  if type(v) == "number" then return ("%.10g"):format(v) end
  return plain.text(v)
end

local function is_scalar(v)
  return type(v) ~= "table" -- what the codec makes of an atom or a pid is userdata with a text of its own
end

local function is_list(v) return not is_scalar(v) and json.kind(v) == "array" end

-- Names first because a reader looks for them first.
local FIRST = { pid = 1, name = 2, id = 1 }

-- Keys may be any term; they are shown, and sorted, as their text. What has parts of its own comes last.
local function sorted_entries(t)
  local entries = {}
  for key, v in pairs(t) do
    entries[#entries + 1] = { plain.text(key), v, (FIRST[key] or 9) + (is_scalar(v) and 0 or 10) }
  end
  table.sort(entries, function(a, b)
    if a[3] ~= b[3] then return a[3] < b[3] end
    return a[1] < b[1]
  end)
  return entries
end

local function is_table_of_rows(list)
  if #list == 0 then return false end
  for _, row in ipairs(list) do
    if is_scalar(row) or is_list(row) then return false end
    for _, v in pairs(row) do if not is_scalar(v) then return false end end
  end
  return true
end

local function columns(rows)
  local seen, names = {}, {}
  for _, row in ipairs(rows) do
    for key in pairs(row) do
      if not seen[key] then
        seen[key] = true
        names[#names + 1] = key
      end
    end
  end
  table.sort(names, function(a, b)
    local x, y = FIRST[a] or 9, FIRST[b] or 9
    if x ~= y then return x < y end
    return a < b
  end)
  return names
end

-- The widest texts give way until a row fits, where it can.
local function fit(widths, is_text, most)
  local total = 2 * (#widths - 1)
  for _, w in ipairs(widths) do total = total + w end
  while total > most do
    local widest
    for j, w in ipairs(widths) do
      if is_text[j] and w > LEAST_WIDE and (not widest or w > widths[widest]) then widest = j end
    end
    if not widest then return false end
    widths[widest], total = widths[widest] - 1, total - 1
  end
  return true
end

-- Numbers to the right, text to the left; nil where that is too wide. Who reads a pid needs all of it.
local function grid(rows, indent, most)
  local names, width, is_text, lines = columns(rows), {}, {}, {}
  local cells = { {} }
  for j, name in ipairs(names) do cells[1][j] = plain.text(name) end
  for i, row in ipairs(rows) do
    cells[i + 1] = {}
    for j, name in ipairs(names) do
      cells[i + 1][j] = row[name] == nil and "" or plain.cut(scalar(row[name]), MOST_WIDE)
    end
  end
  for j in ipairs(names) do
    width[j] = 0
    for _, line in ipairs(cells) do width[j] = math.max(width[j], #line[j]) end
    is_text[j] = names[j] ~= "pid" and type(rows[1][names[j]]) ~= "number"
  end
  if most and not fit(width, is_text, most - #indent) then return nil end
  for i, line in ipairs(cells) do
    local out = {}
    for j, cell in ipairs(line) do
      if #cell > width[j] then cell = plain.cut(cell, width[j]) end
      local number = type(rows[math.max(i - 1, 1)][names[j]]) == "number"
      out[j] = (" "):rep(number and width[j] - #cell or 0) .. cell .. (" "):rep(number and 0 or width[j] - #cell)
    end
    lines[i] = indent .. table.concat(out, "  "):gsub("%s+$", "")
  end
  return lines
end

local function append(lines, more)
  for _, line in ipairs(more) do lines[#lines + 1] = line end
end

local value

local function object(t, indent, most)
  local lines = {}
  for _, entry in ipairs(sorted_entries(t)) do
    local key, v = indent .. entry[1], entry[2]
    if is_scalar(v) then
      lines[#lines + 1] = key .. ": " .. scalar(v)
    elseif next(v) == nil then
      lines[#lines + 1] = key .. ": none"
    else
      lines[#lines + 1] = key .. ":"
      append(lines, value(v, indent .. "  ", most))
    end
  end
  return lines
end

function value(v, indent, most)
  if is_scalar(v) then return { indent .. scalar(v) } end
  if next(v) == nil then return { indent .. "none" } end
  if not is_list(v) then return object(v, indent, most) end
  local rows = is_table_of_rows(v) and grid(v, indent, most)
  if rows then return rows end
  local lines = {}
  for _, item in ipairs(v) do
    local item_lines = value(item, indent .. (is_scalar(item) and "" or "  "), most)
    if not is_scalar(item) then item_lines[1] = indent .. "- " .. item_lines[1]:sub(#indent + 3) end
    append(lines, item_lines)
  end
  if v.tail ~= nil then append(lines, value(v.tail, indent .. "| ")) end -- an improper list of Erlang
  return lines
end

---@param v any
---@param indent? string
---@param width? integer   columns that rows of a table are made to fit
---@return string   lines, each ended
function render.value(v, indent, width) return table.concat(value(v, indent or "", width), "\n") .. "\n" end

return render
