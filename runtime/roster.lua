--- Who is to look with what: the config's `operators` and `watchers`, each entry a skill's name or
--- { name = "redis", skill = "skills/redis.lua", mode = "continuous" }.

local failure = require "runtime.failure"
local files = require "runtime.files"
local foreign_skill = require "runtime.foreign_skill"
local skill = require "runtime.skill"
local uv = require "luv"

local roster = {}

---@class Post
---@field name string     what it is called by; the skill's, if left out
---@field skill string    a skill's name, or the path of its file
---@field mode "on_demand"|"continuous"

local FIELDS = { name = true, skill = true, mode = true }
local MODES = { on_demand = true, continuous = true }

-- A path is looked for beside the config first, for a service has no folder of its own.
local function place_of(name)
  if not name:find("/", 1, true) or name:match "^%.?%.?/" then return name end
  local beside = ("%s/%s"):format(files.config_home(), name)
  return uv.fs_stat(beside) and beside or name
end

local function fault_of(entry, modes)
  if type(entry) ~= "table" then return "must be a skill's name, or { name = …, skill = … }" end
  for key in pairs(entry) do
    if not FIELDS[key] then
      return ("knows no %s; it has name, skill%s"):format(tostring(key), modes and ", mode" or ""),
        failure.meant(key, { "name", "skill", modes and "mode" or nil })
    end
  end
  if type(entry.skill) ~= "string" or entry.skill == "" then return 'wants a skill: skill = "ets"' end
  if entry.name ~= nil and type(entry.name) ~= "string" then return "has a name that is no text" end
  if entry.mode ~= nil and not modes then return "has a mode, and is always continuous: take it out" end
  if entry.mode ~= nil and not MODES[entry.mode] then return "has a mode that is neither on_demand nor continuous" end
end

--- What such a list says.
---@param list any       of the config
---@param option "operators"|"watchers"
---@return Post[]?
---@return Failure? err
function roster.of(list, option)
  local posts, taken = {}, {}
  for key in pairs(list) do
    if type(key) ~= "number" then
      return nil, failure.in_config({ option, key }, ("%s has a field %s"):format(option, tostring(key)),
        ('it is a list: %s = { "beam", "ets" }'):format(option))
    end
  end
  for i, entry in ipairs(list) do
    if type(entry) == "string" then entry = { skill = entry } end
    local why, next_step = fault_of(entry, option == "operators")
    local name = not why and (entry.name or entry.skill:match "([^/]+)$":gsub("%.lua$", ""))
    if name and taken[name] then why = ("is called %s, as another one is"):format(name) end
    if why then
      return nil, failure.in_config({ option, i }, ("%s[%d] %s"):format(option, i, why),
        next_step or "see examples/config.lua")
    end
    taken[name] = true
    posts[i] = { name = name, skill = place_of(entry.skill), mode = entry.mode
      or (option == "watchers" and "continuous" or "on_demand") }
  end
  return posts
end

-- One that cannot be opened would be started again for ever, and never mend itself. A module is met on its node.
local function unopened(posts)
  for _, post in ipairs(posts) do
    local s, err
    if not foreign_skill.named(post.skill) then s, err = skill.open(post.skill) end
    if err and not s then
      return failure.new("config", ("the watcher %s: %s"):format(post.name, err.message), err.next, 2)
    end
  end
end

--- Whom a watch keeps on each node for ever: the watchers, and of the operators those that are continuous. Their
--- skills are there and load.
---@param o { watchers?: any, operators?: any }   settled options
---@return Post[]?
---@return Failure? err
function roster.standing(o)
  local posts, err = roster.of(o.watchers or {}, "watchers")
  local operators
  if posts then operators, err = roster.of(o.operators or {}, "operators") end
  if not operators then return nil, err end
  local taken = {}
  for _, post in ipairs(posts) do taken[post.name] = true end
  for _, post in ipairs(operators) do
    if post.mode == "continuous" and not taken[post.name] then posts[#posts + 1] = post end
  end
  err = unopened(posts)
  if err then return nil, err end
  return posts
end

return roster
