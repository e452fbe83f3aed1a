--- A skill is one domain of a node, written down as data. This file loads such a
--- file, checks its form, describes it to the model, and runs one of its callbacks.
--- It knows nothing of models, jails or sockets: a node is whatever has `query`,
--- `sleep` and what the skill says it uses.

local check_words = require "runtime.check_words"
local crypto = require "host.crypto"
local failure = require "runtime.failure"
local files = require "runtime.files"
local form = require "runtime.skill_form"
local json = require "runtime.json"

local skill = {}

-- Erlang that skills share: what the files of `skills/texts/` return, in one table, with what a skill
-- itself adds for its parts. And `object`, which marks a table as one with names: empty, it would be told
-- as an empty list, and as something else as soon as there is a name in it.
local function shared_texts(own)
  local shared = { object = json.object }
  for _, name in ipairs(files.list("skills/texts", ".lua")) do
    local text, file = files.read(("skills/texts/%s.lua"):format(name))
    if not text then return nil, file end
    local blocks, err = form.evaluate(text, file)
    if not blocks then return nil, err end
    for word, block in pairs(blocks) do shared[word] = block end
  end
  for word, block in pairs(own or {}) do shared[word] = block end
  return shared
end

--- The Erlang that skills share, for what is a skill without being a file.
---@return table<string, string>?
---@return Failure? err
function skill.texts() return shared_texts() end

--- Loads the text of a skill file. It is handed the texts that skills share as its argument. Whether
--- its callbacks clash with another skill's is the concern of whoever loads both.
---@param text string
---@param file string            for messages
---@return Skill?
---@return Failure? err          with file and line
function skill.load(text, file)
  local texts, unread = shared_texts()
  if not texts then return nil, unread end
  local s, err = form.evaluate(text, file, texts)
  if not s then return nil, err end
  local why, word = form.fault(s)
  if why then return nil, form.broken(why, word, text, file) end
  s.source, s.places = text, {}
  for name in pairs(s.queries) do s.places[name] = { text = text, file = file } end
  return s
end

--- Adds a part kept in a file of its own: `{ queries, callbacks, urgent? }`. The file is handed what
--- skills share and the skill's own `texts` as its argument.
---@param s Skill
---@return Skill?
---@return Failure? err
function skill.extend(s, text, file)
  local texts, unread = shared_texts(s.texts)
  if not texts then return nil, unread end
  local part, err = form.evaluate(text, file, texts)
  if not part then return nil, err end
  local function bad(why, word) return nil, form.broken(why, word, text, file) end
  for _, key in ipairs { "queries", "callbacks" } do
    if type(part[key]) ~= "table" then return bad(key .. " must be a table", key) end
    for name, value in pairs(part[key]) do
      if type(name) ~= "string" then return bad(("%s: %s is no name"):format(key, tostring(name)), key) end
      if s[key][name] then return bad(name .. " stands in another part too", name) end
      s[key][name] = value
      if key == "queries" then s.places[name] = { text = text, file = file } end
    end
  end
  local listed = form.list_fault(part, "urgent", "string")
  if listed then return bad(listed, "urgent") end
  for _, name in ipairs(part.urgent or {}) do
    s.urgent = s.urgent or {}
    s.urgent[#s.urgent + 1] = name
  end
  local hasty = form.urgent_fault(s)
  if hasty then return bad(hasty, "urgent") end
  for name, c in pairs(part.callbacks) do
    local why = form.callback_fault(s, c)
    if why then return bad(name .. ": " .. why, name) end
  end
  s.source = s.source .. text
  return s
end

-- A copy for each file, so that none can change another's.
local function words()
  local copy = {}
  for name, word in pairs(check_words) do copy[name] = word end
  return copy
end

--- Adds checks kept in a file of their own, which returns a list of them. The file is handed the
--- words that checks are written with.
---@param s Skill
---@return Skill?
---@return Failure? err
function skill.attach(s, text, file)
  local checks, err = form.evaluate(text, file, words())
  if not checks then return nil, err end
  local why, word = form.checks_fault(s, checks)
  if why then return nil, form.broken(why, word, text, file) end
  s.checks, s.source = s.checks or {}, s.source .. text
  for _, check in ipairs(checks) do s.checks[#s.checks + 1] = check end
  return s
end

--- Whether the node understands every query, so that a slip in one is told before a run stands on
--- it. Costs nothing for those that were parsed when the program was built.
---@param s Skill
---@param node table
---@return true?
---@return Failure? err          with file and line
function skill.parse(s, node)
  for name, text in pairs(s.queries) do
    local ok, err = node:parse(text)
    if not ok and not err.wrong then return nil, err end
    if not ok then
      local place = s.places[name]
      return nil, form.broken(("query %s does not parse: %s"):format(name, err.wrong), name, place.text, place.file)
    end
  end
  return true
end

-- The skill that every other one is given the callbacks of.
local GIVEN = "base"

--- The names that `open` knows. `base` is not among them: it is part of each.
---@return string[] sorted
function skill.names()
  local names = {}
  for _, name in ipairs(files.list("skills", ".lua")) do
    if name ~= GIVEN then names[#names + 1] = name end
  end
  return names
end

local function read(name)
  if name:find("/", 1, true) then
    local text, err = files.read_users(name, "skill")
    return text, text and name or err
  end
  local known = { [GIVEN] = true }
  for _, other in ipairs(skill.names()) do known[other] = true end
  for _, other in ipairs(known[name] and {} or skill.names()) do
    local text, file = files.read(("skills/%s.lua"):format(other))
    local s = text and form.evaluate(text, file, shared_texts() or {})
    for _, also in ipairs(s and type(s.also) == "table" and s.also or {}) do
      if also == name then return text, file end
    end
  end
  if not known[name] then
    local near = failure.nearest(name, skill.names())
    return nil, failure.new("skill", "there is no skill " .. name,
      near and ("did you mean %s?"):format(near) or "see `beamlens-run skills`", 2)
  end
  return files.read(("skills/%s.lua"):format(name))
end

-- What files of this folder add to a skill: those whose name fits, in the order of their names.
local function completed(s, folder, fits, add)
  for _, name in ipairs(files.list(folder, ".lua")) do
    if fits(name) then
      local text, file = files.read(("%s/%s.lua"):format(folder, name))
      if not text then return nil, file end
      local ok, err = add(s, text, file)
      if not ok then return nil, err end
    end
  end
  return s
end

-- Whose checks a file holds: of `my` and `my_skill` the latter has my_skill.lua and my_skill_cpu.lua.
local function owner(file_name, opened)
  local longest = ""
  for _, name in ipairs { opened, unpack(skill.names()) } do
    local fits = file_name == name or file_name:sub(1, #name + 1) == name .. "_"
    if fits and #name > #longest then longest = name end
  end
  return longest
end

-- Callbacks are what its aliases are checked against, and those of `base` and of its parts are in by now.
local function whole(s, file)
  local why, word = form.alias_fault(s)
  if why then return nil, form.broken(why, word, s.source, file) end
  return s
end

--- Adds the callbacks of `base`, where the skill has none of that name.
---@param s Skill
---@return Skill?
---@return Failure? err
function skill.give_base(s)
  local base, err = skill.open(GIVEN)
  if not base then return nil, err end
  for word, c in pairs(base.callbacks) do
    if not s.callbacks[word] then
      c.home = base
      s.callbacks[word] = c
    end
  end
  return s
end

--- A skill by name, or by the path of its file, with the callbacks of `base`, with its parts in
--- `skills/NAME/` and with the checks of `skills/checks/NAME.lua` and `NAME_*.lua` there.
---@param name string            "ets" or "./my_skill.lua"
---@return Skill?
---@return Failure? err
function skill.open(name)
  local text, file = read(name)
  if not text then return nil, file end
  local s, err = skill.load(text, file)
  if not s then return nil, err end
  if s.name ~= GIVEN then
    s, err = skill.give_base(s)
    if not s then return nil, err end
  end
  s, err = completed(s, "skills/" .. s.name, function() return true end, skill.extend)
  if not s then return nil, err end
  s, err = whole(s, file)
  if not s then return nil, err end
  return completed(s, "skills/checks", function(file_name) return owner(file_name, s.name) == s.name end, skill.attach)
end

--- What a report says about the version of a skill: twelve characters that change with its text.
---@param s Skill
---@return string
function skill.version(s) return crypto.sha256(s.source):sub(1, 12) end

local function number(arg, v)
  if not v or v ~= v then return nil, "a number" end
  if v < (arg.min or v) or v > (arg.max or v) then
    return nil, ("from %s to %s"):format(arg.min or "any", arg.max or "any")
  end
  return v
end

local DEEPEST = 16

-- Whether the codec and JSON both can say it: no list with named keys, no end in itself.
local function sayable(v, depth)
  if type(v) == "number" then return v == v and math.abs(v) ~= math.huge end
  if type(v) ~= "table" then return type(v) ~= "function" and type(v) ~= "thread" end
  if depth > DEEPEST or getmetatable(v) then return false end
  local listed = #v > 0
  for key, value in pairs(v) do
    if type(key) ~= (listed and "number" or "string") or not sayable(value, depth + 1) then return false end
  end
  return table.maxn(v) == #v
end

local accept = {
  any = function(_, v)
    if v == nil or not sayable(v, 1) then return nil, "a number, a text, true, false, a list or a table with names" end
    return v
  end,
  number = function(arg, v) return number(arg, tonumber(v)) end,
  integer = function(arg, v)
    v = tonumber(v)
    if not v or v % 1 ~= 0 then return nil, "an integer" end
    return number(arg, v)
  end,
  string = function(_, v)
    if type(v) ~= "string" then return nil, "a string" end
    return v
  end,
  choice = function(arg, v)
    for _, word in ipairs(arg.of) do if word == v then return v end end
    return nil, "one of " .. table.concat(arg.of, ", ")
  end,
}

--- The model's positional arguments as named ones, or what is wrong with them.
local function bind(name, args, given)
  local function refused(why) return nil, failure.new("usage", name .. why, nil, 2) end
  -- An argument dropped in silence would be an answer to another question.
  if table.maxn(given) > #args then
    return refused(#args == 0 and " takes no arguments"
      or (" takes at most %d argument%s, not %d"):format(#args, #args == 1 and "" or "s", table.maxn(given)))
  end
  local bound = {}
  for i, arg in ipairs(args) do
    local v = given[i]
    if v == nil then v = arg.default end
    local ok, want = accept[arg.type](arg, v)
    if ok == nil then return refused((": %s must be %s"):format(arg.name, want)) end
    bound[arg.name] = ok
  end
  return bound
end

-- Seconds. A node may be short of the very time it is asked for; an urgent question goes first there.
local USUAL_TIMEOUT, SNAPSHOT_TIMEOUT, URGENT_TIMEOUT = 30, 10, 5

-- How long the node may take: what it deliberately waits comes on top.
local function patience(callback, args)
  local seconds = callback.timeout or USUAL_TIMEOUT
  for _, arg in ipairs(callback.args or {}) do
    if arg.waits then seconds = seconds + args[arg.name] / 1000 end
  end
  return seconds
end

-- For a node that nobody keeps anything for: one of a spec, or of a script.
local NOBODY = {
  history = function() return {} end,
  events = {
    of = function() return { unavailable = "nobody listens to this node" } end,
    start = function() return nil, "nobody listens to this node" end,
    stop = function() end,
  },
}

-- What the runtime keeps of a node is made to measure for a skill, by `node.uses`.
local function handed(use, s, node)
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

--- The node as this skill may see it: its own queries, by name, and what it declared.
---@return SkillNode
local function restricted(s, node, patient)
  local seen = { sleep = node.sleep }
  for _, use in ipairs(s.uses or {}) do seen[use] = handed(use, s, node) end
  function seen.ask(name, bindings, seconds)
    if not s.queries[name] then error { skill = s.name, undeclared_query = name } end
    local variables = {}
    for key, value in pairs(bindings or {}) do variables[form.variable(key)] = value end
    local options = { timeout = seconds or patient }
    if contains(s.urgent, name) then
      options.priority, options.timeout = "high", math.min(options.timeout, URGENT_TIMEOUT)
    end
    return node.query(s.queries[name], variables, options)
  end
  return seen
end

---@return table? figures
---@return any err               a string or a Failure
function skill.snapshot(s, node)
  local seen = restricted(s, node, SNAPSHOT_TIMEOUT)
  local figures, err
  if type(s.snapshot) == "function" then figures, err = s.snapshot(seen) else figures, err = seen.ask(s.snapshot) end
  if type(figures) == "table" and node.past then node.past:figures(s.name, figures) end
  return figures, err
end

--- What is remembered of this node for the skill, for its checks.
---@return History
function skill.history(s, node) return handed("history", s, node) end

--- Whether this node has what the skill needs.
---@return true|string   or why not, and what would help
function skill.available(s, node)
  if not s.available then return true end
  return s.available(restricted(s, node, SNAPSHOT_TIMEOUT))
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
  local args, err = bind(name, callback.args or {}, all)
  if not args then return nil, err end
  local soon = too_soon(name, callback, node)
  if soon then return nil, name .. ": " .. soon end
  local seen = restricted(callback.home or s, node, patience(callback, args))
  local result
  if callback.run then
    result, err = callback.run(seen, args)
  else
    result, err = seen.ask(callback.query, args)
  end
  if result == nil then return nil, failure.is(err) and err or name .. ": " .. tostring(err) end
  return result
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

--- The callbacks as Markdown for the prompt, from the same table that runs them, and
--- what the checks say that an expert looks for.
---@param s Skill
---@return string
function skill.describe(s)
  local names, lines = {}, {}
  for name in pairs(s.callbacks) do names[#names + 1] = name end
  table.sort(names)
  for _, name in ipairs(names) do
    local c, params = s.callbacks[name], {}
    for i, arg in ipairs(c.args or {}) do params[i] = arg.name end
    lines[#lines + 1] = ("- `%s(%s)` %s%s Returns %s."):format(name, table.concat(params, ", "),
      c.class == "SAFE" and "" or c.class .. ". ", c.doc, table.concat(c.returns, ", "))
  end
  for _, check in ipairs(s.checks or {}) do
    if check.expert then lines[#lines + 1] = ("- look for %s: %s"):format(check.mechanism, check.expert) end
  end
  return table.concat(lines, "\n")
end

return skill
