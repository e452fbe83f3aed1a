--- Bytes of a terminal as keys: a letter is itself, others have a name.

local keys = {}

local NAMED = {
  ["\r"] = "enter", ["\n"] = "enter", ["\t"] = "tab", [" "] = "space", ["\127"] = "back", ["\8"] = "back",
  ["\3"] = "ctrl-c", ["\4"] = "ctrl-d", ["\12"] = "ctrl-l", ["\26"] = "ctrl-z",
}

-- What stands behind ESC [ or ESC O.
local SEQUENCES = { A = "up", B = "down", C = "right", D = "left", H = "home", F = "end",
  ["5~"] = "page_up", ["6~"] = "page_down", ["1~"] = "home", ["4~"] = "end" }

--- The keys that were typed, and the bytes of one that has only begun: ESC is a key of its own only where nothing
--- follows it, which time tells.
---@param bytes string
---@return string[] names
---@return string rest   "" where there is none
function keys.read(bytes)
  local names, i = {}, 1
  while i <= #bytes do
    local c = bytes:sub(i, i)
    if c ~= "\27" then
      names[#names + 1] = NAMED[c] or c
      i = i + 1
    else
      local from, to, number, last = bytes:find("^\27[%[O](%d*)[%d;]*([%a~])", i) -- behind ; is Ctrl or Shift
      if from then
        names[#names + 1] = SEQUENCES[last == "~" and number .. last or last] -- else it is no key of ours
        i = to + 1
      elseif bytes:find("^\27[%[O]?[%d;]*$", i) then
        return names, bytes:sub(i)
      else
        names[#names + 1] = "esc"
        i = i + 1
      end
    end
  end
  return names, ""
end

return keys
