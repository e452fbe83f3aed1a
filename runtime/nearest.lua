--- The word that somebody meant: one slip of the fingers away, or the rest of what they began.

local LONGEST_WORD = 200 -- bytes: a longer one is no slip of the pen, and would take long to compare
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

-- The shortest of those that the word begins, else is a part of.
local function whole_of(part, words)
  if #part < SHORTEST_PART then return nil end
  local best, best_at
  for _, word in ipairs(words) do
    local at = word:lower():find(part, 1, true)
    at = at and math.min(at, 2)
    if at and (not best or at < best_at or at == best_at and #word < #best) then best, best_at = word, at end
  end
  return best
end

---@param word string
---@param words string[]
---@return string?
return function(word, words)
  if #word > LONGEST_WORD then return nil end
  local lower, best, best_distance = word:lower(), nil, nil
  for _, candidate in ipairs(words) do
    local apart = candidate == word and -1 or distance(lower, candidate:lower())
    if not best or apart < best_distance then best, best_distance = candidate, apart end
  end
  if best and best_distance <= math.max(1, math.floor(#word / 3)) then return best end
  return whole_of(lower:gsub("^%-%-", ""), words)
end
