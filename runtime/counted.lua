--- Numbers as people read them: "1 request", "22 requests", "1,234,567".

local counted = {}

--- A whole number with its thousands apart.
---@param n number
---@return string
function counted.grouped(n)
  local text = ("%.0f"):format(n)
  repeat
    local more
    text, more = text:gsub("^(-?%d+)(%d%d%d)", "%1,%2")
  until more == 0
  return text
end

--- So many of a thing, whose plural is made by an s.
---@param n number
---@param word string   for one
---@return string
function counted.of(n, word) return ("%s %s%s"):format(counted.grouped(n), word, n == 1 and "" or "s") end

--- A time as people say it: "59 s", "12 min 5 s", "3 d 4 h".
---@param seconds number
---@return string
function counted.span(seconds)
  local units = { { "d", 86400 }, { "h", 3600 }, { "min", 60 }, { "s", 1 } }
  for i, unit in ipairs(units) do
    if seconds >= unit[2] or i == #units then
      local whole, below = math.floor(seconds / unit[2]), units[i + 1]
      local rest = below and math.floor(seconds % unit[2] / below[2]) or 0
      return ("%d %s"):format(whole, unit[1]) .. (rest > 0 and (" %d %s"):format(rest, below[1]) or "")
    end
  end
end

return counted
