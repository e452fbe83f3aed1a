--- The words that may stand for a mechanism in one run, and what is said to who took another. No prompt lists
--- them: a check that is suspect brings its own, and a wrong one is answered with those that are near.

local failure = require "runtime.failure"
local mechanisms = require "runtime.mechanisms"

local mechanism_words = {}

local MOST = 6

--- Ours, and what the checks of the skills bring.
---@param skills Skill[]
---@return string[] sorted
function mechanism_words.of(skills)
  local known, seen = {}, {}
  local function add(word)
    if not seen[word] then known[#known + 1], seen[word] = word, true end
  end
  for word in pairs(mechanisms) do add(word) end
  for _, s in ipairs(skills) do
    for _, check in ipairs(s.checks or {}) do add(check.mechanism) end
  end
  table.sort(known)
  return known
end

--- A line for each, with what it says.
---@param words string[]
---@return string
function mechanism_words.lines(words)
  local lines = {}
  for i, word in ipairs(words) do lines[i] = mechanisms[word] and ("%s: %s"):format(word, mechanisms[word]) or word end
  return table.concat(lines, "\n")
end

-- How many parts of a word stand in what is known of another.
local function shared(word, other)
  local text, count = ("%s %s"):format(other:gsub("_", " "), mechanisms[other] or ""), 0
  for part in word:lower():gmatch "%a%a%a%a+" do
    if text:find("%f[%a]" .. part:sub(1, 5)) then count = count + 1 end
  end
  return count
end

--- Those that a wrong word may have meant, the likeliest first.
---@param word string
---@param words string[]
---@return string[]
function mechanism_words.near(word, words)
  local slip, found, score = failure.nearest(word, words), {}, {}
  for _, other in ipairs(words) do
    score[other] = (other == slip and 10 or 0) + shared(word:sub(1, 100), other)
    if score[other] > 0 then found[#found + 1] = other end
  end
  table.sort(found, function(a, b)
    if score[a] ~= score[b] then return score[a] > score[b] end
    return a < b
  end)
  for i = #found, MOST + 1, -1 do found[i] = nil end
  return found
end

--- What is wrong with a word that is none of them, nil where it is one.
---@param word string
---@param words string[]
---@return string?
function mechanism_words.fault(word, words)
  for _, known in ipairs(words) do
    if known == word then return nil end
  end
  local near = mechanism_words.near(word, words)
  if #near == 0 then
    return ("%q is none of the words, which are %s; `other` when none fits"):format(word:sub(1, 100),
      table.concat(words, ", "))
  end
  return ("%q is none of the words; near are\n%s\nor `other` when none fits"):format(word:sub(1, 100),
    mechanism_words.lines(near))
end

return mechanism_words
