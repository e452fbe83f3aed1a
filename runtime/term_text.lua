--- A decoded term as an Erlang or an Elixir programmer writes it, for a person to read: in lines that fit, its
--- secrets masked, cut where it gets long with the number of what is left out. What could steer a terminal is
--- shown by a sign that stands for it.

local etf = require "host.etf"
local secrets = require "runtime.secrets"
local utf8 = require "runtime.utf8"

local term_text = {}

local kind = etf.kind
local ATOM_MAP = debug.getmetatable(etf.amap {})

local WIDTH = 100
local MOST = 20000       -- bytes that are shown
local MOST_BYTES = 64    -- of a binary that is no text
local SHORT = 16         -- bytes of what may share a line of a long list

---@class Printer
---@field mask Privacy
---@field left integer     bytes that may still be shown
---@field left_out integer elements
---@field language table

-- A piece of text, or a group: what opens it, its parts, what closes it. `length` is all of it on one line.
local function piece(p, text)
  p.left = p.left - #text
  return { text = text, length = #text }
end

local function group(open, parts, close)
  local length = #open + #close + 2 * math.max(0, #parts - 1)
  for _, part in ipairs(parts) do length = length + part.length end
  return { open = open, parts = parts, close = close, length = length }
end

-- A key or a name before its value.
local function headed(head, of) return { head = head, of = of, length = head.length + of.length } end

local function control_picture(c) return "\226\144" .. string.char(0x80 + (c:byte() == 127 and 0x21 or c:byte())) end

-- Before masking, which would take them out: what was there is to be seen.
local function without_controls(s) return (s:gsub("[%z\1-\8\11\12\14-\31\127]", control_picture)) end

local ESCAPES = { ['"'] = '\\"', ["\\"] = "\\\\", ["\n"] = "\\n", ["\t"] = "\\t", ["\r"] = "\\r" }

local function masked(p, s, secret)
  if secret then return secrets.is_value(s) and p.mask:name(s) or s end
  return p.mask:text(without_controls(s))
end

local function quoted(p, s, secret) return '"' .. masked(p, s, secret):gsub('["\\\n\t\r]', ESCAPES) .. '"' end

local function is_text(s) return utf8.well_formed(s) == s and not s:find "%z" end

local function bytes(p, s, secret)
  if secret then return quoted(p, s, true) end
  local shown = {}
  for i = 1, math.min(#s, MOST_BYTES) do shown[i] = s:byte(i) end
  if #s > MOST_BYTES then
    p.left_out = p.left_out + #s - MOST_BYTES
    shown[#shown + 1] = ("… %d bytes more"):format(#s - MOST_BYTES)
  end
  return table.concat(shown, ",")
end

local function is_secret_name(v)
  local of = kind(v)
  return (of == "atom" or of == "binary" or of == "chars") and secrets.names((tostring(v):gsub("^Elixir%.", "")))
end

local write

-- As many as may be shown, and how many more there are.
local function some(p, list, secret, last)
  local parts = {}
  for i = 1, last or #list do
    if p.left <= 0 then
      p.left_out = p.left_out + #list - i + 1
      parts[#parts + 1] = { text = ("… %d more"):format(#list - i + 1), length = 12 }
      break
    end
    parts[i] = write(p, list[i], secret)
  end
  return parts
end

local function tuple(p, t, secret)
  if #t == 2 and is_secret_name(t[1]) then
    return group("{", { write(p, t[1], false), write(p, t[2], true) }, "}")
  end
  return group("{", some(p, t, secret), "}")
end

local function sorted_keys(t)
  local keys = {}
  for key in pairs(t) do keys[#keys + 1] = key end
  table.sort(keys, function(a, b) return tostring(a) < tostring(b) end)
  return keys
end

-- Keys that are all atoms or all texts come as strings; which they were is told by the map's own kind.
local function map(p, t, secret)
  local keys, parts, struct = sorted_keys(t), {}, nil
  local as_atoms = debug.getmetatable(t) == ATOM_MAP
  if p.language.struct and as_atoms then struct = t.__struct__ end
  for i, key in ipairs(keys) do
    if p.left <= 0 then
      p.left_out = p.left_out + #keys - i + 1
      parts[#parts + 1] = { text = ("… %d more"):format(#keys - i + 1), length = 12 }
      break
    end
    if not (struct and key == "__struct__") then
      local term = type(key) == "string" and as_atoms and etf.A[key] or key
      parts[#parts + 1] = headed(p.language.key(p, term), write(p, t[key], secret or is_secret_name(term)))
    end
  end
  return p.language.map(p, parts, struct)
end

local function improper(p, t, secret)
  local parts = some(p, t, secret)
  local last = table.remove(parts)
  local tail = write(p, t.tail, secret)
  if last then parts[#parts + 1] = headed(headed(last, { text = " | ", length = 3 }), tail) end
  return group("[", parts, "]")
end

local function all_numbers(t)
  for i = 1, #t do if type(t[i]) ~= "number" then return false end end
  return #t > 0
end

local function list(p, t, secret)
  if secret and all_numbers(t) then return piece(p, quoted(p, table.concat(t, ","), true)) end
  return p.language.list(p, t, secret)
end

local WRITERS = {
  boolean = function(p, v) return piece(p, tostring(v)) end,
  integer = function(p, v) return piece(p, type(v) == "number" and ("%d"):format(v) or tostring(v)) end,
  atom = function(p, v, secret) return piece(p, p.language.atom(p, tostring(v), secret)) end,
  binary = function(p, v, secret)
    local text = is_text(v)
    if #v > 2000 then p.left_out = p.left_out + (text and #v - 2000 or 0) end
    return piece(p, p.language.binary(p, v, secret, text))
  end,
  chars = function(p, v, secret) return piece(p, p.language.chars .. quoted(p, tostring(v), secret)) end,
  tuple = tuple, map = map, improper = improper, list = list,
}

function write(p, v, secret)
  local writer = WRITERS[kind(v)]
  if writer then return writer(p, v, secret) end
  return piece(p, p.language.other(without_controls(tostring(v)), kind(v)))
end

local function quoted_atom(p, name, quote, secret)
  return quote .. masked(p, name, secret):gsub("[" .. quote .. "\\]", "\\%0"):gsub("[\n\t\r]", ESCAPES) .. quote
end

local ERLANG_WORDS = {}
for word in ([[after and andalso band begin bnot bor bsl bsr bxor case catch cond div else end fun if let maybe not of
  or orelse receive rem try when xor]]):gmatch "%a+" do ERLANG_WORDS[word] = true end

local erlang = { chars = "" }

function erlang.atom(p, name, secret)
  local plain = name:find "^%l[%w_@]*$" and not ERLANG_WORDS[name] and not secret
  if plain and masked(p, name) == name then return name end
  if secret and not secrets.is_value(name) then return name end
  return quoted_atom(p, name, "'", secret)
end

function erlang.binary(p, v, secret, text)
  if not text then return "<<" .. bytes(p, v, secret) .. ">>" end
  if v == "" then return "<<>>" end
  return "<<" .. quoted(p, v, secret) .. (v:find "[\128-\255]" and "/utf8>>" or ">>")
end

function erlang.key(p, term)
  local key = write(p, term, false)
  return headed(key, { text = " => ", length = 4 })
end

function erlang.map(_, parts) return group("#{", parts, "}") end
function erlang.list(p, t, secret) return group("[", some(p, t, secret), "]") end
function erlang.other(text) return text end

local elixir = { chars = "~c", struct = true }

local SIMPLE = "^[%l_][%w_]*[?!]?$"

function elixir.atom(p, name, secret)
  if name == "nil" then return name end
  if secret then return ":" .. (secrets.is_value(name) and quoted_atom(p, name, '"', true) or name) end
  local module = name:match "^Elixir%.(%u[%w_%.]*)$"
  if module then return masked(p, module) end
  if name:find(SIMPLE) and masked(p, name) == name then return ":" .. name end
  return ":" .. quoted_atom(p, name, '"')
end

function elixir.binary(p, v, secret, text)
  return text and quoted(p, v, secret) or "<<" .. bytes(p, v, secret) .. ">>"
end

function elixir.key(p, term)
  local name = kind(term) == "atom" and tostring(term)
  if name and name:find(SIMPLE) and name ~= "nil" then return piece(p, name .. ": ") end
  return headed(write(p, term, false), { text = " => ", length = 4 })
end

function elixir.map(p, parts, struct)
  return group(struct and "%" .. elixir.atom(p, tostring(struct)) .. "{" or "%{", parts, "}")
end

local function is_keywords(t)
  for i = 1, #t do
    local pair = t[i]
    if kind(pair) ~= "tuple" or #pair ~= 2 or kind(pair[1]) ~= "atom" or not tostring(pair[1]):find(SIMPLE) then
      return false
    end
  end
  return #t > 0
end

function elixir.list(p, t, secret)
  if not is_keywords(t) then return group("[", some(p, t, secret), "]") end
  local parts = {}
  for i = 1, #t do
    if p.left <= 0 then
      p.left_out = p.left_out + #t - i + 1
      parts[i] = { text = ("… %d more"):format(#t - i + 1), length = 12 }
      break
    end
    parts[i] = headed(elixir.key(p, t[i][1]), write(p, t[i][2], secret or is_secret_name(t[i][1])))
  end
  return group("[", parts, "]")
end

function elixir.other(text, of) return of == "pid" and "#PID" .. text or text end

local lay

-- Numbers and the like: as many in a line as there is room for.
local function is_row(parts)
  for _, part in ipairs(parts) do
    if not part.text or part.length > SHORT then return false end
  end
  return true
end

local function lay_parts(out, node, indent)
  local fits = indent + node.length <= out.width
  local inner, row, at = indent + 2, not fits and is_row(node.parts), out.width
  out[#out + 1] = node.open
  for i, part in ipairs(node.parts) do
    at = at + part.length + 2
    if not fits and (not row or at > out.width) then
      out[#out + 1] = "\n" .. (" "):rep(inner)
      at = inner + part.length
    elseif i > 1 then
      out[#out + 1] = " "
    end
    lay(out, part, fits and indent or inner)
    if i < #node.parts then out[#out + 1] = "," end
  end
  if not fits then out[#out + 1] = "\n" .. (" "):rep(indent) end
  out[#out + 1] = node.close
end

function lay(out, node, indent)
  if node.text then
    out[#out + 1] = node.text
  elseif node.head then
    lay(out, node.head, indent)
    lay(out, node.of, indent)
  else
    lay_parts(out, node, indent)
  end
end

--- The text of a term.
---@param value any          as host.etf decodes it, exactly
---@param mask Privacy
---@param as_elixir? boolean
---@param width? integer     columns; 100 if left out
---@return string text       perhaps several lines
---@return integer left_out  elements of lists, maps and tuples, and bytes of texts, that are not shown
function term_text.of(value, mask, as_elixir, width)
  local p = { mask = mask, left = MOST, left_out = 0, language = as_elixir and elixir or erlang }
  local out = { width = width or WIDTH }
  lay(out, write(p, value, false), 0)
  return table.concat(out), p.left_out
end

return term_text
