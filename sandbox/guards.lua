--- What stands before a dear read in an expression of a person: how large it would be is asked first, and
--- what is too large is refused before it runs. Erlang texts, each a fun that takes the place of the
--- function; an object that is not there is left to the function to complain about. They bind no variables
--- but by their heads, so none of the expression's own is met.

local bifs = require "sandbox.functions.imported"
local etf = require "host.etf"
local functions = require "sandbox.functions"
local texts = require "sandbox.guard_texts"

local guards = {}

local A, kind, tuple = etf.A, etf.kind, etf.tuple

-- Of a process that is here the size is known before it is asked; another one answers or does not.
local STATE = [[
fun(P ARGUMENT) ->
  (fun(Pid) when is_pid(Pid), node(Pid) =:= node() ->
         (fun(_, Auth) when Pid =:= Auth ->
                erlang:error({beamlens_guard, <<"NAME/ARITY">>, <<"it holds the cookie, the key to the cluster">>});
             ({total_heap_size, Words}, _) when Words > 6553600 ->
                erlang:error({beamlens_guard, <<"NAME/ARITY">>, iolist_to_binary(io_lib:format(
                  "the heap of the process has ~b MB, and of at most 50 MB it is copied", [Words div 131072]))});
             (_, _) ->
               (fun({dictionary, Words}) ->
                      (fun(true) -> NAME(P TIMEOUT);
                          (false) -> erlang:error({beamlens_guard, <<"NAME/ARITY">>,
                            <<"it is no OTP process, and would be sent what it does not know">>})
                       end)(lists:keymember('$initial_call', 1, Words));
                   (_) -> NAME(P TIMEOUT)
                end)(erlang:process_info(Pid, dictionary))
          end)(erlang:process_info(Pid, total_heap_size), whereis(auth));
      (_) -> NAME(P TIMEOUT)
   end)((fun(N) when is_atom(N) -> whereis(N); ({global, N}) -> global:whereis_name(N);
           ({N, Node}) when is_atom(N), Node =:= node() -> whereis(N); (N) -> N end)(P))
end.]]

-- Without a timeout of the asker's own it is a second.
local function state(name, arity)
  local given = arity == 1 and { "", ", 1000" } or { ", T", ", T" }
  local text = STATE:gsub("%u+", { NAME = name, ARITY = arity }):gsub(" ARGUMENT", given[1]):gsub(" TIMEOUT", given[2])
  return text
end

local PROCESS = "look at it with process_info(Pid, [memory, message_queue_len, current_function])"

-- By what they stand for: the name of a function, whose place they take, or of the role of an argument, which goes
-- through them. Sizes are in words of a machine of 64 bits.
guards.TEXTS = {
  ["ets:tab2list/1"] = {
    narrow = "look at it with ets:info(T), at some rows with ets:select(T, Spec, 20), at one with ets:lookup(T, Key)",
    text = [[
fun(T) ->
  (fun(Rows, Words) when is_integer(Rows), is_integer(Words), (Rows > 10000) or (Words > 1310720) ->
         erlang:error({beamlens_guard, <<"ets:tab2list/1">>, iolist_to_binary(io_lib:format(
           "the table has ~b rows and ~b MB, and at most 10000 rows or 10 MB are copied", [Rows, Words div 131072]))});
      (_, _) -> ets:tab2list(T)
   end)(ets:info(T, size), ets:info(T, memory))
end.]],
  },
}
for _, name in ipairs { "sys:get_state", "sys:get_status", "recon:get_state" } do
  for arity = 1, 2 do
    guards.TEXTS[("%s/%d"):format(name, arity)] = { narrow = PROCESS, text = state(name, arity) }
  end
end
for mfa, guard in pairs(texts.FUNCTIONS) do guards.TEXTS[mfa] = { narrow = guard.narrow, text = guard.text .. "." } end
for role, guard in pairs(texts.ARGUMENTS) do
  guards.TEXTS[role] = { narrow = guard.narrow, text = guard.text .. ".", role = true }
end

-- What a guard calls itself where it refuses, if that is not the name of a function.
local NARROW = {}
for _, guard in pairs(texts.ARGUMENTS) do if guard.title then NARROW[guard.title] = guard.narrow end end
for _, guard in pairs(texts.FUNCTIONS) do if guard.title then NARROW[guard.title] = guard.narrow end end
NARROW["a text"] = "make less of it at a time"

--- What to do instead of what a guard refused.
---@param name string   as the guard said it
---@return string|nil
function guards.narrow(name) return NARROW[name] or (guards.TEXTS[name] or {}).narrow end

local function literal(form, tag) return kind(form) == "tuple" and form[1] == A[tag] and form[3] or nil end

-- The roles of a function's arguments that are looked at where it runs, by position; nil if there are none.
local function looked_at(module, name, arity)
  local entry = functions.find(module, name, arity)
  local found
  for i, role in ipairs(entry and entry.roles or {}) do
    if texts.ARGUMENTS[role] then
      found = found or {}
      found[i] = role
    end
  end
  return found
end

--- What stands before a function where it runs: "function", "argument", or nothing.
---@return string|nil
function guards.of(module, name, arity)
  local mfa = ("%s:%s/%d"):format(module, name, arity)
  return guards.TEXTS[mfa] and "function" or looked_at(module, name, arity) and "argument" or nil
end

local function name_of(form)
  local name = literal(form, "atom")
  local is = kind(name)
  return (is == "atom" or is == "boolean") and tostring(name) or nil
end

-- A function by the forms of its module and name, if it has a guard.
local function guarded(module, name, arity)
  if type(arity) ~= "number" or not (module and name) or not guards.of(module, name, arity) then return nil end
  return { module = module, name = name, arity = arity, mfa = ("%s:%s/%d"):format(module, name, arity) }
end

-- How many there are in a list as the syntax has it, if it can be told.
local function length(form)
  local n = 0
  while kind(form) == "tuple" and form[1] == A.cons do n, form = n + 1, form[4] end
  return kind(form) == "tuple" and form[1] == A["nil"] and n or nil
end

-- Who calls what it is handed by name: apply/3 and timer:tc/3.
local function applies(callee)
  if literal(callee, "atom") == A.apply then return true end
  if kind(callee) ~= "tuple" or callee[1] ~= A.remote then return false end
  local module, name = literal(callee[3], "atom"), literal(callee[4], "atom")
  return module == A.erlang and name == A.apply or module == A.timer and name == A.tc
end

-- An argument that needs no look: what was judged where it is written, or what a function made whose own arguments
-- were looked at.
local function trusted(form, role)
  if kind(form) ~= "tuple" then return false end
  if role == "process" then
    return form[1] == A.tuple and kind(form[3]) == "list" and literal(form[3][1], "atom") ~= nil
  end
  if role == "factor" then
    local n = form[1] == A.float and 0 or literal(form, "integer")
    return type(n) == "number" and math.abs(n) <= 1048576
  end
  local makers = texts.MAKERS[role]
  if not makers or form[1] ~= A.call or kind(form[3]) ~= "tuple" or form[3][1] ~= A.remote then return false end
  local module, name = name_of(form[3][3]), name_of(form[3][4])
  return module and name and (makers[module] or makers[module .. ":" .. name]) or false
end

local function looked_through(form, role, at, guard_of, module)
  if trusted(form, role) then return form end
  local also = role == "of_a_repo" and tuple(A.atom, at, A[module]) or nil
  return tuple(A.call, at, guard_of(role), { form, also })
end

-- The call of a function with its guard.
local function call(use, at, callee, arguments, guard_of)
  local roles, passed = looked_at(use.module, use.name, use.arity) or {}, {}
  for i = 1, use.arity do
    passed[i] = roles[i] and looked_through(arguments[i], roles[i], at, guard_of, use.module) or arguments[i]
  end
  return tuple(A.call, at, guards.TEXTS[use.mfa] and guard_of(use.mfa) or callee, passed)
end

local function remote(use, at)
  return tuple(A.remote, at, tuple(A.atom, at, A[use.module]), tuple(A.atom, at, A[use.name]))
end

-- The function itself with its guard, as a fun.
local function value(use, at, guard_of)
  local heads = {}
  for i = 1, use.arity do heads[i] = tuple(A.var, at, A["Beamlens" .. i]) end
  local clause = tuple(A.clause, at, heads, {}, { call(use, at, remote(use, at), heads, guard_of) })
  return tuple(A["fun"], at, tuple(A.clauses, { clause }))
end

local REWRITES = {}

REWRITES["fun"] = function(form, guard_of, used)
  local of = form[3]
  if kind(of) ~= "tuple" or of[1] ~= A["function"] or #of ~= 4 then return form end
  local use = guarded(name_of(of[2]), name_of(of[3]), literal(of[4], "integer"))
  if not use then return form end
  used(use.mfa)
  return value(use, form[2], guard_of)
end

function REWRITES.call(form, guard_of, used)
  local callee, arguments = form[3], form[4]
  if kind(arguments) ~= "list" or kind(callee) ~= "tuple" then return form end
  local use
  if callee[1] == A.remote then
    use = guarded(name_of(callee[3]), name_of(callee[4]), #arguments)
  elseif callee[1] == A.atom and bifs[("%s/%d"):format(tostring(callee[3]), #arguments)] then
    use = guarded("erlang", name_of(callee), #arguments)
  end
  if use then
    used(use.mfa)
    return call(use, form[2], callee, arguments, guard_of)
  end
  if #arguments ~= 3 or not applies(callee) then return form end
  use = guarded(name_of(arguments[1]), name_of(arguments[2]), length(arguments[3]))
  if not use then return form end
  used(use.mfa)
  return tuple(A.call, form[2], callee, { value(use, form[2], guard_of), arguments[3] })
end

-- Products and shifts grow without a bound, and cannot be ended in between.
function REWRITES.op(form, guard_of)
  local name, at = form[3], form[2]
  if #form ~= 5 or name ~= A["*"] and name ~= A.bsl then return form end
  local left = looked_through(form[4], "factor", at, guard_of)
  return tuple(A.op, at, name, left, name == A.bsl and form[5] or looked_through(form[5], "factor", at, guard_of))
end

local PIECES = { binary = true, bytes = true, bitstring = true, bits = true }

-- A text that is put into a text: doubled often enough, it would be larger than the memory.
function REWRITES.bin_element(form, guard_of)
  if kind(form[5]) ~= "list" then return form end
  for _, each in ipairs(form[5]) do
    if PIECES[tostring(each)] then
      return tuple(A.bin_element, form[2], looked_through(form[3], "piece", form[2], guard_of), form[4], form[5])
    end
  end
  return form
end

-- Where a shape has patterns or the guards of a clause: no fun is called there.
local PATTERNS = {
  clause = { [3] = true, [4] = true }, match = { [3] = true }, maybe_match = { [3] = true },
  generate = { [3] = true }, generate_strict = { [3] = true }, b_generate = { [3] = true },
  b_generate_strict = { [3] = true }, m_generate = { [3] = true }, m_generate_strict = { [3] = true },
}

local function rewrite(form, guard_of, used)
  local of = kind(form)
  if of == "tuple" then
    local shape = kind(form[1]) == "atom" and tostring(form[1]) or ""
    local left_alone, parts = PATTERNS[shape] or {}, {}
    for i = 1, #form do parts[i] = left_alone[i] and form[i] or rewrite(form[i], guard_of, used) end
    form = tuple(unpack(parts, 1, #parts))
    local rule = REWRITES[shape]
    return rule and rule(form, guard_of, used) or form
  elseif of == "list" then
    if form.tail ~= nil then return form end
    local list = {}
    for i = 1, #form do list[i] = rewrite(form[i], guard_of, used) end
    return list
  end
  return form
end

local function nothing() end

--- The forms with guards in the place of what is guarded, ready to be sent.
---@param forms any[]                           as host.etf decoded them
---@param guard_of fun(name: string): any       the form of a guard's text; asked for those that are needed
---@return any[]
function guards.place(forms, guard_of) return rewrite(forms, guard_of, nothing) end

--- Which guards forms would be given, and how often each function that has one is met.
---@param forms any[]
---@return string[] names                  sorted
---@return table<string, integer> met      by mfa
function guards.needed(forms)
  local found, names, met = {}, {}, {}
  rewrite(forms, function(name)
    if not found[name] then names[#names + 1] = name end
    found[name] = true
    return A.guard
  end, function(mfa) met[mfa] = (met[mfa] or 0) + 1 end)
  table.sort(names)
  return names, met
end

guards.TEXTS.watch = { text = texts.WATCH, role = true }

--- Forms that are watched while they are evaluated, by a process of their own.
---@param forms any[]
---@param watch any   the form of TEXTS.watch
---@return any[]
function guards.watched(forms, watch)
  local all = { tuple(A.call, 1, watch, {}) }
  for _, form in ipairs(forms) do all[#all + 1] = form end
  return all
end

--- The texts of this file, for the build step that parses what we ship.
---@return string[]
function guards.own_texts()
  local own = {}
  for _, guard in pairs(guards.TEXTS) do own[#own + 1] = guard.text end
  return own
end

return guards
