--- What Unicode has that shows nothing: the 8-bit escapes of a terminal, zero-width, direction and
--- variation marks, blanks that are letters, and the tag letters. They steer a terminal, turn the
--- direction of a text, or write to a model what no person sees.

local unseen = {}

-- Of well-formed UTF-8, by first bytes.
local PATTERNS = {
  "\194[\128-\159]", "\194\173",                       -- C1, soft hyphen
  "\205\143", "\216\156",                              -- grapheme joiner, Arabic letter mark
  "\225\133[\159\160]", "\225\158[\180\181]", "\225\160[\139-\143]", -- Hangul, Khmer, Mongolian fillers
  "\226\128[\139-\143]", "\226\128[\168-\174]", "\226\129[\160-\175]", -- zero width, separators, directions
  "\227\133\164", "\239\190\160",                      -- Hangul fillers
  "\239\184[\128-\143]",                               -- variation marks
  "\239\187\191", "\239\191[\176-\187]",               -- byte order mark, interlinear
  "\240\157\133[\179-\186]",                           -- of musical scores
  "\243\160[\128-\191][\128-\191]",             -- tags, and more variation marks
}

local FIRST_BYTES = "[\194\205\216\225-\227\239\240\243]"

--- The text with every such character replaced.
---@param text string   well-formed UTF-8
---@param by string|fun(character: string): string
---@return string
function unseen.replace(text, by)
  if not text:find(FIRST_BYTES) then return text end -- most letters begin with others
  for _, pattern in ipairs(PATTERNS) do
    if text:find(pattern) then text = text:gsub(pattern, by) end
  end
  return text
end

-- As \u of JSON: one unit, or two where it is beyond 16 bits.
local function escape(c)
  local a, b, d, e = c:byte(1, 4)
  local point
  if e then
    point = ((a % 8 * 64 + b % 64) * 64 + d % 64) * 64 + e % 64 - 0x10000
    return ("\\u%04x\\u%04x"):format(0xD800 + math.floor(point / 1024), 0xDC00 + point % 1024)
  end
  point = d and (a % 16 * 64 + b % 64) * 64 + d % 64 or a % 32 * 64 + b % 64
  return ("\\u%04x"):format(point)
end

--- The same within a text of JSON: what it stands for is unchanged, and everybody sees it.
---@param text string   well-formed UTF-8
---@return string
function unseen.escaped(text) return unseen.replace(text, escape) end

return unseen
