--- What stands on a terminal after all that was written to it: lines of text, for programs that place their lines.

--- Carries out what `top` writes; whatever else begins with ESC is told.
---@param bytes string
---@return { lines: string[], alternate: boolean, cursor: boolean, unknown: string[] }
return function(bytes)
  local seen = { lines = {}, alternate = false, cursor = true, unknown = {} }
  local row, i = 1, 1
  while i <= #bytes do
    local _, to, private, numbers, letter = bytes:find("^\27%[(%??)([%d;]*)(%a)", i)
    if not to then
      local text = bytes:match("^[^\27]+", i) or bytes:sub(i, i)
      if text == "\27" then seen.unknown[#seen.unknown + 1] = ("%q"):format(bytes:sub(i, i + 5)) end
      seen.lines[row] = (seen.lines[row] or "") .. text
      to = i + #text - 1
    elseif private == "?" then
      if numbers == "1049" then seen.alternate = letter == "h" end
      if numbers == "25" then seen.cursor = letter == "h" end
    elseif letter == "H" then
      row = tonumber(numbers:match "^%d+")
    elseif letter == "K" then
      seen.lines[row] = ""
    elseif letter == "J" then
      seen.lines = {}
    elseif letter ~= "m" then
      seen.unknown[#seen.unknown + 1] = bytes:sub(i, to)
    end
    i = to + 1
  end
  return seen
end
