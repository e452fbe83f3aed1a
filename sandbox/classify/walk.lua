--- Walks every node of Erlang's abstract forms. A shape that stands in neither of the two tables
--- below, for expressions and for patterns, is not known and so dangerous.
---
--- The walk is done twice: once to learn which expressions each variable is matched with
--- (sandbox/classify/values.lua says what that is for), then to judge.

local etf = require "host.etf"
local calls = require "sandbox.classify.calls"
local values = require "sandbox.classify.values"

local walk = {}

local DEEPEST = 400 -- forms inside forms; more than anybody writes by hand

local kind, shape, is_list = values.kind, values.shape, values.is_list

---@class Walk
---@field bindings Bindings
---@field reasons Reason[]
---@field depth integer
---@field line integer
---@field options table
---@field learning boolean  the first of the two walks
local Walk = {}
Walk.__index = Walk

local EXPRESSIONS, PATTERNS = {}, {}

-- A line, {line, column}, or Elixir's list of properties.
local function line_of(node)
  local where = node[2]
  if kind(where) == "tuple" then where = where[1] end
  if kind(where) == "list" then
    for _, each in ipairs(where) do
      if kind(each) == "tuple" and each[1] == etf.A.location then
        where = each[2]
        if kind(where) == "tuple" then where = where[1] end
        break
      end
    end
  end
  return type(where) == "number" and where or nil
end

--- Writes down why something is not, or is, safe.
function Walk:note(reason)
  reason.line = reason.line or self.line
  self.reasons[#self.reasons + 1] = reason
end

function Walk:danger(what, why, effect)
  self:note { class = "DANGEROUS", effect = effect or "changes", what = what, why = why }
end

local function odd(w, node)
  local name = shape(node)
  w:danger(name and ("the form `%s`"):format(name) or "a form of no known shape",
    "it is not among the forms that are known, so nobody can say what it does")
end

local function visit(w, node, shapes)
  local name = shape(node)
  local visitor = name and shapes[name]
  if not visitor then return odd(w, node) end
  if w.depth >= DEEPEST then
    return w:danger("nesting", ("it is nested more than %d deep, so it was not read to its end"):format(DEEPEST))
  end
  local line = w.line
  w.line, w.depth = line_of(node) or line, w.depth + 1
  visitor(w, node)
  w.line, w.depth = line, w.depth - 1
end

function Walk:expression(node) visit(self, node, EXPRESSIONS) end

function Walk:pattern(node) visit(self, node, PATTERNS) end

local function each(w, list, method)
  if not is_list(list) then return odd(w, list) end
  for _, node in ipairs(list) do w[method](w, node) end
end

function Walk:expressions(list) each(self, list, "expression") end

function Walk:patterns(list) each(self, list, "pattern") end

-- Bound to an expression, or (without one) by a pattern, which may be anything.
local function bind(w, name, expression)
  if not w.learning then return end
  local bound = w.bindings[name]
  if bound == false then return end
  if not expression then
    w.bindings[name] = false
  else
    bound = bound or {}
    bound[#bound + 1] = expression
    w.bindings[name] = bound
  end
end

local function nothing() end

-- Clauses --------------------------------------------------------------------

local function clause(w, node)
  if shape(node) ~= "clause" or not is_list(node[4]) then return odd(w, node) end
  w:patterns(node[3])
  for _, guard in ipairs(node[4]) do w:expressions(guard) end
  w:expressions(node[5])
end

local function clauses(w, list)
  if not is_list(list) then return odd(w, list) end
  for _, node in ipairs(list) do clause(w, node) end
end

-- What reads the same in patterns and expressions ------------------------------

-- A long list is as many forms inside each other; only its elements count as nesting.
local function cons(method)
  return function(w, node)
    while shape(node) == "cons" do
      w[method](w, node[3])
      node = node[4]
    end
    if shape(node) ~= "nil" then w[method](w, node) end
  end
end

local function tuple(method)
  return function(w, node) w[method .. "s"](w, node[3]) end
end

for _, name in ipairs { "integer", "float", "char", "string", "nil" } do
  EXPRESSIONS[name], PATTERNS[name] = nothing, nothing
end
EXPRESSIONS.cons, PATTERNS.cons = cons "expression", cons "pattern"
EXPRESSIONS.tuple, PATTERNS.tuple = tuple "expression", tuple "pattern"

-- Patterns -------------------------------------------------------------------

PATTERNS.atom = nothing

function PATTERNS.var(w, node)
  local name = values.variable(node)
  if not name then return odd(w, node) end
  if name ~= "_" then bind(w, name) end
end

function PATTERNS.match(w, node)
  w:pattern(node[3])
  w:pattern(node[4])
end

function PATTERNS.map(w, node)
  if not is_list(node[3]) or #node > 3 then return odd(w, node) end
  for _, field in ipairs(node[3]) do
    if shape(field) ~= "map_field_exact" then return odd(w, field) end
    if shape(field[3]) ~= "atom" then w:expression(field[3]) end
    w:pattern(field[4])
  end
end

function PATTERNS.bin(w, node)
  if not is_list(node[3]) then return odd(w, node) end
  for _, element in ipairs(node[3]) do
    if shape(element) ~= "bin_element" then return odd(w, element) end
    w:pattern(element[3])
    if element[4] ~= etf.A.default then
      w:expression(element[4])
      calls.size_of_element(w, element) -- a number of that size is made of what is matched
    end
  end
end

local IN_PATTERNS = { ["+"] = true, ["-"] = true, ["*"] = true, ["++"] = true, ["bsl"] = true, ["bor"] = true }

function PATTERNS.op(w, node)
  if not IN_PATTERNS[tostring(node[3])] then return odd(w, node) end
  for i = 4, #node do w:pattern(node[i]) end
  calls.operator(w, node)
end

-- Expressions ----------------------------------------------------------------

function EXPRESSIONS.var(w, node)
  if not values.variable(node) then return odd(w, node) end
end

function EXPRESSIONS.atom(w, node) calls.atom(w, node) end

function EXPRESSIONS.block(w, node) w:expressions(node[3]) end

EXPRESSIONS["catch"] = function(w, node) w:expression(node[3]) end

EXPRESSIONS["if"] = function(w, node) clauses(w, node[3]) end

EXPRESSIONS["case"] = function(w, node)
  w:expression(node[3])
  clauses(w, node[4])
end

EXPRESSIONS["try"] = function(w, node)
  w:expressions(node[3])
  clauses(w, node[4])
  clauses(w, node[5])
  w:expressions(node[6])
end

EXPRESSIONS["receive"] = function(w, node)
  clauses(w, node[3])
  if #node == 3 then
    return w:danger("receive", "without an `after` it waits until it is killed", "leased")
  end
  w:note { class = "CAUTION", effect = "leased", what = "receive",
    why = "takes messages from the mailbox of the process that evaluates", cost = "waits as long as `after` says" }
  w:expression(node[4])
  w:expressions(node[5])
end

EXPRESSIONS["maybe"] = function(w, node)
  w:expressions(node[3])
  if #node == 3 then return end
  if shape(node[4]) ~= "else" then return odd(w, node[4]) end
  clauses(w, node[4][3])
end

local function match(w, node)
  local name = values.variable(node[3])
  if name and name ~= "_" then bind(w, name, node[4]) else w:pattern(node[3]) end
  w:expression(node[4])
end

EXPRESSIONS.match, EXPRESSIONS.maybe_match = match, match

function EXPRESSIONS.map(w, node)
  local fields = node[#node]
  if not is_list(fields) or #node > 4 then return odd(w, node) end
  if #node == 4 then w:expression(node[3]) end
  for _, field in ipairs(fields) do
    local name = shape(field)
    if name ~= "map_field_assoc" and name ~= "map_field_exact" then return odd(w, field) end
    if not calls.is_struct_tag(field) then w:expression(field[3]) end
    w:expression(field[4])
  end
end

function EXPRESSIONS.bin(w, node)
  if not is_list(node[3]) then return odd(w, node) end
  for _, element in ipairs(node[3]) do
    if shape(element) ~= "bin_element" then return odd(w, element) end
    w:expression(element[3])
    if element[4] ~= etf.A.default then
      w:expression(element[4])
      calls.size_of_element(w, element)
    end
  end
end

function EXPRESSIONS.op(w, node)
  for i = 4, #node do w:expression(node[i]) end
  calls.operator(w, node)
end

function EXPRESSIONS.call(w, node) calls.call(w, node) end

-- Comprehensions -------------------------------------------------------------

local GENERATORS = {
  generate = true, generate_strict = true, b_generate = true, b_generate_strict = true, m_generate = true,
  m_generate_strict = true,
}

local function generator(w, node)
  local name = shape(node)
  if name == "zip" then
    if not is_list(node[3]) then return odd(w, node) end
    for _, inner in ipairs(node[3]) do generator(w, inner) end
  elseif GENERATORS[name] then
    w:expression(node[4])
    local pattern = node[3]
    if shape(pattern) == "map_field_exact" then -- K := V
      w:pattern(pattern[3])
      w:pattern(pattern[4])
    else
      w:pattern(pattern)
    end
  else
    w:expression(node) -- a filter
  end
end

local function comprehension(w, node)
  if not is_list(node[4]) then return odd(w, node) end
  for _, qualifier in ipairs(node[4]) do generator(w, qualifier) end
  local template = node[3]
  if shape(template) == "map_field_assoc" then
    w:expression(template[3])
    w:expression(template[4])
  else
    w:expression(template)
  end
end

EXPRESSIONS.lc, EXPRESSIONS.bc, EXPRESSIONS.mc = comprehension, comprehension, comprehension

-- Funs -----------------------------------------------------------------------

EXPRESSIONS["fun"] = function(w, node)
  local what = shape(node[3])
  if what == "clauses" then return clauses(w, node[3][2]) end
  if what == "function" then return calls.fun_value(w, node[3]) end
  odd(w, node)
end

function EXPRESSIONS.named_fun(w, node)
  if kind(node[3]) ~= "atom" then return odd(w, node) end
  bind(w, tostring(node[3]), node)
  clauses(w, node[4])
end

-- The two walks --------------------------------------------------------------

local function new(bindings, options, learning)
  return setmetatable({
    bindings = bindings, options = options, learning = learning, reasons = {}, depth = 0, line = 1,
  }, Walk)
end

---@param forms table
---@return Bindings
function walk.bindings(forms)
  local w = new({}, {}, true)
  w:expressions(forms)
  return w.bindings
end

---@param forms table
---@param bindings Bindings
---@param options table   of classify.expressions
---@return Reason[]
function walk.reasons(forms, bindings, options)
  local w = new(bindings, options, false)
  if is_list(forms) and #forms == 0 then w:danger("nothing", "there is no expression to judge") end
  w:expressions(forms)
  return w.reasons
end

return walk
