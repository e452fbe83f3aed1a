--- Words in lines of a width, those after the first indented.

local plain = require("runtime.plain").text

local filled = {}

local WIDTH, LEAST = 100, 40

---@param text any
---@param indent integer   columns; of the first line, too, where something else stands there
---@param width? integer   100 if left out
---@return string
function filled.text(text, indent, width)
  width = math.max(width or WIDTH, LEAST)
  local lines, line = {}, ""
  for word in plain(text):gmatch "%S+" do
    if #line > 0 and indent + #line + 1 + #word > width then
      lines[#lines + 1], line = line, word
    else
      line = #line > 0 and line .. " " .. word or word
    end
  end
  lines[#lines + 1] = line
  return table.concat(lines, "\n" .. (" "):rep(indent))
end

return filled
