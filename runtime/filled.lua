--- Words in lines of a width, those after the first indented.

local plain = require("runtime.plain").text

local filled = {}

local WIDTH, LEAST = 100, 40

--- Pieces that are not broken.
---@param words string[]
---@param indent integer   columns
---@param width? integer   100 if left out
---@param taken? integer   columns of the first line that something else has; as many as the indent if left out
---@return string
function filled.words(words, indent, width, taken)
  width = math.max(width or WIDTH, LEAST)
  local lines, line = {}, ""
  for _, word in ipairs(words) do
    local before = #lines == 0 and taken or indent
    if #line > 0 and before + #line + 1 + #word > width then
      lines[#lines + 1], line = line, word
    else
      line = #line > 0 and line .. " " .. word or word
    end
  end
  lines[#lines + 1] = line
  return table.concat(lines, "\n" .. (" "):rep(indent))
end

--- The same of a text, which may be the node's.
---@param text any
---@param indent integer
---@param width? integer
---@param taken? integer
---@return string
function filled.text(text, indent, width, taken)
  local words = {}
  for word in plain(text):gmatch "%S+" do words[#words + 1] = word end
  return filled.words(words, indent, width, taken)
end

return filled
