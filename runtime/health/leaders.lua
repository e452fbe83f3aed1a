--- The processes that lead by memory or by mailbox, a line for each: pid, figure, whose it is, what it does.

local cells = require "runtime.cells"
local counted = require "runtime.counted"
local doing = require "runtime.doing"

local leaders = {}

local NAMES = 0.55 -- of what pid and figure leave, at most; the rest is for what it does

local BY = {
  memory = { figure = function(row) return cells.memory(row.memory_kb) end, counts = function() return true end },
  mailbox = { figure = function(row) return counted.grouped(row.message_queue) end,
    counts = function(row) return row.message_queue > 0 end },
}

-- With what was started, where it has a name beside.
local function whose(row)
  local started = row.name and row.initial_call ~= row.name and row.initial_call
  return (row.name or row.initial_call or "-") .. (started and (" (%s)"):format(started) or "")
end

-- With the function behind the words, where there is room.
local function does(row, room, utf8)
  local words = cells.text(doing(row.status, row.current_function), utf8)
  local where = row.current_function and cells.text(row.current_function, utf8)
  local whole = where and not words:find(where, 1, true) and ("%s (%s)"):format(words, where) or words
  return cells.cut(cells.width(whole) <= room and whole or words, room)
end

local function widest(list, most)
  local width = 0
  for _, text in ipairs(list) do width = math.max(width, cells.width(text)) end
  return math.min(width, most or math.huge)
end

--- Those of one list that have anything of it.
---@param by "memory"|"mailbox"
---@param list table[]     rows of the node
---@param width integer    columns
---@param utf8 boolean
---@return string[]
function leaders.lines(by, list, width, utf8)
  local rows, pids, figures, names = {}, {}, {}, {}
  for _, row in ipairs(list) do
    if BY[by].counts(row) then
      local i = #rows + 1
      rows[i], pids[i], figures[i] = row, cells.text(row.pid, utf8), BY[by].figure(row)
      names[i] = cells.text(whose(row), utf8)
    end
  end
  local pid, figure = widest(pids), widest(figures)
  local left = width - 2 - pid - 2 - figure - 2 - 2
  local name = widest(names, math.floor(left * NAMES))
  for i, row in ipairs(rows) do
    rows[i] = ("  %s  %s  %s  %s"):format(cells.fit(pids[i], pid), cells.fit(figures[i], figure, true),
      cells.fit(names[i], name), does(row, left - name, utf8))
  end
  return rows
end

return leaders
