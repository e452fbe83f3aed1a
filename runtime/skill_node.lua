--- The node as one function of a skill sees it: it may ask the skill's own queries, sleep for so long, and use what
--- the skill declared in `uses`.

local effects = require "runtime.effects"
local failure = require "runtime.failure"
local form = require "runtime.skill_form"
local plain = require "runtime.plain"
local reach = require "runtime.reach"
local relay_form = require "runtime.relay_form"
local skill_file = require "runtime.skill_file"

local skill_node = {}

-- Seconds. A node may be short of the very time it is asked for; an urgent question goes first there.
local URGENT_TIMEOUT = 5

-- For a node that nobody keeps anything for: one of a spec, or of a script.
local NOBODY = {
  history = function() return {} end,
  events = {
    of = function() return { unavailable = "nobody listens to this node" } end,
    start = function() return nil, "nobody listens to this node" end,
    stop = function() end,
  },
}

--- What the runtime keeps of a node is made to measure for a skill, by `node.uses`.
---@param use "history"|"events"|string
---@param s Skill
---@return any
function skill_node.kept(use, s, node)
  if node[use] then return node[use] end
  local made = node.uses and node.uses[use]
  return made and made(s) or NOBODY[use]
end

local function contains(list, wanted)
  for _, item in ipairs(list or {}) do
    if item == wanted then return true end
  end
  return false
end

-- The relays of a skill, none of them above the class of what starts it, nor of an origin nobody vouched for.
local function guarded_events(events, class)
  local guarded = {}
  for key, f in pairs(events) do guarded[key] = f end
  function guarded.start(name, variables)
    local relay = relay_form.open(name)
    if relay then
      local ok, why = effects.permit_relay(relay, class)
      if not ok then return nil, { unavailable = tostring(why) } end
    end
    return events.start(name, variables)
  end
  function guarded.of(name, minutes, least)
    local relay = relay_form.open(name)
    if relay then
      local ok, why = effects.permit_relay(relay)
      if not ok then return { unavailable = tostring(why) } end
    end
    return events.of(name, minutes, least)
  end
  return guarded
end

--- The node as this skill may see it: its own queries, by name, and what it declared.
---@param s Skill
---@param node table
---@param patient number   seconds, of a query and of a sleep
---@param who { name: string, class: Class, theirs?: boolean }   who asks: theirs is held to what its texts do
---@return SkillNode
---@return fun()? close   what it reached beside the node
function skill_node.of(s, node, patient, who)
  local seen = {}
  function seen.sleep(seconds)
    if type(seconds) ~= "number" or seconds > patient then
      error(failure.new("skill", ("%s sleeps longer than its callback may take, %.4g s"):format(s.name, patient),
        "sleep less, or give the callback a timeout", 2), 0)
    end
    return node.sleep(seconds)
  end
  local named = s.callbacks[who.name] and who.name or s.name
  local reached, close = reach.handed(node, s.uses, { name = named, class = who.class, seconds = patient })
  for _, use in ipairs(s.uses or {}) do seen[use] = reached[use] or skill_node.kept(use, s, node) end
  seen.secret = reached.secret
  if seen.events then seen.events = guarded_events(seen.events, who.class) end
  function seen.ask(name, bindings, seconds)
    if type(name) ~= "string" or not s.queries[name] then
      error(failure.new("skill", ("%s asks what it never declared: %s"):format(s.name, plain.cut(tostring(name), 60)),
        "declare the text in queries, and ask for it by its name there", 2), 0)
    end
    local variables = {}
    for key, value in pairs(bindings or {}) do variables[form.variable(key)] = value end
    if who.theirs then
      local asked = ("query %s of %s"):format(name, who.name)
      local ok, err = effects.permit(node, s.queries[name], who.class, asked)
      if ok then ok, err = effects.permit_values(s.queries[name], variables, who.class, asked) end
      if not ok then return nil, s.places[name] and skill_file.placed(err, name, s.places[name]) or err end
    end
    local options = { timeout = seconds or patient, by = ("%s.%s"):format(s.name, who.name) }
    if contains(s.urgent, name) then
      options.priority, options.timeout = "high", math.min(options.timeout, URGENT_TIMEOUT)
    end
    return node.query(s.queries[name], variables, options)
  end
  return seen, close
end

return skill_node
