--- What is read of a provider's answer, whatever its wire: fields as they come, the arguments of a call, and the
--- faults of an answer that is none.

local fault = require "runtime.llm.fault"
local json = require "runtime.json"
local utf8 = require "runtime.utf8"

local received = {}

-- A field of another kind than it should be counts as missing.

---@return string?
function received.text(v) return type(v) == "string" and v ~= "" and v or nil end

---@return number
function received.count(v) return type(v) == "number" and v or 0 end

---@return table
function received.fields(v) return type(v) == "table" and v or {} end

---@return { input: integer, cache_write: integer, cache_read: integer, output: integer }   tokens
function received.no_usage() return { input = 0, cache_write = 0, cache_read = 0, output = 0 } end

local HIGH, LOW = "^\\u[dD][89abAB]%x%x", "^\\u[dD][c-fC-F]%x%x"

-- JSON in which each half of a surrogate pair that stands alone is U+FFFD: our decoder and strict servers refuse it.
local function paired(text)
  if not text:find "\\u[dD][89a-fA-F]" then return text end
  local out, at = {}, 1
  while true do
    local i = text:find("\\", at, true)
    out[#out + 1] = text:sub(at, (i or 0) - 1)
    if not i then return table.concat(out) end
    local half = text:find(HIGH, i) or text:find(LOW, i)
    local pair = text:find(HIGH, i) and text:find(LOW, i + 6)
    local size = pair and 12 or half and 6 or 2
    out[#out + 1] = half and not pair and "\\ufffd" or text:sub(i, i + size - 1)
    at = i + size
  end
end

--- An event of a stream, or a whole answer.
---@param data string
---@return any   nil: no JSON
function received.event(data) return (json.faithful(paired(utf8.well_formed(data)))) end

--- The arguments of a call, which a model may have written badly.
---@param text string
---@return table? args
---@return string? bad_args   the text, where it is no JSON object
---@return string sound       what goes back in their place: one bad byte would have the whole request refused
function received.arguments(text)
  local sound = paired(utf8.well_formed(text))
  local args = json.decode(sound)
  if type(args) == "table" and sound:find "^%s*{" then return args, nil, sound end
  return nil, text, "{}"
end

--- Takes away a call that the limit of tokens cut in two, and its block.
---@param stop string
---@param calls table[]
---@param blocks string[]
function received.drop_half_call(stop, calls, blocks)
  if stop == "length" and #calls > 0 and calls[#calls].bad_args then
    table.remove(calls)
    table.remove(blocks)
  end
end

---@param who { name: string }
---@param step? string   what else to do than to try again
---@return ProviderFault
function received.no_json(who, step)
  return fault.new("retry", ("%s sent an event that is no JSON; try again, or %s"):format(who.name,
    step or "use --provider analyst"))
end

---@param who { name: string }
---@param kind any   of event
---@return ProviderFault
function received.broken(who, kind)
  return fault.new("retry", ("%s sent a broken %s event; try again"):format(who.name, tostring(kind)))
end

---@param who { name: string }
---@return ProviderFault
function received.cut(who)
  return fault.new("retry", ("the answer of %s was cut in the middle; try again, or use --provider analyst")
    :format(who.name))
end

return received
