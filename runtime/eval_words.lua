--- The words of Erlang text that its scanner would make atoms of: atoms and variables, quoted or not. A
--- little more may be found than there is (the digits of 16#ff), never less, but for the inside of texts.

local words = {}

local QUOTED = { ['"'] = true, ["'"] = true }

-- Where the quotes that begin at `at` end; a backslash hides what follows it.
local function closing(text, at)
  local mark, i = text:sub(at, at), at + 1
  while i <= #text do
    local c = text:sub(i, i)
    if c == mark then return i end
    i = i + (c == "\\" and 2 or 1)
  end
  return #text
end

--- Each once, in the order in which they first stand there.
---@param text string
---@return string[]
function words.of(text)
  local list, seen = {}, {}
  local function take(word)
    if not seen[word] and #word <= 1020 then list[#list + 1] = word end
    seen[word] = true
  end
  local at = 1
  while at <= #text do
    local c = text:sub(at, at)
    if c == "%" then
      at = (text:find("\n", at, true) or #text) + 1
    elseif c == "$" then -- a character, perhaps by a backslash
      at = at + (text:sub(at + 1, at + 1) == "\\" and 3 or 2)
    elseif QUOTED[c] then
      local last = closing(text, at)
      if c == "'" then take(text:sub(at + 1, last - 1)) end
      at = last + 1
    else
      local word = text:match("^[%w_@\128-\255]+", at)
      if word and word:find "^[%a_\128-\255]" then take(word) end
      at = at + (word and #word or 1)
    end
  end
  return list
end

return words
