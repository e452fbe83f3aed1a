--- Text in so many columns of a screen, and figures in few of them.

local plain = require("runtime.plain").text

local cells = {}

-- Of what is longer than two bytes it is not known whether it takes one column or two, or none.
local UNSURE = "[\224-\244][\128-\191]+"
local CHARACTER = "[%z\1-\127\194-\244][\128-\191]*"

--- Whether the terminal takes more than ASCII, by what a person's programs go by.
---@param environment? fun(name: string): string?
---@return boolean
function cells.is_utf8(environment)
  environment = environment or os.getenv
  for _, name in ipairs { "LC_ALL", "LC_CTYPE", "LANG" } do
    local value = environment(name)
    if value and value ~= "" then return value:lower():find "utf%-?8" ~= nil end
  end
  return false
end

--- Text of the node as columns: each character is one.
---@param text any
---@param utf8 boolean
---@return string
function cells.text(text, utf8)
  return (plain(text):gsub(utf8 and UNSURE or "[\194-\244][\128-\191]+", "?"))
end

---@param text string   from `text`
---@return integer columns
function cells.width(text) return select(2, text:gsub(CHARACTER, "")) end

--- At most so many columns: cut, its end replaced by a mark.
---@param text string
---@param columns integer
---@return string
function cells.cut(text, columns)
  if cells.width(text) <= columns then return text end
  local kept, count = {}, 0
  for character in text:gmatch(CHARACTER) do
    count = count + 1
    if count > columns - 1 then break end
    kept[count] = character
  end
  return table.concat(kept) .. (columns > 0 and "~" or "")
end

--- Exactly so many columns: cut, or filled with blanks.
---@param text string
---@param columns integer
---@param right? boolean   figures stand to the right
---@return string
function cells.fit(text, columns, right)
  text = cells.cut(text, columns)
  local pad = (" "):rep(columns - cells.width(text))
  return right and pad .. text or text .. pad
end

--- Memory in at most eight columns.
---@param kb number
---@return string
function cells.memory(kb)
  if kb < 10000 then return ("%d kB"):format(kb) end
  if kb < 10000 * 1024 then return ("%.1f MB"):format(kb / 1024) end
  return ("%.1f GB"):format(kb / 1024 / 1024)
end

--- A count in at most seven columns.
---@param n number
---@return string
function cells.count(n)
  if n < 1e6 then return ("%d"):format(n) end
  if n < 1e9 then return ("%.1f M"):format(n / 1e6) end
  return ("%.1f G"):format(n / 1e9)
end

return cells
