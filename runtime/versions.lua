--- What a run goes by: the version of each prompt, skill and tool of the user that was used, and which took the place
--- of which while it went on. So a report can be read against the very texts that made it.

local in_use = require "runtime.in_use"
local json = require "runtime.json"
local skill = require "runtime.skill"

local versions = {}

local MOST_TOLD = 200 -- of a run without an end, the latest

---@class Versions
---@field generation? integer  of what is in use, when the run began; none when its skills were older even then
---@field private now table<string, table<string, string>>   kind -> name -> version
---@field private reloaded table[]
local Versions = {}
Versions.__index = Versions

---@param skills Skill[]
---@return Versions
function versions.new(skills)
  local self = setmetatable({ generation = in_use.generation(), reloaded = {},
    now = { prompt = json.object {}, skill = json.object {}, tool = json.object {} } }, Versions)
  for _, s in ipairs(skills) do
    self:uses("skill", s.name, skill.version(s))
    if in_use.now(s) ~= s then self.generation = nil end
  end
  return self
end

--- The run goes by this version from now on.
---@param kind "prompt"|"skill"|"tool"
function Versions:uses(kind, name, version)
  local before = self.now[kind][name]
  if before == version then return end
  self.now[kind][name] = version
  if not before then return end
  if #self.reloaded >= MOST_TOLD then table.remove(self.reloaded, 1) end
  self.reloaded[#self.reloaded + 1] = { kind = kind, name = name, from = before, to = version,
    at = os.date "!%Y-%m-%dT%H:%M:%SZ" }
end

---@return table   the form of a report's `versions`
function Versions:report()
  return { program = require "runtime.version", prompts = self.now.prompt, skills = self.now.skill,
    tools = self.now.tool, reloaded = self.reloaded }
end

return versions
