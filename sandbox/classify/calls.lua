--- Judges what calls something: a call with its arguments, a fun taken as a value, an operator. Module and
--- function have to be written there; whoever computes them may call anything.

local etf = require "host.etf"
local arguments = require "sandbox.classify.arguments"
local bifs = require "sandbox.functions.imported"
local functions = require "sandbox.functions"
local guards = require "sandbox.guards"
local values = require "sandbox.classify.values"

local calls = {}

local kind, shape = values.kind, values.shape

local NONE = { roles = {} }
local SEVERITY = { SAFE = 1, CAUTION = 2, DANGEROUS = 3 }
-- Atoms -----------------------------------------------------------------------

local STRUCTS = {}
for name in ([[Date Date.Range DateTime MapSet NaiveDateTime Range Time URI Version]]):gmatch "%S+" do
  STRUCTS["Elixir." .. name] = true
end

--- Whether a field of a map makes it one of the structs that only hold data. Any other struct leads
--- the protocols of Elixir to its own code: a made-up File.Stream opens the file that it names.
function calls.is_struct_tag(field)
  return shape(field[3]) == "atom" and field[3][3] == etf.A["__struct__"]
    and shape(field[4]) == "atom" and STRUCTS[tostring(field[4][3])] or false
end

function calls.atom(w, node)
  local is = kind(node[3])
  if is ~= "atom" and is ~= "boolean" then
    w:danger("an atom", "the form holds none")
  elseif node[3] == etf.A["__struct__"] then
    w:danger("__struct__", "a map that says it is a struct makes Elixir run that struct's code")
  elseif arguments.is_tag(tostring(node[3])) and tostring(node[3]) ~= "Stream" then
    w:danger(tostring(node[3]),
      "a struct that is made with it opens files, sends messages or ends the node when it is used")
  end
end

-- Sizes -----------------------------------------------------------------------

local MOST_SHIFTED, MOST_BITS = 65536, 8192

local function too_large(w, what, size, most)
  w:danger(what, size and ("%.0f bits: more than %d at once can stop the whole node"):format(size, most)
    or "how many bits that is can only be told when it is too late")
end

local BINARY = { binary = true, bytes = true, bitstring = true, bits = true }

-- A part of a binary takes no more than the binary had; an integer of a size is made.
function calls.size_of_element(w, element)
  local unit, specified = 1, element[5]
  for _, each in ipairs(kind(specified) == "list" and specified or NONE.roles) do
    if BINARY[tostring(each)] then return end
    if kind(each) == "tuple" then unit = tonumber(tostring(each[2])) or math.huge end
  end
  local size = values.number(w.bindings, element[4])
  if not size or size * unit > MOST_BITS then too_large(w, "<<…:Size>>", size and size * unit, MOST_BITS) end
end

local OPERATORS = {}
for name in ([[+ - * / div rem band bor bxor bnot bsl bsr ++ -- == /= =< < >= > =:= =/= and or xor not
  andalso orelse]]):gmatch "%S+" do
  OPERATORS[name] = true
end

function calls.operator(w, node)
  local name = tostring(node[3])
  if name == "!" then
    return w:danger("!", "a message may make a process do anything")
  end
  if not OPERATORS[name] then return w:danger(("the operator `%s`"):format(name), "it is not known") end
  if name ~= "bsl" and name ~= "bsr" then return end
  local shift = values.number(w.bindings, node[5])
  if not shift or math.abs(shift) > MOST_SHIFTED then too_large(w, name, shift and math.abs(shift), MOST_SHIFTED) end
end

-- Functions -------------------------------------------------------------------

local LONGEST_NAME = 60

-- As it is written in a text: a name may hold a new line, or letters that look like others.
local function written(name)
  if name:find "^%l[%w_@]*[?!]?$" or name:find "^[%+%-%*/<>=!|&%.~^@]+$" or name:find "^%u[%w_%.]*$" then
    return #name <= LONGEST_NAME and name or name:sub(1, LONGEST_NAME) .. "…"
  end
  local shown = name:sub(1, LONGEST_NAME):gsub("[\\']", "\\%0"):gsub("[^\32-\126]", function(byte)
    return byte == "\n" and "\\n" or ("\\x%02x"):format(byte:byte())
  end)
  return ("'%s'%s"):format(shown, #name > LONGEST_NAME and "…" or "")
end

local function title(module, name, arity)
  local elixirs = module:match "^Elixir%.(%u[%w_%.]*)$"
  return ("%s%s%s/%d"):format(elixirs or written(module), elixirs and "." or ":", written(name), arity)
end

local function worse(a, b)
  return SEVERITY[b.class] > SEVERITY[a.class] and b or a
end

-- The class of calling a known function: its own, lowered or raised by what its arguments are. Arguments
-- are nil where the function is taken as a value: then they may be anything.
local function judge(w, module, name, arity, given)
  local mfa = ("%s:%s/%d"):format(module, name, arity)
  local what = title(module, name, arity)
  local ours = functions.find(module, name, arity)
  local entry = ours
  if w.options.entry then entry = w.options.entry(mfa, ours) end
  if not entry then
    local why = (name == "module_info" and arity < 2)
      and "a module that is not loaded is loaded by asking it; erlang:get_module_info asks only loaded ones"
      or "it is not in the table of functions, so nobody can say what it does"
    return w:note { class = "DANGEROUS", effect = "changes", what = what, mfa = mfa, why = why, unknown = true }
  end
  local verdict = entry
  local raised = verdict
  for i, role in ipairs((ours or NONE).roles) do
    if role ~= "_" then
      local found = arguments[role](w.bindings, given and given[i] or arguments.UNKNOWN, given)
      if found and found.lowers then
        -- Not below what the owner's policy says.
        if raised == verdict and entry.class == ours.class then raised, verdict = found, found end
      elseif found then
        raised = worse(raised, found)
      end
    end
  end
  w:note {
    class = raised.class, effect = raised.effect, what = what, mfa = mfa, why = raised.why, cost = entry.cost,
    guard = guards.of(module, name, arity),
  }
end

local MOST_APPLIED = 8

local ELSEWHERE = { rpc = true, erpc = true }

local call_known

-- apply(M, F, Args), and what applies in the same way: roles M, F and A of the entry. What it applies
-- may apply something in turn.
local function applied(w, entry, given, depth)
  local at = {}
  for i, role in ipairs(entry.roles) do at[role] = i end
  if not at.M then return end
  local module, name = given[at.M], given[at.F]
  local args = values.elements(w.bindings, given[at.A])
  if shape(module) ~= "atom" or shape(name) ~= "atom" or not args or depth > MOST_APPLIED then
    return w:danger(title(entry.module, entry.name, #entry.roles),
      "what it calls is worked out when it runs, so it may be anything")
  end
  call_known(w, tostring(module[3]), tostring(name[3]), args, depth + 1)
  if not ELSEWHERE[entry.module] then return end
  local called = functions.find(tostring(module[3]), tostring(name[3]), #args)
  for _, role in ipairs((called or NONE).roles) do
    if role:find "fun" then
      return w:danger(title(entry.module, entry.name, #entry.roles),
        "what runs there has no limits, and nobody ends it")
    end
  end
end

function call_known(w, module, name, args, depth)
  judge(w, module, name, #args, args)
  local entry = functions.find(module, name, #args)
  if entry then applied(w, entry, args, depth or 1) end
end

local function literal_atom(node)
  if shape(node) ~= "atom" then return nil end
  local is = kind(node[3])
  return (is == "atom" or is == "boolean") and tostring(node[3]) or nil
end

local function call_remote(w, remote, args)
  local module, name = literal_atom(remote[3]), literal_atom(remote[4])
  if module and name then return call_known(w, module, name, args) end
  if shape(remote[3]) ~= "atom" then w:expression(remote[3]) end
  if shape(remote[4]) ~= "atom" then w:expression(remote[4]) end
  w:danger("a call", ("the %s is worked out when it runs, so it may be anything")
    :format(module and "function" or "module"))
end

-- Without a module it can only be a function that every module imports: the evaluator has none of its own.
local function call_local(w, name, args)
  if bifs[("%s/%d"):format(name, #args)] then return call_known(w, "erlang", name, args) end
  local key = ("%s/%d"):format(written(name), #args)
  w:danger(key, ("there is no such function; name its module, as in erlang:%s"):format(name))
end

--- Another module's function as a value, `fun M:F/A`: as dangerous as a call with any arguments.
function calls.fun_value(w, node)
  if #node ~= 4 then
    return w:danger(("fun %s/%s"):format(tostring(node[2]), tostring(node[3])),
      "there are no functions without a module")
  end
  local module, name = literal_atom(node[2]), literal_atom(node[3])
  local arity = shape(node[4]) == "integer" and tonumber(tostring(node[4][3]))
  if not (module and name and arity) then
    return w:danger("fun M:F/A", "which function that is, is worked out when it runs, so it may be any")
  end
  judge(w, module, name, arity)
end

-- (fun M:F/A)(…) with as many arguments is the call of it.
local function called_at_once(fun, args)
  if shape(fun) ~= "fun" or shape(fun[3]) ~= "function" or #fun[3] ~= 4 then return nil end
  local module, name, arity = literal_atom(fun[3][2]), literal_atom(fun[3][3]), fun[3][4]
  if module and name and shape(arity) == "integer" and arity[3] == #args then return module, name end
end

-- The roles of what is called, where that is written there.
local function roles_of(callee, arity)
  if shape(callee) == "atom" then
    local entry = functions.find("erlang", tostring(callee[3]), arity)
    return (entry or NONE).roles
  end
  if shape(callee) ~= "remote" then return NONE.roles end
  local module, name = literal_atom(callee[3]), literal_atom(callee[4])
  return (module and name and functions.find(module, name, arity) or NONE).roles
end

local function visit_arguments(w, callee, args)
  local roles = roles_of(callee, #args)
  for i, arg in ipairs(args) do
    local is_key = roles[i] == "key" and literal_atom(arg) == "__struct__"
    if not is_key then w:expression(arg) end
  end
end

function calls.call(w, node)
  local callee, args = node[3], node[4]
  if not values.is_list(args) then return w:expressions(args) end
  visit_arguments(w, callee, args)
  local what = shape(callee)
  if what == "remote" then return call_remote(w, callee, args) end
  if what == "atom" then return call_local(w, tostring(callee[3]), args) end
  local module, name = called_at_once(callee, args)
  if module then return call_known(w, module, name, args) end
  w:expression(callee)
  if not values.is_known_fun(w.bindings, callee) then
    w:danger(what == "var" and ("%s(…)"):format(written(tostring(callee[3]))) or "a call",
      "it calls a fun that is not written in this text, so it may do anything")
  end
end

return calls
