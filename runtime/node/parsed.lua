--- Erlang texts that were parsed when the program was built. On a fresh node the parser costs
--- 254 atoms and the loading of its modules, once and for ever: so our texts travel as forms.
--- The file holds, again and again: 64 hex digits of the text's SHA-256, four bytes of length,
--- the forms in external term format without its first byte.

local bytes = require "runtime.node.bytes"
local crypto = require "host.crypto"
local etf = require "host.etf"
local files = require "host.files"

local parsed = {}

local FILE = "build/queries.etf"
local HASH = 64

--- What the list of those texts is called that are of skills: people judged what they do.
parsed.OF_SKILLS = ("0"):rep(HASH)

local content, index

-- Where each form stands; most are never asked for.
local function load()
  content, index = files.read(FILE) or "", {}
  local at = 1
  while at + HASH + 4 <= #content + 1 do
    local length = bytes.read_u32(content, at + HASH)
    local from = at + HASH + 4
    at = from + length
    index[content:sub(from - 4 - HASH, from - 5)] = { from, at - 1 }
  end
end

-- In external form, without its first byte.
local function bytes_of(text)
  if not index then load() end
  local place = index[crypto.sha256(text)]
  return place and content:sub(place[1], place[2])
end

--- The form of a text, ready to be sent.
---@param text string
---@return any|nil   nil when it was not among those we shipped
function parsed.find(text)
  local form = bytes_of(text)
  return form and etf.raw(form)
end

--- Whether a text is one of those that we shipped.
---@param text string
---@return boolean
function parsed.has(text) return bytes_of(text) ~= nil end

--- Its form, to be read here.
---@param text string
---@return any|nil
function parsed.read(text)
  local form = bytes_of(text)
  return form and etf.decode("\131" .. form, 1, true)
end

-- The form of what stands at a place, to be read here.
local function decoded(place) return etf.decode("\131" .. content:sub(place[1], place[2]), 1, true) end

--- The forms of all texts of our skills.
---@return any[]
function parsed.of_skills()
  if not index then load() end
  local list, forms = index[parsed.OF_SKILLS], {}
  if not list then return forms end
  for hash in content:sub(list[1], list[2]):gmatch("=(" .. ("%x"):rep(HASH) .. ")") do
    forms[#forms + 1] = decoded(index[hash])
  end
  return forms
end

return parsed
