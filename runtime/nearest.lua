--- The word that somebody meant: one slip of the fingers away, or the rest of what they began.

local LONGEST_WORD = 200 -- bytes: a longer one is no slip of the pen, and would take long to compare
local LONG = 5           -- bytes: a word of so many may have two slips
local SHORTEST_PART = 4  -- bytes: fewer begin too many words

-- How many letters were left out, put in, taken for another or for the one beside them (Damerau and Levenshtein's
-- distance by rows, each pair of neighbours once).
local function distance(a, b)
  local before, row = nil, {}
  for j = 0, #b do row[j] = j end
  for i = 1, #a do
    local next_row = { [0] = i }
    for j = 1, #b do
      local least = math.min(row[j] + 1, next_row[j - 1] + 1, row[j - 1] + (a:byte(i) == b:byte(j) and 0 or 1))
      if before and j > 1 and a:byte(i) == b:byte(j - 1) and a:byte(i - 1) == b:byte(j) then
        least = math.min(least, before[j - 2] + 1)
      end
      next_row[j] = least
    end
    before, row = row, next_row
  end
  return row[#b]
end

-- The shortest of those that begin with the part, or else have it somewhere.
local function whole_of(part, words, where)
  if #part < SHORTEST_PART then return nil end
  local best
  for _, word in ipairs(words) do
    local at = word:lower():gsub("^%-%-", ""):find(part, 1, true)
    if at and (at == 1 or where == "anywhere") and not (best and #best <= #word) then best = word end
  end
  return best
end

---@param word string
---@param words string[]
---@return string?
return function(word, words)
  if #word > LONGEST_WORD then return nil end
  local lower, best, apart = word:lower(), nil, math.huge
  for _, candidate in ipairs(words) do
    local d = candidate == word and -1 or distance(lower, candidate:lower())
    if d < apart then best, apart = candidate, d end
  end
  local letters = lower:gsub("^%-%-", "")
  if apart <= 1 then return best end
  local most = math.max(#letters / 3, #letters >= LONG and 2 or 1)
  return whole_of(letters, words) or apart <= most and best or whole_of(letters, words, "anywhere")
end
