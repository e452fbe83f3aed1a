--- What stands before a dear read in an expression of a person: how large it would be is asked first, and
--- what is too large is refused before it runs. Erlang texts, each a fun that takes the place of the
--- function; an object that is not there is left to the function to complain about. They bind no variables
--- but by their heads, so none of the expression's own is met.

local etf = require "host.etf"

local guards = {}

jit.off(true, true) -- a loop that the compiler got wrong would leave a guard out; speed is no matter here

local A, kind, tuple = etf.A, etf.kind, etf.tuple

-- Of a process that is here the size is known before it is asked; another one answers or does not.
local STATE = [[
fun(P ARGUMENT) ->
  (fun(Pid) when is_pid(Pid), node(Pid) =:= node() ->
         (fun({total_heap_size, Words}) when Words > 6553600 ->
                erlang:error({beamlens_guard, <<"NAME/ARITY">>, iolist_to_binary(io_lib:format(
                  "the heap of the process has ~b MB, and of at most 50 MB it is copied", [Words div 131072]))});
             (_) -> NAME(P TIMEOUT)
          end)(erlang:process_info(Pid, total_heap_size));
      (_) -> NAME(P TIMEOUT)
   end)(case is_atom(P) of true -> whereis(P); false -> P end)
end.]]

-- Without a timeout of the asker's own it is a second.
local function state(name, arity)
  local given = arity == 1 and { "", ", 1000" } or { ", T", ", T" }
  local text = STATE:gsub("%u+", { NAME = name, ARITY = arity }):gsub(" ARGUMENT", given[1]):gsub(" TIMEOUT", given[2])
  return text
end

local PROCESS = "look at it with process_info(Pid, [memory, message_queue_len, current_function])"

-- Sizes are in words of a machine of 64 bits.
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

local function literal(form, tag) return kind(form) == "tuple" and form[1] == A[tag] and form[3] or nil end

local function guarded(module, name, arity)
  if module == nil or name == nil or arity == nil then return end
  local mfa = ("%s:%s/%s"):format(tostring(module), tostring(name), tostring(arity))
  return guards.TEXTS[mfa] and mfa
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

-- The function that a node of the syntax stands for, and what to put in its place.
local function use_of(form)
  if form[1] == A["fun"] and kind(form[3]) == "tuple" and form[3][1] == A["function"] and #form[3] == 4 then
    local mfa = guarded(literal(form[3][2], "atom"), literal(form[3][3], "atom"), literal(form[3][4], "integer"))
    return mfa, function(fun) return fun end
  elseif form[1] == A.call and kind(form[4]) == "list" then
    local callee, arguments = form[3], form[4]
    if kind(callee) == "tuple" and callee[1] == A.remote then
      local mfa = guarded(literal(callee[3], "atom"), literal(callee[4], "atom"), #arguments)
      if mfa then return mfa, function(fun) return tuple(A.call, form[2], fun, arguments) end end
    end
    if #arguments == 3 and applies(callee) then
      local mfa = guarded(literal(arguments[1], "atom"), literal(arguments[2], "atom"), length(arguments[3]))
      return mfa, function(fun) return tuple(A.call, form[2], callee, { fun, arguments[3] }) end
    end
  end
end

local function rewrite(form, fun_of)
  local of = kind(form)
  if of == "tuple" then
    local parts = {}
    for i = 1, #form do parts[i] = rewrite(form[i], fun_of) end
    form = tuple(unpack(parts, 1, #parts))
    local mfa, put = use_of(form)
    return mfa and put(fun_of(mfa)) or form
  elseif of == "list" then
    local list = {}
    for i = 1, #form do list[i] = rewrite(form[i], fun_of) end
    return list
  end
  return form
end

--- The forms with guards in the place of what is guarded, ready to be sent.
---@param forms any[]                         as host.etf decoded them
---@param fun_of fun(mfa: string): any        the form of a guard's text; asked for those that are needed
---@return any[]
function guards.place(forms, fun_of) return rewrite(forms, fun_of) end

--- Which guards forms would be given.
---@param forms any[]
---@return string[] mfas  sorted
function guards.needed(forms)
  local found, names = {}, {}
  rewrite(forms, function(mfa)
    if not found[mfa] then names[#names + 1] = mfa end
    found[mfa] = true
    return A.guard
  end)
  table.sort(names)
  return names
end

--- The texts of this file, for the build step that parses what we ship.
---@return string[]
function guards.own_texts()
  local texts = {}
  for _, guard in pairs(guards.TEXTS) do texts[#texts + 1] = guard.text end
  return texts
end

return guards
