--- `skills [NAME]`: what each skill watches and needs; of one, every callback with its arguments, its fields, its
--- class and its cost. With --node it is asked whether it has what they need.

local failure = require "runtime.failure"
local files = require "runtime.files"
local foreign_skill = require "runtime.foreign_skill"
local json = require "runtime.json"
local plain = require "runtime.plain"
local quantity = require "runtime.counted"
local relay_form = require "runtime.relay_form"
local skill = require "runtime.skill"

local skills = {
  usage = "skills [NAME]",
  words = 1,
  doc = "what the skills watch, need and may be asked",
  takes = { "skill" },
  examples = {
    { "beamlens-run skills", "all skills" },
    { "beamlens-run skills ets", "of one: every callback with arguments, fields, class and cost" },
    { "beamlens-run skills --node shop@host", "whether that node has what they need" },
  },
}

local WIDTH, COLUMN = 80, 10

local function names_of(callbacks)
  local names = {}
  for name in pairs(callbacks) do names[#names + 1] = name end
  table.sort(names)
  return names
end

-- The events that a skill hears, of relays that can be read.
local function relays_of(s)
  local list = {}
  for _, name in ipairs(s.relays or {}) do
    local relay = relay_form.open(name)
    list[#list + 1] = { name = name, class = relay and relay.class, about = relay and relay.about }
  end
  return list
end

local function aliases_of(s, callback)
  local list = {}
  for alias, call in pairs(s.aliases or {}) do
    local given = { unpack(call, 2) }
    if call[1] == callback then list[#list + 1] = #given > 0 and { alias, given } or { alias } end
  end
  table.sort(list, function(a, b) return a[1] < b[1] end)
  return list
end

-- As JSON. `there` is what the node said of it, where it was asked.
local function row(s, there)
  local callbacks = {}
  for i, name in ipairs(names_of(s.callbacks)) do
    local c = s.callbacks[name]
    local aliases = aliases_of(s, name)
    for k, alias in ipairs(aliases) do aliases[k] = alias[1] end
    callbacks[i] = { name = name, class = c.class, doc = c.doc, args = c.args or {}, returns = c.returns, cost = c.cost,
      aliases = aliases }
  end
  local available = nil
  if there ~= nil then available = there == true end
  return {
    name = s.name, also = s.also or {}, title = s.title, about = s.about, needs = s.needs, relays = relays_of(s),
    available = available, unavailable = there ~= true and there or nil, callbacks = callbacks,
  }
end

-- Without what every skill has.
local function own(s)
  local names = {}
  for _, name in ipairs(names_of(s.callbacks)) do
    if not s.callbacks[name].home then names[#names + 1] = name end
  end
  return names
end

local function count(s, class)
  local n = 0
  for _, name in ipairs(own(s)) do if s.callbacks[name].class == class then n = n + 1 end end
  return n
end

-- Lines of at most WIDTH, each from the given column on; the first begins with `head`.
local function wrapped(head, text, column)
  head = plain.text(head)
  local lines, line = {}, head .. (" "):rep(column - #head)
  local blank = true
  for word in plain.text(text):gmatch "%S+" do
    if not blank and #line + 1 + #word > WIDTH then
      lines[#lines + 1], line, blank = line, (" "):rep(column), true
    end
    line, blank = line .. (blank and "" or " ") .. word, false
  end
  lines[#lines + 1] = line
  return table.concat(lines, "\n")
end

local function counted(s)
  local total, classes = #own(s), {}
  for _, class in ipairs { "CAUTION", "DANGEROUS" } do
    local n = count(s, class)
    if n > 0 then classes[#classes + 1] = ("%s %s"):format(n == total and "all" or n .. " of them", class) end
  end
  local all = quantity.of(total, "callback")
  if #classes == 0 then return all .. (total == 1 and ", SAFE" or ", all SAFE") end
  return ("%s, %s (they want --allow)"):format(all, table.concat(classes, ", "))
end

-- What is said of a skill beside what it watches.
local function terms(s, there)
  local lines = {}
  if s.also and #s.also > 0 then lines[1] = "also called " .. table.concat(s.also, ", ") end
  for _, relay in ipairs(relays_of(s)) do
    local class = relay.class == "CAUTION" and " (CAUTION)" or ""
    lines[#lines + 1] = ("listens on the node by relay: %s%s"):format(relay.name, class)
  end
  if s.needs then lines[#lines + 1] = "needs " .. s.needs end
  if there == true and s.needs then lines[#lines + 1] = "the node has it" end
  if there and there ~= true then lines[#lines + 1] = "not on this node: " .. there end
  return lines
end

local function overview(list, there, broken)
  local lines = {}
  for _, s in ipairs(list) do
    local head = #s.name < COLUMN and s.name or s.name .. " "
    lines[#lines + 1] = wrapped(head, s.about, math.max(COLUMN, #head))
    lines[#lines + 1] = wrapped("", counted(s), COLUMN)
    for _, line in ipairs(terms(s, there[s])) do lines[#lines + 1] = wrapped("", line, COLUMN) end
  end
  for _, b in ipairs(broken) do lines[#lines + 1] = ("%-9s does not load: %s"):format(b.name, plain.text(b.message)) end
  for _, said in ipairs(files.ignored()) do lines[#lines + 1] = plain.text(said) end
  return table.concat(lines, "\n") .. "\n"
end

local function bounds(arg)
  if arg.type == "choice" then return table.concat(arg.of, ", ") end
  local words = arg.type == "any" and "a number, a text, a list or a table" or "a " .. arg.type
  if arg.type == "integer" then words = "an integer" end
  if arg.min or arg.max then
    words = ("%s from %s to %s"):format(words, tostring(arg.min or "any"), tostring(arg.max or "any"))
  end
  return words
end

local function callback_text(s, name)
  local c, parameters = s.callbacks[name], {}
  for i, arg in ipairs(c.args or {}) do parameters[i] = arg.name end
  local lines = { plain.text(("%s(%s)  %s"):format(name, table.concat(parameters, ", "), c.class)),
    wrapped("", c.doc, 2) }
  local function say(head, text) lines[#lines + 1] = wrapped("  " .. head .. "  ", text, math.max(15, #head + 4)) end
  for _, arg in ipairs(c.args or {}) do
    local left_out = arg.default == "" and "; may be left out"
      or arg.default ~= nil and ("; %s if left out"):format(tostring(arg.default)) or ""
    say(arg.name, bounds(arg) .. left_out)
  end
  say("returns", table.concat(c.returns, ", "))
  if c.cost then say("cost", c.cost) end
  local aliases = aliases_of(s, name)
  for i, alias in ipairs(aliases) do
    aliases[i] = alias[2] and ("%s (%s)"):format(alias[1], table.concat(alias[2], ", ")) or alias[1]
  end
  if #aliases > 0 then say("also called", table.concat(aliases, ", ")) end
  return table.concat(lines, "\n")
end

-- Nothing of the skill that they are of.
local function given_to_all(s)
  local names = {}
  for _, name in ipairs(names_of(s.callbacks)) do
    if s.callbacks[name].home then names[#names + 1] = name .. "()" end
  end
  return #names > 0 and ("And, as every skill has: %s"):format(table.concat(names, ", ")) or nil
end

local function one(s, there)
  local parts = { plain.text(("%s: %s"):format(s.name, s.title)), wrapped("", s.about, 0) }
  for _, line in ipairs(terms(s, there)) do parts[#parts + 1] = wrapped("", line, 0) end
  parts[#parts + 1] = ""
  for _, name in ipairs(own(s)) do
    parts[#parts + 1] = callback_text(s, name)
    parts[#parts + 1] = ""
  end
  parts[#parts + 1] = given_to_all(s)
  for _, check in ipairs(s.checks or {}) do
    if check.expert then
      parts[#parts + 1] = wrapped("", ("look for %s: %s"):format(check.mechanism, check.expert), 2)
    end
  end
  return (table.concat(parts, "\n"):gsub("\n*$", "\n"))
end

-- All that there are; those that do not load apart.
local function all()
  local list, broken = {}, {}
  for _, name in ipairs(skill.names()) do
    local s, err = skill.open(name)
    list[#list + 1] = s
    if not s then broken[#broken + 1] = { name = name, message = err.message } end
  end
  return list, broken
end

local function named(wanted, node)
  if foreign_skill.named(wanted) then return foreign_skill.open(wanted, node) end
  local s, err = skill.open(wanted)
  if s or err.message ~= "there is no skill " .. wanted then return s, err end
  return nil, failure.new("usage", err.message, failure.meant(wanted, skill.names(), "see `beamlens-run skills`"), 2)
end

local function answer(call, node)
  local wanted, list, broken = call.words[1], {}, {}
  if wanted then
    local s, err = named(wanted, node)
    if not s then return nil, err end
    list[1] = s
  else
    list, broken = all()
  end
  local there = {}
  for _, s in ipairs(node and list or {}) do
    local harmless, err = skill.parse(s, node)
    if not harmless and wanted then return nil, err end
    local yes, why = harmless, err
    if harmless then yes, why = skill.available(s, node) end
    there[s] = yes == true or tostring(yes or why)
  end
  if call.options.json then
    local rows = {}
    for i, s in ipairs(list) do rows[i] = row(s, there[s]) end
    return json.encode { schema = 1, node = node and node.name, skills = rows, broken = broken } .. "\n", 0
  end
  return wanted and one(list[1], there[list[1]]) or overview(list, there, broken), 0
end

function skills.run(call)
  if not (call.options.node or call.options.via) then return answer(call) end
  local beamlens = require "runtime.beamlens"
  beamlens.options = call.options
  local node, err = beamlens.connect()
  if not node then return nil, err end
  local text, code = answer(call, node)
  beamlens.close()
  return text, code
end

return skills
