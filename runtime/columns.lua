--- Rows of text below each other, as `runs` and `insights` print them: each column as wide as its widest cell,
--- figures to the right.

local plain = require "runtime.plain"

local columns = {}

local LEAST = 40 -- nobody reads less

---@param rows string[][]     of equal length
---@param right? table<integer, true>   columns that stand to the right
---@param width? integer   of the terminal: what stands last is cut first
---@return string
function columns.text(rows, right, width)
  local widths, lines = {}, {}
  for i, row in ipairs(rows) do
    local shown = {}
    for k, cell in ipairs(row) do
      shown[k] = plain.text(cell)
      widths[k] = math.max(widths[k] or 0, #shown[k])
    end
    lines[i] = shown
  end
  for i, row in ipairs(lines) do
    for k, cell in ipairs(row) do
      local pad = (" "):rep(widths[k] - #cell)
      row[k] = right and right[k] and pad .. cell or k == #row and cell or cell .. pad
    end
    local line = table.concat(row, "  "):gsub("%s+$", "")
    lines[i] = width and plain.cut(line, math.max(width, LEAST)) or line
  end
  return table.concat(lines, "\n") .. (#lines > 0 and "\n" or "")
end

--- A moment as it stands in a list, UTC.
---@param at integer
---@return string
function columns.moment(at) return os.date("!%Y-%m-%d %H:%M", at) end

return columns
