--- What can be told of the value of an expression without running it. Expressions are Erlang
--- abstract forms as host.etf decodes them, and come from a node: any of them may be something else.
---
--- A variable counts as known only if every place of the whole text that binds its name is a match
--- `Name = Expression`. Scopes are not looked at: a name that is also the parameter of some fun or
--- stands in any pattern is unknown everywhere, so nothing can be shadowed.

local etf = require "host.etf"

local values = {}

local DEEPEST = 16 -- variables that stand for variables
local LONGEST = 1000 -- elements of a list; one that holds itself has no end
local MOST_STEPS = 1000 -- of following variables in all directions: there may be as many ways as 2^16

-- What is not there has no kind; host.etf takes Lua's nil for the atom nil.
local function kind(v)
  if v == nil then return "nothing" end
  return etf.kind(v)
end

values.kind = kind

local LETTER = etf.tuple(etf.A.char, 1, 0) -- stands for each letter of a string

---@class Bindings  name of a variable -> the expressions it is matched with; false: bound by a pattern

--- The name of a form's shape: "atom", "call", "fun".
---@return string|nil
function values.shape(node)
  if kind(node) ~= "tuple" or kind(node[1]) ~= "atom" then return nil end
  return tostring(node[1])
end

local shape = values.shape

--- A proper list of forms; what host.etf decodes otherwise (letters, an improper tail) is none.
function values.is_list(v) return kind(v) == "list" and v.tail == nil end

--- The name of a variable's form.
function values.variable(node)
  if shape(node) == "var" and kind(node[3]) == "atom" then return tostring(node[3]) end
end

--- Follows variables, matches and blocks to the expression that makes the value.
---@param bindings Bindings
function values.resolve(bindings, node)
  for _ = 1, DEEPEST do
    local what = shape(node)
    if what == "var" then
      local bound = bindings[tostring(node[3])]
      if not bound or #bound ~= 1 then return node end
      node = bound[1]
    elseif what == "match" then
      node = node[4]
    elseif what == "block" and values.is_list(node[3]) and #node[3] > 0 then
      node = node[3][#node[3]]
    else
      return node
    end
  end
  return node
end

local resolve = values.resolve

--- The name of an atom that is written there.
---@return string|nil
function values.atom(bindings, node)
  node = resolve(bindings, node)
  if shape(node) ~= "atom" then return nil end
  local is = kind(node[3])
  if is == "atom" or is == "boolean" then return tostring(node[3]) end
end

local FOLD = {
  ["+"] = function(a, b) return a + b end,
  ["-"] = function(a, b) return a - b end,
  ["*"] = function(a, b) return a * b end,
  ["bsl"] = function(a, b) return a * 2 ^ b end,
  ["bsr"] = function(a, b) return a * 2 ^ -b end,
  ["div"] = function(a, b) return a / b end,
}

local number

--- The number that is written there, worked out if it is a sum; as exact as a float.
---@return number|nil
function values.number(bindings, node, steps)
  steps = steps or { left = MOST_STEPS, depth = 0 }
  if steps.left == 0 or steps.depth == DEEPEST then return nil end
  steps.left, steps.depth = steps.left - 1, steps.depth + 1
  local n = number(bindings, node, steps)
  steps.depth = steps.depth - 1
  return n
end

function number(bindings, node, steps)
  node = resolve(bindings, node)
  local what = shape(node)
  if what == "integer" or what == "char" or what == "float" then return tonumber(tostring(node[3])) end
  if what ~= "op" then return nil end
  local a = values.number(bindings, node[4], steps)
  if not a then return nil end
  if #node == 4 then return tostring(node[3]) == "-" and -a or nil end
  local b, fold = values.number(bindings, node[5], steps), FOLD[tostring(node[3])]
  return b and fold and fold(a, b) or nil
end

--- The elements of a list that is written there in full.
---@return table[]|nil
function values.elements(bindings, node)
  local items = {}
  while #items < LONGEST do
    node = resolve(bindings, node)
    local what = shape(node)
    if what == "nil" then return items end
    if what == "string" then
      local letters = kind(node[3]) == "list" and #node[3] or #tostring(node[3])
      for _ = 1, letters do items[#items + 1] = LETTER end
      return items
    end
    if what ~= "cons" then return nil end
    items[#items + 1] = node[3]
    node = node[4]
  end
end

local FUN = { ["fun"] = true, named_fun = true }

local branches

-- A fun that the walk has seen, wherever it was written: its body was judged there.
local function known_fun(bindings, node, seen, depth)
  seen.steps = seen.steps + 1
  if depth > DEEPEST or seen.steps > MOST_STEPS then return false end
  local what = shape(node)
  if FUN[what] then return true end
  if what == "match" then return known_fun(bindings, node[4], seen, depth + 1) end
  if what == "var" then
    local name = tostring(node[3])
    local bound = bindings[name]
    if not bound or #bound == 0 or seen.names[name] then return false end
    seen.names[name] = true
    for _, each in ipairs(bound) do if not known_fun(bindings, each, seen, depth + 1) then return false end end
    seen.names[name] = nil
    return true
  end
  local ends = branches(node, what)
  if not ends then return false end
  for _, each in ipairs(ends) do if not known_fun(bindings, each, seen, depth + 1) then return false end end
  return #ends > 0
end

local function last_of(body, into)
  if not values.is_list(body) or #body == 0 then return nil end
  into[#into + 1] = body[#body]
  return into
end

-- The expressions that can be the value of a block, a case or an if; nil for anything else.
function branches(node, what)
  if what == "block" then return last_of(node[3], {}) end
  local clauses = what == "case" and node[4] or what == "if" and node[3]
  if not clauses or not values.is_list(clauses) then return nil end
  local ends = {}
  for _, clause in ipairs(clauses) do
    if shape(clause) ~= "clause" or not last_of(clause[5], ends) then return nil end
  end
  return ends
end

--- Whether the value is a fun that is written in this very text, whatever way it took.
function values.is_known_fun(bindings, node) return known_fun(bindings, node, { names = {}, steps = 0 }, 0) end

local PLAIN = {
  atom = true, integer = true, float = true, char = true, string = true, ["nil"] = true, bin = true,
}

--- Whether the value is no fun that is not known: plain data that is written there, or a known fun.
function values.is_harmless(bindings, node)
  return PLAIN[shape(resolve(bindings, node))] or values.is_known_fun(bindings, node)
end

return values
