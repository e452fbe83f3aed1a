--- Names and texts may come from the node or the network: nothing of theirs may steer a terminal
--- or turn the direction of the text. Escapes of our own are added afterwards.

local unseen = require "runtime.unseen"
local utf8 = require "runtime.utf8"

local plain = {}

-- The 8-bit escapes by their number; a variation mark changes only how the one before it looks.
local function shown(c)
  if c:find "^\194[\128-\159]" then return ("\\u%04x"):format(c:byte(2)) end
  return c:find "^\239\184" and "" or "?"
end

--- One line of text that a terminal shows as it is.
---@param text any
---@return string
function plain.text(text)
  text = utf8.well_formed(tostring(text))
  text = text:gsub("[%z\1-\8\11-\31\127]", function(c) return ("\\x%02x"):format(c:byte()) end)
  text = unseen.replace(text, shown)
  return (text:gsub("[\t\n]", " "))
end

--- The same of several lines, as a trace has them.
---@param text any
---@return string
function plain.lines(text) return (tostring(text):gsub("[^\n]+", plain.text)) end

--- One line, cut to so many bytes, with a mark where something is missing.
---@param text any
---@param most integer
---@return string
function plain.cut(text, most)
  text = plain.text(text)
  return #text <= most and text or utf8.cut(text, most - 3) .. "…"
end

return plain
