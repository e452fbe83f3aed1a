--- The figures that a monitor watches, as a node gives them now.

local async = require "runtime.async"
local in_use = require "runtime.in_use"
local skill = require "runtime.skill"

local figures = {}

-- These say how long was looked, not what was seen.
local OF_THE_LOOK = { listened_seconds = true, seconds = true, uptime_seconds = true }

--- The skills whose figures are of the node: the monitor's own are not for itself to watch.
---@param skills Skill[]
---@return Skill[]
function figures.watched(skills)
  local watched = {}
  for _, s in ipairs(skills) do
    local of_monitor = false
    for _, use in ipairs(s.uses or {}) do of_monitor = of_monitor or use == "monitor" end
    if not of_monitor then watched[#watched + 1] = s end
  end
  return watched
end

--- The numbers of each skill's snapshot, one skill after the other. One that fails does not stop the rest.
---@param skills Skill[]
---@param node table
---@param failed fun(skill: string, reason: string)
---@return table<string, number>   "skill.field" -> value
function figures.take(skills, node, failed)
  local taken = {}
  for _, s in ipairs(skills) do
    local answer = async.all { function() return skill.snapshot(in_use.now(s), node) end }[1]
    if answer.ok and type(answer.value) == "table" then
      for field, value in pairs(answer.value) do
        if type(value) == "number" and not OF_THE_LOOK[field] then taken[("%s.%s"):format(s.name, field)] = value end
      end
    elseif not async.current().cancelled then
      failed(s.name, tostring(answer.err):match "^[^\n]*")
    end
  end
  return taken
end

---@return number?   seconds, where the node says it
function figures.uptime(node)
  local base = skill.open "base"
  local identity = base and skill.snapshot(base, node)
  return identity and identity.uptime_seconds
end

return figures
