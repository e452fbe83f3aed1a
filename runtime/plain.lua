--- Names and texts may come from the node or the network: nothing of theirs may steer a terminal
--- or turn the direction of the text. Escapes of our own are added afterwards.

local utf8 = require "runtime.utf8"

local plain = {}

--- One line of text that a terminal shows as it is.
---@param text any
---@return string
function plain.text(text)
  text = utf8.well_formed(tostring(text))
  text = text:gsub("[%z\1-\8\11-\31\127]", function(c) return ("\\x%02x"):format(c:byte()) end)
  text = text:gsub("\194[\128-\159]", function(c) return ("\\u%04x"):format(c:byte(2)) end) -- C1: 8-bit escapes
  text = text:gsub("\226\128[\139-\143\168-\174]", "?"):gsub("\226\129[\160-\175]", "?"):gsub("\239\187\191", "?")
  return (text:gsub("[\t\n]", " "))
end

--- The same, cut to so many bytes, with a mark where something is missing.
---@param text any
---@param most integer
---@return string
function plain.cut(text, most)
  text = plain.text(text)
  return #text <= most and text or utf8.cut(text, most - 3) .. "…"
end

return plain
