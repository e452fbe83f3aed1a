--- Which expressions of a text are still ours. A user's copy of a skill differs from ours in a line or two; what
--- people read in the rest of it holds as long as nothing that it rests on was touched.
---
--- An expression of a text is named by a hash of its form, without its lines, and of the names of those that
--- bound the variables it mentions: so one whose helper was changed, or whose variable was bound before
--- by somebody else, is another expression. It is ours if one of our skills' texts has an expression of that name.

local crypto = require "host.crypto"
local shared_funs = require "sandbox.shared_funs"
local parsed = require "runtime.node.parsed"
local query = require "runtime.node.query"
local sorted_keys = require "runtime.sorted_keys"
local values = require "sandbox.classify.values"

local intact = {}

jit.off(true, true) -- a loop that the compiler got wrong would judge wrongly; speed is no matter here

local kind, shape = values.kind, values.shape

-- The only tuples of a form whose second element is no line.
local NO_LINE = { clauses = true, ["function"] = true, unit = true }

-- Writes a form down so that no two forms read alike, its variables into `names` and its atoms into `words`.
local function write(node, out, names, words)
  local is = kind(node)
  if is == "tuple" then
    local name = shape(node)
    local variable = (name == "var" or name == "named_fun") and tostring(node[3])
    if variable and variable ~= "_" then names[variable] = true end
    out[#out + 1] = ("(%d "):format(#node)
    for i = 1, #node do
      local line = i == 2 and name and not NO_LINE[name] and type(node[2]) == "number"
      if line then out[#out + 1] = "_" else write(node[i], out, names, words) end
    end
  elseif is == "list" then
    out[#out + 1] = ("[%d "):format(#node)
    for _, each in ipairs(node) do write(each, out, names, words) end
    if node.tail ~= nil then write(node.tail, out, names, words) end
  else
    local text = tostring(node)
    if is == "atom" then words[text] = true end
    out[#out + 1] = ("%s%d:%s"):format(is, #text, text)
  end
end

local INNER = { ["fun"] = true, named_fun = true, lc = true, bc = true, mc = true }

local function mentioned(node, into)
  write(node, {}, into, {})
end

-- The variables that an expression may leave bound behind it.
local function bound(node, into)
  local is = kind(node)
  if is ~= "tuple" and is ~= "list" then return end
  local name = is == "tuple" and shape(node)
  if INNER[name] then return end
  if name == "match" or name == "maybe_match" or name == "clause" then mentioned(node[3], into) end
  for i = 1, #node do bound(node[i], into) end
end

--- The name of the variable that an expression binds to a fun.
---@return string|nil
function intact.fun_name(node)
  if shape(node) ~= "match" or not values.variable(node[3]) then return nil end
  local what = shape(node[4])
  return (what == "fun" or what == "named_fun") and values.variable(node[3]) or nil
end

local NONE = {}

-- Whether what an expression mentions may be another fun than ours without making it another expression.
local function may_change(variable, is_fun, fun_name, words)
  for word, lets in pairs(shared_funs.beside) do if words[word] and lets[variable] then return true end end
  local lets = (shared_funs.roles[fun_name or ""] or NONE).lets or NONE
  return is_fun and (shared_funs.shown[variable] or lets[variable]) or false
end

--- The name of each expression of a text.
---@param forms any[]
---@return string[]
function intact.names(forms)
  local names, binder, a_fun = {}, {}, {}
  for i, node in ipairs(forms) do
    local out, mentions, words, binds = {}, {}, {}, {}
    write(node, out, mentions, words)
    for _, variable in ipairs(sorted_keys(mentions)) do
      if not may_change(variable, a_fun[variable], intact.fun_name(node), words) then
        out[#out + 1] = ("%s=%s;"):format(variable, binder[variable] or "")
      end
    end
    names[i] = crypto.sha256(table.concat(out))
    bound(node, binds)
    for variable in pairs(binds) do
      a_fun[variable] = binder[variable] == nil and intact.fun_name(node) == variable
      binder[variable] = names[i]
    end
  end
  return names
end

local DEEPEST = 1000 -- forms inside forms; a list is one in the other, too

--- Whether a text is nested too deep to be read here.
function intact.too_deep(node, depth)
  local is = kind(node)
  if is ~= "tuple" and is ~= "list" then return false end
  depth = (depth or 0) + 1
  if depth > DEEPEST then return true end
  for i = 1, #node do if intact.too_deep(node[i], depth) then return true end end
  return false
end

local ours

--- Whether an expression of this name stands in a text of one of our skills.
---@param name string
---@return boolean
function intact.has(name)
  if not ours then
    ours = {}
    for _, form in ipairs(parsed.of_skills()) do
      for _, each in ipairs(intact.names(query.unwrapped(form))) do ours[each] = true end
    end
  end
  return ours[name] or false
end

return intact
