--- Where skills come from: their files, with their parts, their checks and what they share, each
--- checked for its form. What is run of a skill, and how, is runtime/skill.lua.

local check_words = require "runtime.check_words"
local effects = require "runtime.effects"
local failure = require "runtime.failure"
local files = require "runtime.files"
local form = require "runtime.skill_form"
local json = require "runtime.json"
local ours = require "host.files"
local relay_form = require "runtime.relay_form"

local skill_file = {}

-- Erlang that skills share: what the files of `skills/texts/` return, in one table, with what a skill
-- itself adds for its parts. And `object`, which marks a table as one with names: empty, it would be told
-- as an empty list, and as something else as soon as there is a name in it.
local function shared_texts(own)
  local shared, all_ours = { object = json.object }, true
  for _, name in ipairs(files.list("skills/texts", ".lua")) do
    local text, file, shipped = files.read(("skills/texts/%s.lua"):format(name))
    if not text then return nil, file end
    local blocks, err = form.evaluate(text, file, nil, shipped)
    if not blocks then return nil, err end
    all_ours = all_ours and shipped
    for word, block in pairs(blocks) do shared[word] = block end
  end
  for word, block in pairs(own or {}) do shared[word] = block end
  return shared, nil, all_ours
end

-- One text of them all, for the version of who stands on them.
local function joined(texts)
  local list = {}
  for word, block in pairs(texts) do list[#list + 1] = type(block) == "string" and word .. "\n" .. block or "" end
  table.sort(list)
  return table.concat(list, "\n")
end

-- A callback that is not ours is held to what its texts do. So are ours, with a user's text among them.
local function mark(callbacks, shipped)
  for _, c in pairs(callbacks) do c.theirs = not shipped or nil end
end

-- A function of a user's file raises what is wrong; who calls a callback reads it as its answer.
local function told(f, shipped)
  if shipped or type(f) ~= "function" then return f end
  return function(...)
    local results = { pcall(f, ...) }
    if results[1] then return unpack(results, 2, table.maxn(results)) end
    return nil, results[2]
  end
end

--- The Erlang that skills share, for what is a skill without being a file.
---@return table<string, string>?
---@return Failure? err
function skill_file.texts()
  local texts, err = shared_texts()
  return texts, err
end

--- Loads the text of a skill file. It is handed the texts that skills share as its argument. Whether
--- its callbacks clash with another skill's is the concern of whoever loads both.
---@param text string
---@param file string            for messages
---@param shipped? boolean       it is a file of ours: the others run confined, and are held to what their texts do
---@return Skill?
---@return Failure? err          with file and line
function skill_file.load(text, file, shipped)
  local texts, unread, all_ours = shared_texts()
  if not texts then return nil, unread end
  local s, err = form.evaluate(text, file, texts, shipped)
  if not s then return nil, err end
  local why, word = form.fault(s)
  if why then return nil, form.broken(why, word, text, file) end
  mark(s.callbacks, shipped and all_ours)
  s.theirs = not (shipped and all_ours) or nil
  for _, c in pairs(s.callbacks) do c.run = told(c.run, shipped) end
  s.snapshot, s.available = told(s.snapshot, shipped), told(s.available, shipped)
  s.source, s.shares, s.places = text, joined(texts), {}
  for name in pairs(s.queries) do s.places[name] = { text = text, file = file, theirs = s.theirs } end
  return s
end

--- Adds a part kept in a file of its own: `{ queries, callbacks, urgent? }`. The file is handed what
--- skills share and the skill's own `texts` as its argument.
---@param s Skill
---@return Skill?
---@return Failure? err
function skill_file.extend(s, text, file, shipped)
  local texts, unread, all_ours = shared_texts(s.texts)
  if not texts then return nil, unread end
  local part, err = form.evaluate(text, file, texts, shipped)
  if not part then return nil, err end
  if s.theirs then all_ours = false end
  local function bad(why, word) return nil, form.broken(why, word, text, file) end
  for _, key in ipairs { "queries", "callbacks" } do
    if type(part[key]) ~= "table" then return bad(key .. " must be a table", key) end
    for name, value in pairs(part[key]) do
      if type(name) ~= "string" then return bad(("%s: %s is no name"):format(key, tostring(name)), key) end
      if s[key][name] then return bad(name .. " stands in another part too", name) end
      s[key][name] = value
      if key == "queries" then s.places[name] = { text = text, file = file, theirs = not (shipped and all_ours) } end
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
    c.run = told(c.run, shipped)
  end
  mark(part.callbacks, shipped and all_ours)
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
function skill_file.attach(s, text, file, shipped)
  local checks, err = form.evaluate(text, file, words(), shipped)
  if not checks then return nil, err end
  local why, word = form.checks_fault(s, checks)
  if why then return nil, form.broken(why, word, text, file) end
  s.checks, s.source = s.checks or {}, s.source .. text
  for _, check in ipairs(checks) do s.checks[#s.checks + 1] = check end
  return s
end

local RANK = { SAFE = 1, CAUTION = 2, DANGEROUS = 3 }

-- Who asks a query, where that is written: the callback that it answers, or the snapshot. What is asked by
-- a function is known when it is asked; here, that some callback may ask it at all.
local function asked_by(s, query)
  local highest = { name = query == s.snapshot and "the snapshot" or s.name, class = "SAFE" }
  for name, c in pairs(s.callbacks) do
    if c.theirs and c.query == query then return { name = name, class = c.class } end
    if c.theirs and c.run and RANK[c.class] > RANK[highest.class] then highest = { name = name, class = c.class } end
  end
  return highest
end

-- The line that says this and nothing else does, in the skill's file or in one of the shared texts that is theirs.
local function place_of(written, place)
  if not written or #written < 4 then return nil end
  local looked_in = { { place.text, place.file } }
  for _, name in ipairs(files.list("skills/texts", ".lua")) do
    local text, file, shipped = files.read(("skills/texts/%s.lua"):format(name))
    if text and not shipped then looked_in[#looked_in + 1] = { text, file } end
  end
  for _, each in ipairs(looked_in) do
    local text, at = each[1], each[1]:find(written, 1, true)
    if at and not text:find(written, at + 1, true) then
      return each[2], select(2, text:sub(1, at):gsub("\n", "")) + 1
    end
  end
end

--- A refusal of effects.permit with the file and the line that is to blame, or else that of the query.
---@param err Failure
---@param name string   of the query
---@param place { text: string, file: string }
---@return Failure
function skill_file.placed(err, name, place)
  if err.stage ~= "gate" then return err end
  local file, line = place_of(err.written, place)
  local message = file and ("%s:%d: %s"):format(file, line, (err.message:gsub(" %(line %d+%)", "", 1)))
    or form.broken(err.message, name, place.text, place.file).message
  return failure.new("gate", message, err.next, err.exit)
end

-- Whether no text of theirs does more than what it is declared for, and no relay is theirs that nobody vouched for.
local function harmless(s, node)
  for name, text in pairs(s.queries) do
    local place = s.places[name]
    if place.theirs then
      local by = asked_by(s, name)
      local ok, err = effects.permit(node, text, by.class, ("query %s of %s"):format(name, by.name))
      if not ok then return nil, skill_file.placed(err, name, place) end
    end
  end
  for _, name in ipairs(s.relays or {}) do
    local relay = relay_form.open(name)
    local ok, err = true, nil
    if relay then ok, err = effects.permit_relay(relay) end
    if not ok then return nil, err end
  end
  return true
end

--- Whether the node understands every query, so that a slip in one is told before a run stands on
--- it, and whether those of a user's file do no more than they declare. Costs nothing for those that were
--- parsed when the program was built.
---@param s Skill
---@param node table
---@return true?
---@return Failure? err          with file and line
function skill_file.parse(s, node)
  for name, text in pairs(s.queries) do
    local ok, err = node:parse(text)
    if not ok and not err.wrong then return nil, err end
    if not ok then
      local place = s.places[name]
      return nil, form.broken(("query %s does not parse: %s"):format(name, err.wrong), name, place.text, place.file)
    end
  end
  return harmless(s, node)
end

-- The skill that every other one is given the callbacks of.
local GIVEN = "base"

--- The names that `open` knows. `base` is not among them: it is part of each.
---@return string[] sorted
function skill_file.names()
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
  for _, other in ipairs(skill_file.names()) do known[other] = true end
  for _, other in ipairs(known[name] and {} or skill_file.names()) do
    local text, file, shipped = files.read(("skills/%s.lua"):format(other))
    local s = text and form.evaluate(text, file, shared_texts() or {}, shipped)
    for _, also in ipairs(s and type(s.also) == "table" and s.also or {}) do
      if also == name then return text, file, shipped end
    end
  end
  if not known[name] then
    local stem = name:match "^(.+)%.lua$"
    local near = known[stem] and stem or failure.nearest(name, skill_file.names())
    local next_step = near and ("did you mean %s?"):format(near) or "see `beamlens-run skills`"
    if stem and not near then next_step = "a file of your own is named by its path: ./" .. name end
    if ours.read(("examples/skills/%s.lua"):format(name)) then
      next_step = ("it is one of the examples: `beamlens-run init skills/%s.lua` makes it yours"):format(name)
    end
    return nil, failure.new("skill", "there is no skill " .. name, next_step, 2)
  end
  return files.read(("skills/%s.lua"):format(name))
end

-- What files of this folder add to a skill: those whose name fits, in the order of their names.
local function completed(s, folder, fits, add)
  for _, name in ipairs(files.list(folder, ".lua")) do
    if fits(name) then
      local text, file, shipped = files.read(("%s/%s.lua"):format(folder, name))
      if not text then return nil, file end
      local ok, err = add(s, text, file, shipped)
      if not ok then return nil, err end
    end
  end
  return s
end

-- Whose checks a file holds: of `my` and `my_skill` the latter has my_skill.lua and my_skill_cpu.lua.
local function owner(file_name, opened)
  local longest = ""
  for _, name in ipairs { opened, unpack(skill_file.names()) } do
    local fits = file_name == name or file_name:sub(1, #name + 1) == name .. "_"
    if fits and #name > #longest then longest = name end
  end
  return longest
end

--- The files that hold the checks of a skill.
---@param name string
---@return string[] paths   "skills/checks/ets.lua", …
function skill_file.check_files(name)
  local paths = {}
  for _, file_name in ipairs(files.list("skills/checks", ".lua")) do
    if owner(file_name, name) == name then paths[#paths + 1] = ("skills/checks/%s.lua"):format(file_name) end
  end
  return paths
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
function skill_file.give_base(s)
  local base, err = skill_file.open(GIVEN)
  if not base then return nil, err end
  for word, c in pairs(base.callbacks) do
    if not s.callbacks[word] then
      c.home = base
      s.callbacks[word] = c
    end
  end
  s.shares = (s.shares or "") .. base.source
  return s
end

--- A skill by name, or by the path of its file, with the callbacks of `base`, with its parts in
--- `skills/NAME/` and with the checks of `skills/checks/NAME.lua` and `NAME_*.lua` there.
---@param name string            "ets" or "./my_skill.lua"
---@return Skill?
---@return Failure? err
function skill_file.open(name)
  local text, file, shipped = read(name)
  if not text then return nil, file end
  local s, err = skill_file.load(text, file, shipped)
  if not s then return nil, err end
  s.opened = name
  if s.name ~= GIVEN then
    s, err = skill_file.give_base(s)
    if not s then return nil, err end
  end
  s, err = completed(s, "skills/" .. s.name, function() return true end, skill_file.extend)
  if not s then return nil, err end
  s, err = whole(s, file)
  if not s then return nil, err end
  local function mine(file_name) return owner(file_name, s.name) == s.name end
  return completed(s, "skills/checks", mine, skill_file.attach)
end

return skill_file
