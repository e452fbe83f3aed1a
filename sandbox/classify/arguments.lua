--- The roles that an argument of a function can have, by the names that the table of functions uses. A
--- role looks at the argument as it is written and answers nil when there is nothing to say, or a verdict:
--- { class, effect?, why } that raises the class of the call, or with `lowers` one that replaces it.

local etf = require "host.etf"
local guard_texts = require "sandbox.guard_texts"
local values = require "sandbox.classify.values"

local arguments = {}

--- Stands for an argument that is not there to be looked at. No shape is called so.
arguments.UNKNOWN = etf.tuple(etf.A["not known"], 1)

local NOTHING = {}

local function set(words)
  local all = {}
  for word in words:gmatch "%S+" do all[word] = true end
  return all
end

local function dangerous(why, effect) return { class = "DANGEROUS", effect = effect or "changes", why = why } end

local function caution(why, effect) return { class = "CAUTION", effect = effect or "changes", why = why } end

local function lowered(class, effect, why) return { class = class, effect = effect, why = why, lowers = true } end

-- Funs -------------------------------------------------------------------------

--- A fun that it will call.
arguments["fun"] = function(bindings, node)
  if values.is_known_fun(bindings, node) then return nil end
  return dangerous "it calls a fun that is not written in this text, so it may do anything"
end

--- Data or a fun.
arguments["fun?"] = function(bindings, node)
  if values.is_harmless(bindings, node) then return nil end
  return dangerous "if this is a fun, it is called; only what is written in this text can be told from one"
end

arguments.replacement = arguments["fun?"]

local function never() end

-- What is looked at where it runs alone (sandbox/guard_texts.lua).
for role in pairs(guard_texts.ARGUMENTS) do arguments[role] = arguments[role] or never end

--- Funs whose answers are looked at as well.
for _, role in ipairs { "enumerable_fun", "enumerable_step" } do arguments[role] = arguments["fun"] end

--- Where the other functions of a module take something else.
arguments.any = never

-- What is applied is judged as a call of its own (sandbox/classify/calls.lua).
arguments.M, arguments.F = never, never

function arguments.A(_, node)
  if node ~= arguments.UNKNOWN then return nil end
  return dangerous "as a value it may be made to call anything"
end

-- Sizes ------------------------------------------------------------------------

local MOST_ITEMS, MOST_BYTES = 1000000, 1000000 -- a tenth of what the limit of the heap has room for

local function sized(most, must_be_written)
  return function(bindings, node)
    local n = values.number(bindings, node)
    if n and n <= most then return nil end
    if not n and not must_be_written then return nil end
    return dangerous(n and ("%.0f at once are more than %d"):format(n, most)
      or "how much that makes can only be told when it is too late")
  end
end

--- How many items it makes on the heap, whose limit stops it if nobody knows.
arguments.count = sized(MOST_ITEMS, false)

--- How large it gets outside the heap, where no limit sees it.
arguments.bytes = sized(MOST_BYTES, true)

--- The end of a sequence; its start is the argument before.
function arguments.last(bindings, node, given)
  local to, from = values.number(bindings, node), given and values.number(bindings, given[1])
  local items = to and math.abs(to - (from or 1)) + 1
  if items and items > MOST_ITEMS then
    return dangerous(("%.0f items at once are more than %d"):format(items, MOST_ITEMS))
  end
end

--- An exponent or a shift: of a large one the result is as many digits long.
arguments.exponent = (function()
  local most = 65536
  return function(bindings, node)
    local n = values.number(bindings, node)
    if n and math.abs(n) <= most then return nil end
    return dangerous(n and ("an exponent of %.0f is more than %d: the number can stop the whole node"):format(n, most)
      or "how large the number gets can only be told when it is too late")
  end
end)()

local LONGEST_MS = 60000

--- Milliseconds that it waits.
function arguments.wait(bindings, node)
  local n = values.number(bindings, node)
  if n and n <= LONGEST_MS then return nil end
  return dangerous(("it may sleep for more than %d s"):format(LONGEST_MS / 1000), "reads")
end

-- Processes ----------------------------------------------------------------------

local ITEMS = set [[
  registered_name initial_call status message_queue_len reductions heap_size stack_size total_heap_size memory
  garbage_collection garbage_collection_info group_leader priority trap_exit min_heap_size min_bin_vheap_size
  max_heap_size message_queue_data parent error_handler fullsweep_after current_function current_location
  current_stacktrace links monitors monitored_by binary dictionary suspending catchlevel sequential_trace_token
  last_calls backtrace magic_ref async_dist label
]]

local MESSAGES = "the messages of others are never read: private, and a copy of a full mailbox can end the node"

local function item(bindings, node)
  local name = values.atom(bindings, node)
  if not name then
    node = values.resolve(bindings, node)
    -- {dictionary, Key}, of OTP 26.2.
    if values.shape(node) == "tuple" and values.is_list(node[3]) then name = values.atom(bindings, node[3][1]) end
  end
  if name == "messages" then return dangerous(MESSAGES, "reads") end
  if not name or not ITEMS[name] then
    return dangerous("which item it asks for is not one of those known, and could be the messages", "reads")
  end
end

--- An item of process_info or a list of them.
function arguments.items(bindings, node)
  local elements = values.elements(bindings, node)
  if not elements then return item(bindings, node) end
  for _, each in ipairs(elements) do
    local wrong = item(bindings, each)
    if wrong then return wrong end
  end
end

--- An item that every process is sorted by: a name, never the messages.
function arguments.figure(bindings, node)
  local name = values.atom(bindings, node)
  if name == "binary_memory" then return nil end
  if not name then return dangerous("what it asks for has to be written there: it could be the messages", "reads") end
  return item(bindings, node)
end

local GROUPS = set "meta signals location memory_used work"

--- An item of recon:info, or the name of a group of them.
function arguments.process_part(bindings, node)
  local name = values.atom(bindings, node)
  if GROUPS[name or ""] then return nil end
  return arguments.items(bindings, node)
end

--- How many calls a trace takes down before it ends: a number or {Number, Milliseconds}.
function arguments.trace_limit(bindings, node)
  node = values.resolve(bindings, node)
  if values.shape(node) == "tuple" and values.is_list(node[3]) then node = node[3][1] end
  local n = values.number(bindings, node)
  if n and n <= 1000 then return nil end
  return dangerous "a trace has to end by itself, after at most 1000 calls"
end

local FLAGS = {
  message_queue_data = true, fullsweep_after = true, min_heap_size = false,
  priority = set "low normal",
}

--- process_flag(Flag, Value) of the process that asks.
function arguments.own_flag(bindings, node, given)
  local allowed = FLAGS[values.atom(bindings, node) or ""]
  if allowed == true then return nil end
  if allowed and allowed[values.atom(bindings, given[2]) or ""] then return nil end
  return dangerous "among these flags are those that take away the limits of the process that asks"
end

local FOUND_BY = set "global pg Elixir.Registry gproc syn"

--- A process that is named in any way.
function arguments.process(bindings, node)
  node = values.resolve(bindings, node)
  if values.shape(node) ~= "tuple" or not values.is_list(node[3]) then return nil end
  local first = values.atom(bindings, node[3][1])
  if first == "global" then return nil end
  if first ~= "via" then return caution("it asks a process of another node, and connects to that node", "leased") end
  if not FOUND_BY[values.atom(bindings, node[3][2]) or ""] then
    return dangerous "`via` calls a module that is not known"
  end
end

-- What else the first or second argument decides ------------------------------------

local function one_of(names, class, effect, why)
  return function(bindings, node)
    if names[values.atom(bindings, node) or ""] then return nil end
    return { class = class, effect = effect, why = why }
  end
end

--- The device that something is printed to: only the asker's own.
arguments.own_device = one_of(set "standard_io stdio", "DANGEROUS", "changes",
  "printing to another device sends messages to whatever process that is, or writes on the node's console")

--- sys:log(P, get), sys:statistics(P, get).
arguments.get = one_of(set "get", "CAUTION", "changes", "it changes what the process records of itself")

local NODE_FLAGS = set [[
  backtrace_depth fullsweep_after min_heap_size min_bin_vheap_size schedulers_online dirty_cpu_schedulers_online
  microstate_accounting
]]

--- system_flag(Flag, _): one flag belongs to the process that sets it and goes with it.
function arguments.system_flag(bindings, node)
  local name = values.atom(bindings, node)
  if name == "scheduler_wall_time" then return lowered("CAUTION", "leased",
    "the schedulers measure their time while the process that asks lives: a percent or so") end
  if not name or not NODE_FLAGS[name] then return dangerous "this flag can stop or change the whole node" end
end

local DUMPS = set "procs"

--- system_info(Item): one item writes all processes down, their messages too.
function arguments.system_item(bindings, node)
  node = values.resolve(bindings, node)
  local name = values.atom(bindings, node)
  if not name and values.shape(node) == "tuple" then name = "tuple" end
  if name and not DUMPS[name] then return nil end
  return dangerous(name and "it writes down every process, its messages too, while the node stands still"
    or "which item it asks for has to be written there", "reads")
end

--- Options of binary_to_term.
function arguments.safe_option(bindings, node)
  for _, each in ipairs(values.elements(bindings, node) or NOTHING) do
    if values.atom(bindings, each) == "safe" then
      return lowered("CAUTION", "reads", "with `safe` it makes no new atoms, but funs and structs out of bytes")
    end
  end
end

--- Options of ets:new.
function arguments.table_options(bindings, node)
  local elements, named = values.elements(bindings, node), false
  if not elements then return dangerous "its options have to be written there: a table can be left to an heir" end
  for _, each in ipairs(elements) do
    each = values.resolve(bindings, each)
    local name = values.atom(bindings, each)
    if not name and values.shape(each) == "tuple" and values.is_list(each[3]) then
      name = values.atom(bindings, each[3][1])
    end
    if not name or name == "heir" then return dangerous "the table may outlive the process that asks" end
    named = named or name == "named_table"
  end
  if named then return caution("while it is there nobody else can make a table of that name", "leased") end
end

local function made_by(makers, why)
  return function(bindings, node)
    local call = values.resolve(bindings, node)
    if values.shape(call) ~= "call" or values.shape(call[3]) ~= "remote" then return nil end
    local name = (values.atom({}, call[3][3]) or "") .. ":" .. (values.atom({}, call[3][4]) or "")
    if makers[name] then return lowered("SAFE", "leased", why) end
  end
end

--- A table that this very text made: it goes with the process that asks.
arguments.own_table = made_by(set "ets:new", "the table was made in this text and goes with the process that asks")

--- The same for counters and atomics.
arguments.own_counter = made_by(set "counters:new atomics:new",
  "the counter was made in this text and goes with the process that asks")

-- Elixir --------------------------------------------------------------------------------

local ORDERS = set "asc desc Elixir.Date Elixir.DateTime Elixir.NaiveDateTime Elixir.Time Elixir.Version"

--- What Enum.sort sorts by: a fun, an order, or a module whose compare/2 it calls.
function arguments.sorter(bindings, node)
  local written = values.resolve(bindings, node)
  local of = { written }
  if values.shape(written) == "tuple" and values.is_list(written[3]) then of = written[3] end
  local known = #of > 0
  for _, each in ipairs(of) do
    known = known and (ORDERS[values.atom(bindings, each) or ""] or values.is_known_fun(bindings, each))
  end
  if not known then return dangerous "it calls what it sorts by, and what that is, is not known" end
end

for _, role in ipairs { "sorter_max", "sorter_min", "sorter_both" } do arguments[role] = arguments.sorter end

--- What elements are put into: a list, a map, a text or a set that is written there.
function arguments.collectable(bindings, node)
  node = values.resolve(bindings, node)
  local what = values.shape(node)
  if what == "nil" or what == "cons" or what == "bin" then return nil end
  if what == "map" and #node == 3 and values.is_list(node[3]) then
    for _, field in ipairs(node[3]) do
      if values.shape(field) ~= "map_field_assoc" or values.shape(field[3]) ~= "atom"
        or tostring(field[3][3]) == "__struct__" then what = nil end
    end
    if what then return nil end
  elseif what == "call" and values.shape(node[3]) == "remote" and values.is_list(node[4])
    and values.atom({}, node[3][3]) == "Elixir.MapSet" and values.atom({}, node[3][4]) == "new" then
    return nil
  end
  return dangerous "it writes to whatever takes elements: that can be a file or a device"
end

--- Options that hold no fun which it would call.
function arguments.plain_options(bindings, node)
  local elements = values.elements(bindings, node)
  local plain = elements ~= nil
  for _, each in ipairs(elements or NOTHING) do
    local pair = values.resolve(bindings, each)
    local key = values.shape(pair) == "tuple" and values.is_list(pair[3]) and values.atom(bindings, pair[3][1])
    if not key or key == "inspect_fun" then plain = false end
  end
  if not plain then return dangerous "among its options may be a fun that it calls" end
end

--- The path of get_in: keys, and funs that are written there or come from Access.
function arguments.path(bindings, node)
  local elements = values.elements(bindings, node)
  local plain = elements ~= nil
  for _, each in ipairs(elements or NOTHING) do
    local key = values.resolve(bindings, each)
    local from_access = values.shape(key) == "call" and values.shape(key[3]) == "remote"
      and values.atom({}, key[3][3]) == "Elixir.Access"
    if not from_access and not values.is_harmless(bindings, key) then plain = false end
  end
  if not plain then return dangerous "a path may hold a fun that it calls" end
end

--- The words of an atom that must exist. Written there, it may not be one that tags a struct; worked out,
--- it may be any.
function arguments.word(bindings, node)
  node = values.resolve(bindings, node)
  local what, text = values.shape(node), nil
  if what == "string" or what == "atom" then text = tostring(node[3]) end
  if what == "bin" and values.is_list(node[3]) and #node[3] == 1 and values.shape(node[3][1]) == "bin_element"
    and values.shape(node[3][1][3]) == "string" then
    text = tostring(node[3][1][3][3])
  end
  if text and not arguments.is_tag(text) then return nil end
  return dangerous "an atom that is worked out can turn a map into a struct, whose code Elixir runs"
end

local TAGS = set [[
  __struct__ Elixir.File.Stream Elixir.IO.Stream File.Stream IO.Stream Stream re_pattern re_version
]]

--- Whether a word makes a map one of the structs that do more than hold data, or a compiled expression, which the
--- node trusts.
---@param word string
function arguments.is_tag(word) return TAGS[word] or false end

local function no_tuple(why)
  return function(bindings, node)
    if values.shape(values.resolve(bindings, node)) == "tuple" then return dangerous(why) end
  end
end

--- A port or socket as the node gave it.
arguments.handle = no_tuple "a handle that is made up names a module, which is called"

-- [{error_info, #{module => 'Elixir.Exception'}}], as Elixir writes it.
local function is_elixirs(bindings, option)
  local pair = values.resolve(bindings, option)
  if values.shape(pair) ~= "tuple" or not values.is_list(pair[3]) or #pair[3] ~= 2 then return false end
  local info = values.resolve(bindings, pair[3][2])
  if values.atom(bindings, pair[3][1]) ~= "error_info" then return false end
  if values.shape(info) ~= "map" or #info ~= 3 then return false end
  local field = values.is_list(info[3]) and #info[3] == 1 and info[3][1]
  return values.shape(field) == "map_field_assoc" and values.atom(bindings, field[3]) == "module"
    and values.atom(bindings, field[4]) == "Elixir.Exception"
end

--- Options of erlang:error/3: they name a function that is called when the error is told.
function arguments.error_options(bindings, node)
  local elements = values.elements(bindings, node)
  local known = elements ~= nil
  for _, each in ipairs(elements or NOTHING) do known = known and is_elixirs(bindings, each) end
  if not known then return dangerous "its options may name a function, which is called when the error is told" end
end

--- How rand makes its numbers: by name. A state that is made up holds a fun for rand to call.
arguments.algorithm = one_of(set "default exro928ss exrop exs1024 exs1024s exs64 exsp exsplus exsss mwc59 dummy",
  "DANGEROUS", "changes", "a state that is made up holds a fun, which is called")

--- match_spec_test(_, _, table): the other kind really prints, traces and sends.
arguments.of_a_table = one_of(set "table", "DANGEROUS", "changes", "what a trace may do is really done")

--- A folder, as a text: an atom would be a module, which is called.
function arguments.folder(bindings, node)
  local what = values.shape(values.resolve(bindings, node))
  if what == "string" or what == "bin" or what == "cons" then return nil end
  return dangerous "what is no text that is written there may be a module, which is called"
end

--- A regular expression as text. A compiled one is trusted by the node, whoever made it up.
function arguments.pattern(bindings, node)
  local what = values.shape(values.resolve(bindings, node))
  if what == "string" or what == "bin" or what == "cons" then return nil end
  return dangerous "the expression has to be a text that is written there: a compiled one that is made up ends the node"
end

local OTHERS_KEYS = set "rand_seed random_seed mnesia_activity_state logger_level error_handler"

--- A key of the asker's own dictionary. Some of them hold what the standard library calls.
function arguments.own_key(bindings, node)
  local name = values.atom(bindings, node)
  if name and not OTHERS_KEYS[name] and not name:match "^[%$%u]" and not name:match "^elixir" then return nil end
  return dangerous "some keys hold a fun that others call; one that is a plain atom, written there, does not"
end

--- The arguments of a format. In their place a map could stand that holds a fun for others to call.
function arguments.written(bindings, node)
  local what = values.shape(values.resolve(bindings, node))
  if what == "cons" or what == "nil" or what == "string" then return nil end
  return dangerous "what is no list that is written there can hold a fun for the handlers to call"
end

--- A key that is looked for: the tag of a struct may be asked for, and nothing is made with it.
function arguments.key() return nil end

return arguments
