--- What to do about an error in a chunk, as data: the slips that models make most often. A hint is found by the message
--- and, where one is given, by the line of the code that it names; the first that fits is told.
---
---@class ChunkHint
---@field [1] string   a pattern of the message
---@field [2] string|false   a pattern of the line; false for any
---@field [3] string|fun(found: HintFound): string?   the hint; nil from a function: look on
---
---@class HintFound
---@field what string     the first capture of the message
---@field value string    the second
---@field line string     of the code
---@field names string[]  the callbacks
---@field near fun(name: string, names: string[]): string  what is told of a name that there is not

local globals = require "sandbox.globals"

local hints = {}

local RESERVED = {}
for word in ([[and break do else elseif end false for function if in local nil not or repeat return
  then true until while]]):gmatch "%a+" do RESERVED[word] = true end

-- `{ function = 1 }` or `x.end`: a reserved word where only a name may stand.
local function reserved_as_name(found)
  for word in found.line:gmatch "%.%s*(%a+)" do
    if RESERVED[word] then
      return ('`%s` is a reserved word: write `x["%s"]` instead of `x.%s`'):format(word, word, word)
    end
  end
  for word in ("," .. found.line):gmatch "[{,]%s*(%a+)%s*=%f[^=]" do -- a key may begin its line
    if RESERVED[word] then return ('`%s` is a reserved word: write `["%s"] = …` as a key'):format(word, word) end
  end
end

local ANY = ""
local LOCAL = "Lua writes `local x = 1`"
local FUNCTION = "Lua's functions are `function(x) return … end`"
local BITS = "Lua's bits are functions: bit.band, bit.bor, bit.bxor, bit.lshift, bit.rshift"

---@type ChunkHint[]  of what cannot be read
hints.SYNTAX = {
  { ANY, false, reserved_as_name },
  { ANY, "!=", "Lua writes `~=` for not equal" },
  { ANY, "[%w_%]%)]%s*[+*/-]=", "Lua has no `+=`: write `x = x + 1`" },
  { ANY, "%+%+", "Lua has no `++`: write `x = x + 1`" },
  { ANY, "&&", "Lua writes `and`" },
  { ANY, "||", "Lua writes `or`" },
  { ANY, "=>", FUNCTION },
  { ANY, "%f[%a]else%s+if%f[%A]", "Lua writes `elseif`; `else if` needs an `end` more" },
  { ANY, "%f[%a]els?if%f[%A]", "Lua writes `elseif … then`" },
  { "continue", "%f[%a]continue%f[%A]", "Lua has no `continue`: use `goto` or turn the condition round" },
  { "near '='", ":=", "Lua assigns with `=`" },
  { ANY, "^%s*let%f[%A]", LOCAL },
  { ANY, "^%s*const%f[%A]", LOCAL },
  { ANY, "^%s*var%f[%A]", LOCAL },
  { ANY, "^%s*def%f[%A]", FUNCTION },
  { ANY, "^%s*fn%f[%A]", FUNCTION },
  { ANY, "^%s*func%f[%A]", FUNCTION },
  { "near '<'", "<%s*%a+%s*>", "locals have no attributes here: leave it out" },
  { "near '/'", "/[/*]", "Lua's comments begin with `--`; a division without its rest is math.floor(a / b)" },
  { "near '&'", false, BITS },
  { "near '|'", false, BITS },
  { "near '~'", false, BITS },
  { "near '<'", "<<", BITS },
  { "near '>'", ">>", BITS },
  { "near '!'", false, "Lua writes `not x`" },
  { "near '%?'", false, "Lua has no `? :`: write `condition and a or b`" },
  { "near '`'", false, "Lua joins texts with `..`: \"a\" .. x" },
  { "near '%['", false, "Lua's lists are written { 1, 2 }" },
  { "malformed number near '%d+%.%.", false, "a range is `for i = 1, 3 do`; between numbers `..` wants spaces" },
  { "'then' expected", false, "Lua writes `if x then … end`" },
  { "'do' expected", false, "Lua writes `for … do … end` and `while x do … end`" },
  { ANY, "[{,]%s*[%w_\"']+%s*:", "Lua's keys are written { a = 1 }, or { [\"a b\"] = 1 }" },
  { "unfinished string", false, "close the quote on its line, or write the text as [[…]]" },
  { "'end' expected .*near '<eof>'", false, "an `end` is missing" },
  { "'<eof>' expected near 'end'", false, "there is an `end` too many" },
  { "near", "%f[%a]await%f[%A]", "callbacks answer at once: leave `await` out" },
  { "'<eof>' expected", false, "`return` must be the last statement of its block" },
}

local MISSING = "there is no `%s` in a chunk: it has string, table, math, bit, coroutine, os.time, os.clock, print "
  .. "and the callbacks"
local NOT_HERE = {}
for word in ([[io package require module dofile loadfile load loadstring debug jit ffi collectgarbage getfenv
  setfenv newproxy _G json cjson utf8]]):gmatch "%S+" do NOT_HERE[word] = true end

local INSTEAD = {
  try = "Lua catches errors with pcall: local ok, err = pcall(f)",
  len = "Lua writes #x for the length",
  ["table.unpack"] = "it is called unpack",
  ["table.getn"] = "Lua writes #t for the length",
  ["table.pack"] = "write { … }",
  ["math.mod"] = "write a % b",
}

-- What a library of ours has, for one who calls what it has not.
local function of_library(found)
  local library = found.line:match("([%w_]+)%s*%.%s*" .. found.what)
  local full = ("%s.%s"):format(tostring(library), found.what)
  if INSTEAD[full] then return INSTEAD[full] end
  if library == "os" then return "os has time and clock here, and nothing else" end
  local names = globals.libraries[library]
  return names and ("%s has %s"):format(library, table.concat(names, ", "))
end

local TABLE_FUNCTIONS = { sort = true, insert = true, remove = true, concat = true, maxn = true }

local function of_method(found)
  if TABLE_FUNCTIONS[found.what] then
    return ("tables have no methods: write table.%s(t, …)"):format(found.what)
  elseif found.what == "unpack" then
    return "tables have no methods: write unpack(t)"
  end
  return ("there is no such function in it: what callbacks answer is data, and texts have %s")
    :format(table.concat(globals.libraries.string, ", "))
end

local function is_callback(found)
  for _, name in ipairs(found.names) do if name == found.what then return true end end
end

local function call_it(found)
  return is_callback(found) and ("%s is a callback: call it, `%s(…)`"):format(found.what, found.what) or nil
end

local IS_NIL = "`%s` is nil: return the table around it to see which keys it has"

local IN_PATTERN = "in a pattern ( ) . % + - * ? [ ^ $ stand for themselves after %; "
  .. "find(s, text, 1, true) takes any text"

local function is_nil(found) return IS_NIL:format(found.what) end

---@type ChunkHint[]  of what went wrong while it ran
hints.RUNTIME = {
  { "attempt to load chunk with wrong mode", false, "send Lua as text, and no bytecode" },
  { "attempt to %a+ global '([^']+)' %(a nil value%)", false, function(found)
    return NOT_HERE[found.what] and MISSING:format(found.what) or INSTEAD[found.what] or nil
  end },
  { "attempt to call global '([^']+)' %(a nil value%)", false, function(found)
    return found.near(found.what, found.names)
  end },
  { "attempt to index global '([^']+)' %(a function value%)", false, call_it },
  { "attempt to %a+.- global '([^']+)' %(a nil value%)", false,
    "there is no variable of that name: set it before, or quote it where it is a text" },
  { "attempt to call method '([^']+)'", false, of_method },
  { "attempt to call field '([^']+)'", false, of_library },
  { "attempt to call field", false, "there is no such function in that table" },
  { "attempt to call a table value", "%f[%a]in%s", "to walk a table write `for k, v in pairs(t) do`" },
  { "attempt to call a nil value", "%f[%a]in%s", "to walk a table write `for k, v in pairs(t) do`" },
  { "attempt to index %a+ '([%w_]+)' %(a nil value%)", false, is_nil },
  { "attempt to index .*a nil value", "%[%s*0%s*%]", "Lua counts from 1: the first is t[1]" },
  { "attempt to index .*a nil value", "%[%s*#?[%w_.]+%s*%]",
    "that item is not there: the list is empty or shorter, or it is a table with names, which # does not count; "
    .. "return it to see" },
  { "attempt to index a nil value", false, "that value is nil: return the table around it to see which keys it has" },
  { "attempt to index %a+ '([%w_]+)' %(a (%a+) value%)", false, function(found)
    return ("`%s` is a %s, no table: use it as it is"):format(found.what, found.value)
  end },
  { "attempt to %a+.- %a+ '([%w_]+)' %(a nil value%)", false, is_nil },
  { "attempt to perform arithmetic on .*string value", false, "make a number of it: tonumber(x)" },
  { "attempt to concatenate .*table value", false, "a table is no text: return it, or join its fields" },
  { "attempt to concatenate", false, "make a text of it: tostring(x)" },
  { "attempt to compare .*table", false, "compare fields of tables: a.memory < b.memory" },
  { "attempt to compare", false, "make both numbers, tonumber(x), or both texts, tostring(x)" },
  { "bad argument #1 to 'i?pairs' %(table expected, got nil%)", false,
    "what is walked is nil: return the table around it to see which keys it has" },
  { "bad argument #1 to 'i?pairs' %(table expected, got no value%)", false, "walk a table: pairs(t)" },
  { "bad argument #2 to 'sort' %(function expected", false,
    "sort wants a function: table.sort(t, function(a, b) return a.memory > b.memory end)" },
  { "invalid order function for sorting", false, "the function must say true only where a stands before b" },
  { "invalid value %(table%) at index", false, "table.concat joins texts and numbers: take a field of each table" },
  { "invalid value %(nil%) at index", false, "the list has a hole, or is shorter" },
  { "^the result cannot be returned: it is too large", false, "return fewer rows, or only the fields that you need" },
  { "^the result cannot be returned: .*itself", false, "return the fields that you need" },
  { "^the result cannot be returned: .*deeply", false, "return the inner part alone" },
  { "cannot be sent: it is too large", false, "send what tells the object apart, not the object" },
  { "stack overflow", false, "a function calls itself without an end" },
  { "not enough memory", false, "that text would be longer than any may be" },
  { "pattern too complex", false, "find a plain text, find(s, text, 1, true), or a simpler pattern" },
  { "malformed pattern", false, IN_PATTERN },
  { "unfinished capture", false, IN_PATTERN },
  { "invalid pattern capture", false, IN_PATTERN },
}

---@param list ChunkHint[]
---@param message string
---@param found { line: string, names: string[], near: function }
---@return string? hint
function hints.find(list, message, found)
  for _, hint in ipairs(list) do
    local from, _, what, value = message:find(hint[1])
    if from and (not hint[2] or found.line:find(hint[2])) then
      found.what, found.value = what, value
      local text = type(hint[3]) == "function" and hint[3](found) or type(hint[3]) == "string" and hint[3]
      if text then return text end
    end
  end
end

return hints
