--- A text that is not ours, read for what has to be judged in it: the expressions of ours that stand in it
--- untouched keep our review, and a stand-in takes the place of what the classifier cannot follow. What their
--- funs are handed by the rest is held to what sandbox/shared_funs.lua allows.

local classify = require "sandbox.classify"
local etf = require "host.etf"
local shared_funs = require "sandbox.shared_funs"
local intact = require "runtime.intact"
local roles = require "runtime.roles"
local values = require "sandbox.classify.values"
local walk = require "sandbox.classify.walk"

local changed_text = {}

jit.off(true, true) -- a loop that the compiler got wrong would judge wrongly; speed is no matter here

local A, tuple, kind, shape = etf.A, etf.tuple, values.kind, values.shape

local OK = tuple(A.atom, 1, A.ok)
local HARMLESS = tuple(A["fun"], 1, tuple(A.clauses, { tuple(A.clause, 1, {}, {}, { OK }) }))

-- In the place of a fun: one that does nothing. In that of another value: one that nobody knows.
local function stand_in(node, name)
  if name then return tuple(node[1], node[2], node[3], HARMLESS) end
  if shape(node) ~= "match" then return OK end
  return tuple(node[1], node[2], tuple(A.tuple, 1, { node[3] }), OK)
end

local function any_of(given)
  for _, role in ipairs(given) do if role ~= "any" then return false end end
  return true
end

local function refused(name, why, node)
  local line = type(node[2]) == "number" and node[2] or 1
  return { class = "DANGEROUS", effect = "changes", line = line, what = name, why = why }
end

local CLOSED = "we read this fun only as our own texts call it"

-- Calls of what is held to its roles, and any other mention of it.
local function misused(node, scene, held, into)
  local is = kind(node)
  if is ~= "tuple" and is ~= "list" then return end
  local name = is == "tuple" and values.variable(node)
  if name then
    local why = "what it is handed has to be written there: call it"
    if held[name] then into[#into + 1] = refused(name .. "(…)", why, node) end
    return
  end
  local what = is == "tuple" and shape(node)
  local called = what == "call" and values.variable(node[3])
  if called and held[called] then
    local wanted, given = held[called], node[4]
    if not wanted.of then
      into[#into + 1] = refused(called .. "(…)", CLOSED, node)
    elseif not values.is_list(given) or #given ~= #wanted.of then
      into[#into + 1] = refused(called .. "(…)", "it is called with another number of arguments than it has", node)
    else
      for i, role in ipairs(wanted.of) do
        if not roles[role](scene, given[i]) then
          into[#into + 1] = refused(called .. "(…)", ("argument %d is not %s"):format(i, roles.words[role]), node)
        end
      end
    end
    return misused(given, scene, held, into)
  end
  local bound = what == "match" and values.variable(node[3])
  for i = bound and 4 or 1, #node do misused(node[i], scene, held, into) end
end

-- Whether all that is asked of processes is written in the text.
local function items_written(node, scene)
  local is = kind(node)
  if is == "atom" then return node ~= A.process_info end
  if is ~= "tuple" and is ~= "list" then return true end
  if is == "tuple" and shape(node) == "call" and values.is_list(node[4]) and #node[4] == 2 then
    local callee = node[3]
    if shape(callee) == "remote" and values.atom({}, callee[3]) == "erlang" then callee = callee[4] end
    if values.atom({}, callee) == "process_info" and shape(callee) == "atom" then
      return roles.item(scene, node[4][2]) and items_written(node[4], scene)
    end
  end
  for i = 1, #node do if not items_written(node[i], scene) then return false end end
  return true
end

-- A name of a fun of ours that stands for something else too, in whatever scope.
local function bound_anew(reading, bindings, into)
  for name in pairs(reading.trusted) do
    local anew = not bindings[name] or #bindings[name] ~= 1
    if anew and (reading.held[name] or roles.makers[name]) then
      into[#into + 1] = refused(name, "this is the name of a fun of ours, and is bound to something else too", {})
    end
  end
end

---@class Judged
---@field reasons Reason[]
---@field misused Reason[]       what funs of ours are handed and may not be
---@field items_written boolean  no item of process_info is worked out
---@field elixir boolean         the text names a module of Elixir

---@class Reading
---@field options table                of classify.expressions
---@field trusted table<string, true>  the funs of ours that were met
---@field held table<string, { of?: string[] }>   those of them that may not be handed anything
---@field elixir boolean

local function judged(reading, forms)
  local j = { reasons = classify.expressions(forms, reading.options).reasons, misused = {}, elixir = reading.elixir }
  local scene = { bindings = walk.bindings(forms), sites = roles.sites(forms), trusted = reading.trusted, steps = 0 }
  bound_anew(reading, scene.bindings, j.misused)
  misused(forms, scene, reading.held, j.misused)
  j.items_written = items_written(forms, scene)
  return j
end

local function with(forms, node)
  local all = { unpack(forms) }
  all[#all + 1] = node
  return all
end

local cache, cached_for = {}, nil

-- An expression of ours is the same wherever it stands, for its name says what it rests on; so it is judged once.
local function known(reading, id, kept, node, is_safe)
  if cached_for ~= reading.options.generation then cache, cached_for = {}, reading.options.generation end
  local key = id .. tostring(reading.elixir)
  if not cache[key] then
    local j = judged(reading, with(kept, node))
    cache[key] = { j, is_safe(j) }
  end
  return cache[key][1], cache[key][2]
end

local function names_elixir(node)
  local is = kind(node)
  if is == "atom" then return tostring(node):find("Elixir.", 1, true) == 1 end
  if is ~= "tuple" and is ~= "list" then return false end
  for i = 1, #node do if names_elixir(node[i]) then return true end end
  return false
end

-- Of a fun of ours by its name, if it is the one that is meant.
local function roles_of(name, node)
  local fun, of = node[4], shared_funs.roles[name]
  local clauses = shape(fun) == "named_fun" and fun[4] or fun[3][2]
  return of and #clauses[1][3] == #of and of or nil
end

local MOST = 200 -- expressions of a text, several times those of ours; one of more is judged as anybody's

---@class ChangedText
---@field ours integer         expressions that are ours, of
---@field whole integer
---@field reviewed Reason[]    what those do, to be read as people did
---@field judged Judged[]      what the rest does

--- Reads a text, expression by expression. A fun, ours or not, is judged for itself where it is made, with what was
--- bound before: what is called within it means nothing outside.
---@param forms any[]
---@param options table        of classify.expressions; `generation` of the policy that they follow
---@param is_safe fun(j: Judged): boolean   by the rules for a text that nobody read
---@return ChangedText
function changed_text.read(forms, options, is_safe)
  local read = { ours = 0, whole = #forms, reviewed = {}, judged = {} }
  local reading = { options = options, trusted = {}, held = {}, elixir = false }
  if intact.too_deep(forms) then
    local why = "it is nested too deep to be read"
    read.judged[1] = { reasons = { refused("nesting", why, {}) }, misused = {}, items_written = false, elixir = true }
    return read
  end
  if #forms > MOST then
    reading.elixir = names_elixir(forms)
    read.judged[1] = judged(reading, forms)
    return read
  end
  local ids = intact.names(forms)
  for i, node in ipairs(forms) do
    if not intact.has(ids[i]) then reading.elixir = reading.elixir or names_elixir(node) end
  end
  local kept, left = {}, {} -- ours with what may be changed of it, and all
  for i, node in ipairs(forms) do
    local name = intact.fun_name(node)
    if intact.has(ids[i]) then
      read.ours = read.ours + 1
      local j, safe = known(reading, ids[i], kept, node, is_safe)
      for _, reason in ipairs(j.reasons) do read.reviewed[#read.reviewed + 1] = reason end
      if name then
        reading.trusted[name] = true
        local of = not safe and roles_of(name, node)
        if not safe and not (of and any_of(of)) then reading.held[name] = { of = of or nil } end
      end
      if name or not safe then node = stand_in(node, name) end
      kept[#kept + 1], left[#left + 1] = node, node
    elseif name then
      read.judged[#read.judged + 1] = judged(reading, with(left, node))
      node = stand_in(node, name)
      kept[#kept + 1], left[#left + 1] = node, node
    else
      left[#left + 1] = node
    end
  end
  read.judged[#read.judged + 1] = judged(reading, left)
  return read
end

return changed_text
