--- Whether what a text hands to a fun of ours is what the fun may be handed: sandbox/shared_funs.lua says which.
--- As in the classifier, what cannot be told is not so.

local arguments = require "sandbox.classify.arguments"
local values = require "sandbox.classify.values"

local roles = {}

jit.off(true, true) -- a loop that the compiler got wrong would judge wrongly; speed is no matter here

local kind, shape = values.kind, values.shape

local MOST_STEPS = 1000 -- of following variables: one may be bound by way of itself

---@class Scene
---@field steps integer                variables that were followed
---@field bindings Bindings            as the classifier has them
---@field sites table<string, Site[]|false>   where each variable is bound; false: also anywhere else
---@field trusted table<string, true>  the funs of ours in the text, none of them bound anew

---@class Site
---@field list? any     the variable goes through its elements,
---@field part? integer or through such a part of each
---@field shape? any    the variable is the first of what this gives

-- Sites ------------------------------------------------------------------------

local function variables(node, visit)
  local is = kind(node)
  if is ~= "tuple" and is ~= "list" then return end
  local name = values.variable(node)
  if name then return visit(name) end
  for i = 1, #node do variables(node[i], visit) end
end

local function add(sites, name, site)
  if not site then
    sites[name] = false
  elseif sites[name] ~= false then
    sites[name] = sites[name] or {}
    table.insert(sites[name], site)
  end
end

local function generated(sites, pattern, list)
  local name = values.variable(pattern)
  if name then return add(sites, name, { list = list }) end
  local parts = shape(pattern) == "tuple" and values.is_list(pattern[3]) and pattern[3]
  if not parts then return variables(pattern, function(each) add(sites, each, false) end) end
  for i, part in ipairs(parts) do
    name = values.variable(part)
    if name then
      add(sites, name, { list = list, part = i })
    else
      variables(part, function(each) add(sites, each, false) end)
    end
  end
end

local function collect(node, sites)
  local is = kind(node)
  if is ~= "tuple" and is ~= "list" then return end
  local what = is == "tuple" and shape(node)
  if what == "generate" then
    generated(sites, node[3], node[4])
    return collect(node[4], sites)
  end
  local parts = what == "match" and shape(node[3]) == "tuple" and node[3][3]
  if values.is_list(parts) and #parts > 1 and values.variable(parts[1]) then
    add(sites, values.variable(parts[1]), { shape = node[4] })
    for i = 2, #parts do variables(parts[i], function(each) add(sites, each, false) end) end
    return collect(node[4], sites)
  end
  if what == "named_fun" then add(sites, tostring(node[3]), false) end
  if what == "match" or what == "maybe_match" or what == "clause" or (what or ""):match "_generate" then
    variables(node[3], function(each) add(sites, each, false) end)
  end
  for i = 1, #node do collect(node[i], sites) end
end

--- Where each variable of a text is bound.
---@param forms any[]
function roles.sites(forms)
  local sites = {}
  collect(forms, sites)
  return sites
end

-- Roles ------------------------------------------------------------------------

local WORDS = { used = true, memory = true, binary = true } -- what `Shape` makes of several items

local function written_item(scene, node)
  return WORDS[values.atom(scene.bindings, node) or ""] or arguments.items(scene.bindings, node) == nil
end

local function items_of(scene, site)
  if site.shape then return roles.shape(scene, site.shape) end
  local elements = values.elements(scene.bindings, site.list)
  if not elements then return false end
  for _, each in ipairs(elements) do
    if site.part then
      each = values.resolve(scene.bindings, each)
      each = shape(each) == "tuple" and values.is_list(each[3]) and each[3][site.part]
    end
    if not each or not written_item(scene, each) then return false end
  end
  return true
end

-- A variable that is bound to such items wherever it is bound.
local function bound_item(scene, node)
  scene.steps = scene.steps + 1
  if scene.steps > MOST_STEPS then return false end
  local name = values.variable(node)
  local sites = name and scene.sites[name]
  if not sites then return false end
  for _, site in ipairs(sites) do if not items_of(scene, site) then return false end end
  return true
end

--- An item that is written there, or several, or a variable that goes through such.
function roles.item(scene, node)
  if written_item(scene, node) or bound_item(scene, node) then return true end
  local elements = values.elements(scene.bindings, node)
  for _, each in ipairs(elements or {}) do
    if not written_item(scene, each) and not bound_item(scene, each) then return false end
  end
  return elements ~= nil
end

--- Funs of ours whose answers have a role -> how many arguments they have; one of another text may have their name.
roles.makers = { Look = 4, Pack = 0, Part = 1, Shape = 1 }

-- Whether it is, by whatever variable, the call of one of these funs of ours; `check` looks at the call.
local function made_by(makers, check)
  return function(scene, node)
    node = values.resolve(scene.bindings, node)
    local name = shape(node) == "call" and values.variable(node[3])
    if not name or not makers[name] or not scene.trusted[name] then return false end
    if not values.is_list(node[4]) or #node[4] ~= roles.makers[name] then return false end
    return check == nil or check(scene, node[4])
  end
end

local packed = made_by { Look = true, Pack = true, Part = true }

function roles.nothing(scene, node) return shape(values.resolve(scene.bindings, node)) == "nil" end

function roles.packed(scene, node)
  return roles.nothing(scene, node) or packed(scene, node)
end

local of_shape = made_by({ Shape = true }, function(scene, given)
  return roles.item(scene, given[1])
end)

-- Its parts may be put together anew: the item is the first of them.
function roles.shape(scene, node)
  local written = values.resolve(scene.bindings, node)
  if shape(written) == "tuple" and values.is_list(written[3]) and #written[3] == 4 then
    return roles.item(scene, written[3][1])
  end
  return of_shape(scene, node)
end

roles["fun"] = function(scene, node) return values.is_known_fun(scene.bindings, node) end

function roles.any() return true end

--- Each as it is said to whoever wrote the text.
roles.words = {
  item = "an item of process_info that is written there, and never the messages",
  shape = "what Shape gives of an item that is written there",
  nothing = "[]",
  packed = "what Look or Pack made in this text, nor []",
  ["fun"] = "a fun that is written there",
}

return roles
