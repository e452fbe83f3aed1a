--- The table of processes: its columns as data, and as lines of a width.

local cells = require "runtime.cells"

local rows = {}

-- Statuses in the words of the node; those that are long, short.
local STATUS = { garbage_collecting = "gc", suspended = "susp", runnable = "runq", running = "run", waiting = "wait",
  exiting = "exit" }

-- head, columns (left out: shares what is left), what stands there. A column of `sort` stands where it is asked for.
local COLUMNS = {
  { head = "PID", width = 12, cell = function(row) return row.pid end },
  { head = "NAME / FIRST CALL", share = 0.58, cell = function(row)
    local name = row.name or "-"
    return row.label and ("%s %s"):format(row.label, name) or name
  end },
  { head = "MEMORY", sort = "memory", width = 9, right = true, cell = function(row)
    return cells.memory(row.memory_kb)
  end },
  { head = "BINARY", sort = "binary", only = true, width = 9, right = true, cell = function(row)
    return row.binary_kb and cells.memory(row.binary_kb) or ""
  end },
  { head = "MAILBOX", sort = "mailbox", width = 8, right = true, cell = function(row)
    return cells.count(row.message_queue)
  end },
  { head = "RED/S", sort = "reductions", width = 8, right = true, cell = function(row)
    return cells.count(row.reductions_per_sec)
  end },
  { head = "ST", width = 4, cell = function(row) return STATUS[row.status] or row.status end },
  { head = "FUNCTION", share = 0.42, cell = function(row) return row.current_function or "" end },
}

local LEAST_SHARED = 8

-- The columns that there are room for, with their widths.
local function laid_out(sort, width)
  local shown, fixed = {}, 0
  for _, column in ipairs(COLUMNS) do
    if not column.only or column.sort == sort then
      shown[#shown + 1] = column
      fixed = fixed + (column.width or 0) + 1
    end
  end
  local left, widths = width - fixed + 1, {}
  for i, column in ipairs(shown) do
    widths[i] = column.width or math.max(LEAST_SHARED, math.floor(left * column.share))
  end
  return shown, widths
end

local function line_of(shown, widths, width, text_of)
  local parts = {}
  for i, column in ipairs(shown) do
    parts[i] = cells.fit(text_of(column), widths[i], column.right)
  end
  return cells.fit(table.concat(parts, " "), width)
end

--- The line above the table; the column that it is sorted by is marked.
---@param sort string
---@param width integer
---@return string
function rows.head(sort, width)
  local shown, widths = laid_out(sort, width)
  return line_of(shown, widths, width, function(column)
    return column.sort == sort and "*" .. column.head or column.head
  end)
end

--- A process as a line.
---@param row table      of a Look
---@param sort string
---@param width integer
---@param utf8 boolean
---@return string
function rows.line(row, sort, width, utf8)
  local shown, widths = laid_out(sort, width)
  return line_of(shown, widths, width, function(column) return cells.text(column.cell(row), utf8) end)
end

return rows
