--- What the screen shows, as lines: made anew for each frame from what is known, whatever the size.

local cells = require "runtime.cells"
local detail = require "runtime.top.detail"
local header = require "runtime.top.header"
local rows = require "runtime.top.rows"

local frame = {}

local KEYS = "m memory  b mailbox  r reductions  i binary  Enter look into it  p pause  + - pace  ? help  q quit"
local SHORT = "m b r i sort  Enter look  p pause  + - pace  ? help  q quit"
local OF_ONE = "Esc back  p pause  + - pace  ? help  q quit"

local HELP = {
  "m, b, r, i     sort by memory, mailbox, reductions, binary memory",
  "up, down, j, k move; Home, End, Page Up, Page Down",
  "Enter          look into the process: stack, links, monitors, heap",
  "Esc            back",
  "p, space       pause, go on",
  "+, -           look less often, more often",
  "q, Ctrl-C      leave",
  "",
  "MEMORY   all that the process holds, without binaries of more than 64 bytes",
  "BINARY   such binaries that it refers to, each as often as it does",
  "MAILBOX  messages that wait",
  "RED/S    reductions in a second, about a function call each, during the look",
  "ST       run: runs, runq: waits to run, wait: for a message, gc: collects",
  "",
  "Of every process one cheap item is read, without waking it; all of those shown.",
  "A look costs what stands above. It waits until that is less than 5 % of a",
  "scheduler there and of a core here, however short a pace is asked for.",
}

local function fitted(lines, columns)
  for i, line in ipairs(lines) do lines[i].text = cells.fit(line.text, columns) end
  return lines
end

-- What there is to say beside the figures: one line.
local function note(v)
  if v.trouble then return { text = v.trouble, style = "bad" } end
  if v.paused then return { text = "paused; p goes on", style = "attention" } end
  local old = not v.seen or not v.detail and v.seen.sort ~= v.sort
  return { text = old and "looking..." or "" }
end

-- The rows that there is room for, so that the selected one is among them.
local function window(v, room)
  local selected = v.selected
  local first = math.max(1, math.min(v.first or 1, #v.rows - room + 1))
  if selected < first then first = selected end
  if selected >= first + room then first = selected - room + 1 end
  return math.max(1, first)
end

local function table_of(v, room, columns)
  local lines = { { text = " " .. rows.head(v.sort, columns - 1), style = "head" } }
  v.first = window(v, room - 1)
  for i = v.first, math.min(#v.rows, v.first + room - 2) do
    local chosen = i == v.selected
    lines[#lines + 1] = { text = (chosen and ">" or " ") .. rows.line(v.rows[i], v.sort, columns - 1, v.utf8),
      style = chosen and "reverse" or nil }
  end
  if #v.rows == 0 and v.seen then lines[2] = { text = "no process" } end
  return lines
end

local function body(v, room, columns)
  if v.help then
    local lines = {}
    for i, text in ipairs(HELP) do lines[i] = { text = text } end
    return lines
  end
  if v.detail then return detail.lines(v.detail, room, columns, v.utf8) end
  return table_of(v, room, columns)
end

--- The whole screen.
---@param v table   what `live` knows: name, seen, rows, sort, selected, paused, trouble, detail, help, pace, utf8;
---  `first`, the row that stands on top, is kept in it
---@param height integer
---@param columns integer
---@return { text: string, style?: string }[]
function frame.lines(v, height, columns)
  local lines = {}
  for i, text in ipairs(header.lines(v.name, v.seen, v.pace, columns, v.utf8)) do
    lines[i] = { text = text, style = i == 1 and "bold" or nil }
  end
  lines[#lines + 1] = note(v)
  local room = math.max(2, height - #lines - 1)
  local shown = body(v, room, columns)
  for i = 1, room do lines[#lines + 1] = shown[i] or { text = "" } end
  local keys = (v.detail or v.help) and OF_ONE or #KEYS <= columns and KEYS or SHORT
  lines[#lines + 1] = { text = keys, style = "dim" }
  for i = height, #lines - 1 do lines[i] = lines[i + 1] end -- of a screen that is too low the keys stay
  return fitted({ unpack(lines, 1, height) }, columns)
end

return frame
