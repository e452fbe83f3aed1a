--- The patterns that hold: ours (runtime/secret_forms.lua), and after them what the user added in
--- `secrets.lua` of the config folder, which is data of the same fields. Adding is all there is.

local uv = require "luv"
local failure = require "runtime.failure"
local files = require "runtime.files"
local ours = require "runtime.secret_forms"
local stand_in = require "runtime.stand_in"

---@class SecretPatterns
---@field names string[]
---@field names_at_end string[]
---@field forms { begins: string, least: integer, pattern: string }[]
---@field texts { text: string, pattern: string }[]

local patterns = { now = nil } ---@type { now: SecretPatterns }

-- Why one entry of a list is none, or nil.
local WRONG = {}

function WRONG.names(word)
  if type(word) ~= "string" or not word:find "^[%l%d_]+$" or #word < 3 then
    return "wants words of three small letters, digits or _ at least"
  end
end
WRONG.names_at_end = WRONG.names

function WRONG.texts(text)
  if type(text) ~= "string" or #text < 4 or text:find "%c" then return "wants texts of four characters at least" end
  if ("<secret:<email:"):find(text, 1, true) then return "would hide the names of secrets themselves: " .. text end
end

-- Only the class between the brackets is the user's pattern, so that no text makes it take long.
function WRONG.forms(form)
  if type(form) ~= "table" then return "wants { begins = \"acme_\", of = \"%w\", least = 16 }" end
  for key in pairs(form) do
    if key ~= "begins" and key ~= "of" and key ~= "least" then return "has a form with " .. tostring(key) end
  end
  local begins, of, least = form.begins, form.of, form.least
  if type(begins) ~= "string" or not begins:find "^%w" or #begins < 2 then
    return "wants begins of two characters at least, a letter or a digit first"
  end
  if type(of) ~= "string" or of == "" or of:find "^%^" or of:find "[%[%]%c]"
    or not pcall(string.find, "", "[" .. of .. "]") then
    return "wants of to be what stands between the brackets of a pattern: %w_"
  end
  if type(least) ~= "number" or least < #begins then return "wants least, of how many characters it is at least" end
end

-- The line that the nth entry of a list stands on, as near as a text tells: where its own words are.
local function line_of(text, entry)
  local word = type(entry) == "table" and (entry.begins or entry.of) or entry
  local at = text:find(tostring(word), 1, true) or 1
  return select(2, text:sub(1, at - 1):gsub("\n", "")) + 1
end

local function broken(path, line, why)
  return nil, failure.new("config", ("%s:%d: %s"):format(path, line, why), "mend the line", 2)
end

local function checked(added, text, path)
  if type(added) ~= "table" then return broken(path, 1, "must return a table, as { names = { … } }") end
  for key, list in pairs(added) do
    local wrong = WRONG[key]
    if not wrong or type(list) ~= "table" then
      local near = not wrong and failure.nearest(tostring(key), { "names", "names_at_end", "forms", "texts" })
      return broken(path, line_of(text, key), wrong and key .. " must be a list"
        or ("%s is none of names, names_at_end, forms, texts%s"):format(tostring(key),
          near and (": did you mean %s?"):format(near) or ""))
    end
    for _, entry in ipairs(list) do
      local why = wrong(entry)
      if why then return broken(path, line_of(text, entry), ("%s %s"):format(key, why)) end
    end
  end
  return added
end

local function escaped(plain) return (plain:gsub("%W", "%%%0")) end

-- The lists of ours, and after them what was added.
local function take(added)
  local now = {}
  for key in pairs(WRONG) do
    now[key] = {}
    for _, from in ipairs { ours, added } do
      for _, entry in ipairs(from[key] or {}) do
        table.insert(now[key], key == "forms" and {
          begins = entry.begins, least = entry.least,
          pattern = ("%%f[%%w]%s[%s]+"):format(escaped(entry.begins), entry.of),
        } or key == "texts" and { text = entry, pattern = escaped(entry) } or entry)
      end
    end
  end
  patterns.now = now
end
take {}

function patterns.path() return files.config_home() .. "/secrets.lua" end

--- Reads what the user added: secrets.lua in the config folder, where there is one.
---@return true?
---@return Failure? err   with file and line
function patterns.load()
  local path = patterns.path()
  if not uv.fs_stat(path) then
    take {}
    return true
  end
  local text, err = files.read_users(path, "config")
  if not text then return nil, err end
  local added
  added, err = stand_in.load(text, path)
  if err then return nil, failure.new("config", err.message, "mend the line", 2) end
  added, err = checked(added, text, path)
  if not added then return nil, err end
  take(added)
  return true
end

return patterns
