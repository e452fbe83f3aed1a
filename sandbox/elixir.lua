--- Whether Elixir text may be expanded at all. Expanding runs code, macros above all, before there are
--- forms that sandbox/classify.lua could judge; so the quoted text is walked first, and what could run
--- anything but Elixir's own well-known macros is turned away. No confirmation lets it in.
---
--- The list is of what may pass, and names count wherever they stand: dbg, Kernel.dbg, K.dbg and x |> dbg
--- are one name. So no alias, capture or pipe is a way around it.

local etf = require "host.etf"

local elixir = {}

local A, kind = etf.A, etf.kind

local function set(words)
  local names = {}
  for word in words:gmatch "%S+" do names[word] = true end
  return names
end

-- Special forms and macros of Kernel that build code out of their arguments and do nothing else.
local EXPANDS_TO_ARGUMENTS = set [[
  % %{} & . :: <<>> = ^ {} __aliases__ __block__ __MODULE__ case cond fn for try with receive alias
  ! && || .. ..// <> |> and or in if unless tap then match? is_nil is_struct is_exception is_non_struct_map
  raise reraise to_string to_charlist destructure binding
  get_in put_in update_in pop_in get_and_update_in
  sigil_C sigil_c sigil_S sigil_s sigil_W sigil_w sigil_R sigil_r sigil_D sigil_T sigil_N sigil_U
]]

-- What we know of that is more; a node of another release names its own besides.
local EXPANDS_TO_MORE = set [[
  require import use quote unquote unquote_splicing super __ENV__ __CALLER__ __DIR__ __STACKTRACE__
  def defp defmacro defmacrop defmodule defimpl defprotocol defstruct defexception defdelegate defguard defguardp
  defoverridable @ dbg var! alias! compile_env compile_env! __using__
]]

local WHY = {
  require = "it would load a module, and let its macros run while the text is expanded",
  import = "it would load a module, and let its macros run while the text is expanded",
  use = "it runs code of that module while the text is expanded",
  dbg = "it runs what the node has configured for it while the text is expanded",
}
local WHY_MORE = "it runs code while the text is expanded, before anybody could judge it"

-- A struct is made by a function of its module, called while the text is expanded: of these it is known.
local STRUCTS = set [[
  Date Time DateTime NaiveDateTime Range MapSet URI Version Regex Task Stream File.Stat File.Stream Date.Range
  ArgumentError RuntimeError KeyError
]]

-- With a name behind them these would call that calendar's own parser.
local CALENDAR_SIGILS = set "sigil_D sigil_T sigil_N sigil_U"

local MOST_NAMES = 500     -- aliases and uses of variables: each may leave an atom on the node
local MOST_DEPTH = 400

---@class Screened
---@field what string   the construct: "require", "%Foo{}"
---@field why string
---@field line? integer

local function line_of(meta)
  for _, pair in ipairs(meta) do
    if kind(pair) == "tuple" and pair[1] == A.line and type(pair[2]) == "number" then return pair[2] end
  end
end

local function found(what, why, line) return { what = what, why = why, line = line } end

local function is_atom(v) return kind(v) == "atom" or type(v) == "boolean" end

-- A call, a variable or a special form: {Name, Meta, Arguments or Context}. There are no other tuples of three.
local function is_node(v) return kind(v) == "tuple" and #v == 3 and kind(v[2]) == "list" end

-- Foo.Bar as it is written, nil when its head is computed.
local function alias_name(v)
  if kind(v) == "atom" then return (tostring(v):gsub("^Elixir%.", "")) end
  if not is_node(v) or v[1] ~= A.__aliases__ or kind(v[3]) ~= "list" then return end
  local parts = {}
  for i, part in ipairs(v[3]) do
    if not is_atom(part) then return end
    parts[i] = tostring(part)
  end
  return (table.concat(parts, "."):gsub("^Elixir%.", ""))
end

local function wrong_name(seen, name, line)
  name = tostring(name)
  if EXPANDS_TO_MORE[name] or seen.macros[name] and not EXPANDS_TO_ARGUMENTS[name] then
    return found(name, WHY[name] or WHY_MORE, line)
  end
end

-- Another name for Kernel would hide what this file looks for, and one for Elixir all of it.
local HIDING = { "^$", "^Elixir$", "^Kernel$", "^Kernel%.", "^Application$" }

local function wrong_alias(seen, arguments, line)
  seen.aliased = true
  local target = arguments[1]
  local name = alias_name(target)
  -- alias Foo.{A, B}
  if not name and is_node(target) and is_node(target[1]) and target[1][1] == A["."] then
    name = alias_name(target[1][3][1])
  end
  if not name then return found("alias", "what it stands for is computed", line) end
  for _, pattern in ipairs(HIDING) do
    if name:find(pattern) then return found("alias " .. name, "macros would be reached by another name", line) end
  end
end

local function wrong_struct(seen, arguments, line)
  local module = arguments[1]
  if is_node(module) and is_atom(module[3]) then return end -- %name{} in a pattern: nothing is made
  local name = alias_name(module)
  if name and STRUCTS[name] then
    seen.struct = { name = name, line = line }
    return
  end
  return found(("%%%s{}"):format(name or "…"), "a function of that module would be called while the text is expanded: "
    .. "make it by struct/2, or match on a map", line)
end

local function wrong_sigil(name, arguments, line)
  local content = kind(arguments) == "list" and is_node(arguments[1]) and arguments[1][3]
  local text = kind(content) == "list" and #content == 1 and content[1]
  if type(text) == "string" and not text:find "[^%d%-+:.,TZ ]" then return end
  return found("~" .. name:match "_(.*)", "a calendar's own parser would be called while the text is expanded", line)
end

local MOST_WORDS = 64 -- ~w()a makes an atom of each

local function wrong_words(arguments, line)
  local content, modifiers = is_node(arguments[1]) and arguments[1][3], arguments[2]
  local text = kind(content) == "list" and #content == 1 and content[1]
  if kind(modifiers) == "list" and #modifiers == 0 or type(text) ~= "string" then return end
  local _, words = text:gsub("%S+", "")
  if words > MOST_WORDS then
    return found("~w", ("each of its words stays as an atom; at most %d are taken"):format(MOST_WORDS), line)
  end
end

-- What only a call has: {:., _, [Receiver, Name]} is the head of one.
local function wrong_receiver(seen, arguments, line)
  local receiver, name = arguments[1], arguments[2]
  if alias_name(receiver) == "Kernel.SpecialForms" then
    return found("Kernel.SpecialForms", "special forms would be reached by another way", line)
  end
  if name == nil or not is_atom(name) then return end
  if CALENDAR_SIGILS[tostring(name)] then return wrong_sigil(tostring(name), {}, line) end
  return wrong_name(seen, name, line)
end

local function wrong_form(seen, name, arguments, line)
  local text = tostring(name)
  if CALENDAR_SIGILS[text] then return wrong_sigil(text, arguments, line) end
  if kind(arguments) ~= "list" then -- a variable, or what a pipe makes a call of
    return name == A.alias and found("alias", "what it stands for is computed", line) or nil
  end
  if (text == "sigil_w" or text == "sigil_W") then
    local wrong = wrong_words(arguments, line)
    if wrong then return wrong end
  end
  if name == A.alias then return wrong_alias(seen, arguments, line) end
  if name == A["%"] then return wrong_struct(seen, arguments, line) end
  if name == A["."] then return wrong_receiver(seen, arguments, line) end
end

-- Every use of a variable counts, for each new value of it is one of its own once expanded.
local function too_many_names(seen, v, line)
  local name = v[1] == A.__aliases__ and (alias_name(v) or "…")
  if not name and kind(v[3]) == "list" or name and seen.aliases[name] then return end
  if name then seen.aliases[name] = true end
  seen.count = seen.count + 1
  if seen.count > MOST_NAMES then
    return found("this text", ("it uses more than %d names, and each may stay on the node as an atom"):format(
      MOST_NAMES), line)
  end
end

local walk

local function walk_all(seen, list, depth)
  for i = 1, #list do
    local wrong = walk(seen, list[i], depth)
    if wrong then return wrong end
  end
  return list.tail ~= nil and walk(seen, list.tail, depth) or nil
end

local function walk_node(seen, v, depth)
  local name, line, arguments = v[1], line_of(v[2]), v[3]
  local wrong = too_many_names(seen, v, line)
  if not wrong and is_atom(name) then
    wrong = wrong_name(seen, name, line) or wrong_form(seen, name, arguments, line)
  elseif not wrong then
    wrong = walk(seen, name, depth)
  end
  return wrong or type(arguments) == "table" and walk_all(seen, arguments, depth) or nil
end

function walk(seen, v, depth)
  if depth > MOST_DEPTH then return found("this text", "it is nested too deeply") end
  if is_node(v) then return walk_node(seen, v, depth + 1) end
  if type(v) ~= "table" then return end
  if kind(v) == "tuple" and #v ~= 2 or kind(v) == "map" then
    return found("this text", "it holds what no parser makes")
  end
  return walk_all(seen, v, depth + 1)
end

--- Whether quoted Elixir may be expanded.
---@param quoted any          as Code.string_to_quoted made it, decoded by host.etf
---@param macros? string[]    the names of all macros that are in reach on that node
---@return true?
---@return Screened? turned_away
function elixir.screen(quoted, macros)
  local seen = { macros = {}, aliases = {}, count = 0 }
  for _, name in ipairs(macros or {}) do seen.macros[name] = true end
  local wrong = walk(seen, quoted, 1)
  if not wrong and seen.aliased and seen.struct then
    wrong = found(("%%%s{}"):format(seen.struct.name), "beside an alias it may be another module's", seen.struct.line)
  end
  if wrong then return nil, wrong end
  return true
end

return elixir
