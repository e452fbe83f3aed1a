--- A skill is one domain of a node, written down as data. This file runs one of its
--- callbacks, takes its snapshot, and describes it to the model; runtime/skill_file.lua finds and loads it.
--- It knows nothing of models, jails or sockets: a node is whatever has `query`,
--- `sleep` and what the skill says it uses.

local crypto = require "host.crypto"
local failure = require "runtime.failure"
local skill_arguments = require "runtime.skill_arguments"
local skill_file = require "runtime.skill_file"
local skill_node = require "runtime.skill_node"
local skill_words = require "runtime.skill_words"

-- Who has to do with skills needs both halves, and knows one name.
local skill = {
  open = skill_file.open, names = skill_file.names, load = skill_file.load, extend = skill_file.extend,
  attach = skill_file.attach, parse = skill_file.parse, texts = skill_file.texts, give_base = skill_file.give_base,
}

--- What a report says about the version of a skill: twelve characters that change with its text, and with that of
--- the files it shares with others.
---@param s Skill
---@return string
function skill.version(s) return crypto.sha256(s.source .. (s.shares or "")):sub(1, 12) end

local USUAL_TIMEOUT, SNAPSHOT_TIMEOUT = 30, 10 -- seconds

-- How long the node may take: what it deliberately waits comes on top.
local function patience(callback, args)
  local seconds = callback.timeout or USUAL_TIMEOUT
  for _, arg in ipairs(callback.args or {}) do
    if arg.waits then seconds = seconds + args[arg.name] / 1000 end
  end
  return seconds
end

-- What a skill reached is closed when its function ends, however that ends.
local function ended(close, ok, ...)
  close()
  if not ok then error((...), 0) end
  return ...
end

local function run(f, close, ...)
  if not close then return f(...) end
  return ended(close, pcall(f, ...))
end

---@return table? figures
---@return any err               a string or a Failure
function skill.snapshot(s, node)
  local seen, close = skill_node.of(s, node, SNAPSHOT_TIMEOUT,
    { name = "the snapshot", class = "SAFE", theirs = s.theirs })
  local figures, err
  if type(s.snapshot) == "function" then
    figures, err = run(s.snapshot, close, seen)
  else
    figures, err = seen.ask(s.snapshot)
  end
  if type(figures) == "table" and node.past then node.past:figures(s.name, figures) end
  return figures, err
end

--- What is remembered of this node for the skill, for its checks.
---@return History
function skill.history(s, node) return skill_node.kept("history", s, node) end

--- Whether this node has what the skill needs.
---@return true|string   or why not, and what would help
function skill.available(s, node)
  if not s.available then return true end
  local seen, close = skill_node.of(s, node, SNAPSHOT_TIMEOUT,
    { name = "available", class = "SAFE", theirs = s.theirs })
  return run(s.available, close, seen)
end

-- When a callback with `every` last ran on a node. It goes with the node object, so
-- nothing of it stays on the node itself, and another run of ours does not see it.
local last_run = setmetatable({}, { __mode = "k" })

local function too_soon(name, callback, node)
  if not callback.every then return end
  local ran, now = last_run[node] or {}, os.time()
  local since = ran[name] and now - ran[name]
  if since and since >= 0 and since < callback.every then
    return ("runs at most once in %d s, and ran %d s ago"):format(callback.every, since)
  end
  ran[name] = now
  last_run[node] = ran
end

--- What a name calls: an older name is one of the callbacks, with its first arguments.
---@param s Skill
---@param name string
---@return string callback
---@return any[] first
function skill.resolve(s, name)
  local call = s.aliases and s.aliases[name]
  if not call then return name, {} end
  return call[1], { unpack(call, 2) }
end

--- All names that can be called, the older ones too.
---@param s Skill
---@return string[] sorted
function skill.callable(s)
  local names = {}
  for name in pairs(s.callbacks) do names[#names + 1] = name end
  for name in pairs(s.aliases or {}) do names[#names + 1] = name end
  table.sort(names)
  return names
end

--- Runs one callback. What the model got wrong comes back as nil, err, worded so
--- that it can try again. `{ unavailable = why }` is a result like any other.
---@param s Skill
---@param name string
---@param given any[]
---@return any result
---@return any err               a string, or a Failure: the node's own, or stage "usage" for wrong arguments
function skill.call(s, name, given, node)
  local all
  name, all = skill.resolve(s, name)
  local callback = s.callbacks[name]
  if not callback then return nil, ("%s has no callback %s"):format(s.name, name) end
  local before = #all
  for i = 1, table.maxn(given) do all[before + i] = given[i] end -- among them may be nil
  local args, err = skill_arguments.bind(name, callback.args or {}, all)
  if not args then return nil, err end
  local soon = too_soon(name, callback, node)
  if soon then return nil, name .. ": " .. soon end
  local seen, close = skill_node.of(callback.home or s, node, patience(callback, args),
    { name = name, class = callback.class, theirs = callback.theirs })
  local result
  if callback.run then
    result, err = run(callback.run, close, seen, args)
  else
    result, err = seen.ask(callback.query, args)
  end
  if result == nil then return nil, failure.is(err) and err or name .. ": " .. tostring(err) end
  return result
end

--- Why these skills cannot be used together: two share a callback's name. Those with a home are the same for each.
---@param skills Skill[]
---@return Failure?
function skill.clash(skills)
  local owner = {}
  for _, s in ipairs(skills) do
    for _, name in ipairs(skill.callable(s)) do
      local callback = s.callbacks[name]
      if callback and not callback.home then
        if owner[name] then
          return failure.new("skill", ("%s and %s both have a callback %s"):format(owner[name], s.name, name),
            "rename one of them", 2)
        end
        owner[name] = s.name
      end
    end
  end
end

--- The callbacks as a script calls them. Here an err is raised: a script that does
--- not look for one must stop there and not reason on with nil.
---@return table<string, function>
function skill.functions(s, node)
  local functions = {}
  for _, name in ipairs(skill.callable(s)) do
    functions[name] = function(...)
      local result, err = skill.call(s, name, { ... }, node)
      if result == nil then error(err, 0) end
      return result
    end
  end
  return functions
end

--- The callbacks for the prompt, a line each.
skill.describe = skill_words.list

--- All about one callback, by any of its names.
---@param s Skill
---@param name string
---@return string?
function skill.help(s, name)
  local called = skill.resolve(s, name)
  local callback = s.callbacks[called]
  return callback and skill_words.whole(called, callback)
end

return skill
