--- A decoded term as the text an Erlang programmer would read, cut where it gets long. For
--- error sentences: a reason may hold a whole state.

local etf = require "host.etf"

local term = {}

local LONGEST = 300

local write

local function write_all(out, items)
  for i = 1, #items do
    if i > 1 then out.add "," end
    write(out, items[i])
  end
end

local function write_map(out, map)
  local first = true
  for key, value in pairs(map) do
    if not first then out.add "," end
    first = false
    out.add(tostring(key))
    out.add "=>"
    write(out, value)
  end
end

local function quoted_atom(v)
  local name = tostring(v)
  return name:match "^%l[%w_@]*$" and name or "'" .. name .. "'"
end

local WRITERS = {
  atom = function(out, v) out.add(quoted_atom(v)) end,
  binary = function(out, v) out.add('<<"' .. v:sub(1, LONGEST) .. '">>') end,
  chars = function(out, v) out.add('"' .. tostring(v):sub(1, LONGEST) .. '"') end,
  tuple = function(out, v)
    out.add "{"
    write_all(out, v)
    out.add "}"
  end,
  list = function(out, v)
    out.add "["
    write_all(out, v)
    out.add "]"
  end,
  map = function(out, v)
    out.add "#{"
    write_map(out, v)
    out.add "}"
  end,
}

function write(out, v)
  if out.length > LONGEST then return end
  local writer = WRITERS[etf.kind(v)]
  if writer then writer(out, v) else out.add(tostring(v)) end
end

---@param v any   as host.etf decodes it
---@return string
function term.text(v)
  local parts, out = {}, { length = 0 }
  function out.add(piece)
    parts[#parts + 1] = piece
    out.length = out.length + #piece
  end
  write(out, v)
  local text = table.concat(parts)
  if #text > LONGEST then text = text:sub(1, LONGEST) .. "…" end
  return text
end

return term
