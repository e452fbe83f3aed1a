--- Decides whether a callback may run, by its class and by what a person allowed for this run.
--- It knows classes and names, not what a callback does. What it refuses, it refuses in words
--- that tell the model to go on without and the person what would allow it.

local failure = require "runtime.failure"
local owner = require "runtime.policy"
local policy = require "sandbox.policy"

local gate = {}

---@class Gate
---@field private allowed table<string, true>
local Gate = {}
Gate.__index = Gate

--- Whether it may run now.
---@param name string   the callback
---@param class string  "SAFE", "CAUTION" or "DANGEROUS"; any other counts as the last
---@return true|nil
---@return Failure? err
function Gate:permit(name, class)
  local rule = policy[owner.callback(name, class)] or policy.DANGEROUS
  if rule.runs == "always" then return true end
  local function refused(more, next_step)
    return nil, failure.new("gate", ("%s %s%s"):format(name, rule.effect, more), next_step, 5)
  end
  if rule.runs == "allowed" then
    if self.allowed[rule.word] or self.allowed[name] then return true end
    return refused(" and was not allowed for this run", ("go on without it, or a person starts the run with "
      .. "--allow %s (or --allow %s)"):format(name, rule.word))
  end
  if rule.runs == "never" then return refused("", "go on without it") end
  return refused(" and runs only after a person confirmed exactly this action; no option allows it",
    "put it into next_steps instead")
end

--- Lets a callback run from now on: a person who was asked said yes. What nobody may be asked about stays refused.
---@param name string
function Gate:grant(name) self.allowed[name] = true end

--- Ends that.
---@param name string
function Gate:withdraw(name) self.allowed[name] = nil end

--- What a person who sits before it may be asked about: it was not allowed beforehand, and their yes is enough.
---@param name string
---@param class string
---@return string? effect   nil where nobody may be asked
function gate.question(name, class)
  local rule = policy[owner.callback(name, class)]
  return rule and rule.runs == "allowed" and rule.effect or nil
end

--- Whether `--allow` names only what there is: a slip there would quietly leave out what a person meant to allow.
---@param allow string[]
---@param skills Skill[]   those of the run
---@return true|nil
---@return Failure? err
function gate.check(allow, skills)
  local known, words = {}, {}
  for _, rule in pairs(policy) do if rule.word then known[rule.word] = true end end
  for _, s in ipairs(skills) do for name in pairs(s.callbacks) do known[name] = true end end
  for word in pairs(known) do words[#words + 1] = word end
  table.sort(words)
  for _, word in ipairs(allow) do
    if not known[word] then
      return nil, failure.new("usage", ("--allow knows no %s"):format(word), failure.meant(word, words,
        ("it takes %s, or a callback of the skills in use"):format(policy.CAUTION.word)), 2)
    end
  end
  return true
end

--- What `--allow` named: classes by their word, single callbacks by their name.
---@param options { allow?: string[] }
---@return Gate
function gate.new(options)
  local allowed = {}
  for _, word in ipairs(options.allow or {}) do allowed[word] = true end
  return setmetatable({ allowed = allowed }, Gate)
end

return gate
