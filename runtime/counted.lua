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

return counted
