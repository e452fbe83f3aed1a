--- Makes a value short enough for a model's context: lists and texts are cut, and what was left
--- out is said, with the total and how to ask for less. The whole value stays in evidence.

local json = require "runtime.json"

local cut = {}

-- Tried in this order until the text fits: entries of a list or map, bytes of a text.
local STEPS = { { 200, 4000 }, { 50, 2000 }, { 20, 500 }, { 10, 200 }, { 5, 100 }, { 2, 60 }, { 1, 40 } }

local shorten

local function keys_of(t)
  local keys = {}
  for key in pairs(t) do keys[#keys + 1] = key end
  table.sort(keys, function(a, b) return tostring(a) < tostring(b) end)
  return keys
end

local function note(notes, path, showing, total, of)
  notes[#notes + 1] = ("%s: showing %d of %d %s"):format(path == "" and "all" or path, showing, total, of)
end

local function entries(t, entry_limit, text_limit, path, notes)
  if #t > 0 then
    local out = {}
    for i = 1, math.min(#t, entry_limit) do
      out[i] = shorten(t[i], entry_limit, text_limit, ("%s[%d]"):format(path, i), notes)
    end
    if #t > entry_limit then note(notes, path, entry_limit, #t, "entries") end
    return out
  end
  -- A record with its few fields is cut in its fields, never in their number.
  local keys, out = keys_of(t), json.object {}
  local showing = math.min(#keys, math.max(entry_limit, 40))
  for i = 1, showing do
    local key = keys[i]
    out[key] = shorten(t[key], entry_limit, text_limit, path == "" and tostring(key) or path .. "." .. tostring(key),
      notes)
  end
  if showing < #keys then note(notes, path, showing, #keys, "keys") end
  return next(t) ~= nil and out or t
end

function shorten(v, entry_limit, text_limit, path, notes)
  if type(v) == "table" then return entries(v, entry_limit, text_limit, path, notes) end
  if type(v) == "string" and #v > text_limit then
    note(notes, path, text_limit, #v, "bytes")
    return v:sub(1, text_limit) .. "…"
  end
  return v
end

--- A value as JSON text of at most `limit` bytes.
---@param value table   plain values; an object, to which `cut` is added when something is left out
---@param limit integer bytes
---@param narrow? string  what asks for less of it
---@return string
function cut.text(value, limit, narrow)
  local text = json.encode(value)
  if #text <= limit then return text end
  for _, step in ipairs(STEPS) do
    local notes = {}
    local short = shorten(value, step[1], step[2], "", notes)
    short.cut = { unpack(notes, 1, 10) }
    short.cut[#short.cut + 1] = ("%sreturn fewer fields; what is left out can still be cited"):format(
      narrow and ("narrow with %s, or "):format(narrow) or "")
    local shorter = json.encode(short)
    if #shorter <= limit then return shorter end
  end
  return json.encode { error = ("the result has %d bytes and no part of it fits; return less of it"):format(#text) }
end

return cut
