--- Skills as text: an overview of them, and one with every callback, its arguments, its fields, its class and cost.

local counted = require "runtime.counted"
local files = require "runtime.files"
local filled = require "runtime.filled"
local plain = require("runtime.plain").text
local relay_form = require "runtime.relay_form"
local sorted_keys = require "runtime.sorted_keys"

local page = {}

local COLUMN = 10

--- The events that a skill hears, of relays that can be read.
---@param s Skill
---@return { name: string, class?: string, about?: string }[]
function page.relays(s)
  local list = {}
  for _, name in ipairs(s.relays or {}) do
    local relay = relay_form.open(name)
    list[#list + 1] = { name = name, class = relay and relay.class, about = relay and relay.about }
  end
  return list
end

--- What else a callback is called, and with which arguments then.
---@param s Skill
---@param callback string
---@return { [1]: string, [2]?: any[] }[]
function page.aliases(s, callback)
  local list = {}
  for _, alias in ipairs(sorted_keys(s.aliases)) do
    local call = s.aliases[alias]
    local given = { unpack(call, 2) }
    if call[1] == callback then list[#list + 1] = #given > 0 and { alias, given } or { alias } end
  end
  return list
end

-- Its own callbacks, or those that every skill has.
local function callbacks(s, of_all)
  local names = {}
  for _, name in ipairs(sorted_keys(s.callbacks)) do
    if (s.callbacks[name].home ~= nil) == of_all then names[#names + 1] = name end
  end
  return names
end

-- From the given column on; the first line begins with `head`.
local function wrapped(head, text, column, width)
  head = plain(head)
  return head .. (" "):rep(column - #head) .. filled.text(text, column, width)
end

-- How many it has, and which of them want leave.
local function amount(s)
  local own, classes, of = callbacks(s, false), {}, {}
  for _, name in ipairs(own) do
    local class = s.callbacks[name].class
    of[class] = (of[class] or 0) + 1
  end
  for _, class in ipairs { "CAUTION", "DANGEROUS" } do
    local n = of[class]
    if n then classes[#classes + 1] = ("%s %s"):format(n == #own and "all" or n .. " of them", class) end
  end
  local all = counted.of(#own, "callback")
  if #classes == 0 then return all .. (#own == 1 and ", SAFE" or ", all SAFE") end
  return ("%s, %s (they want --allow)"):format(all, table.concat(classes, ", "))
end

-- What is said of a skill beside what it watches.
local function terms(s, there)
  local lines = {}
  if s.also and #s.also > 0 then lines[1] = "also called " .. table.concat(s.also, ", ") end
  for _, relay in ipairs(page.relays(s)) do
    local class = relay.class == "CAUTION" and " (CAUTION)" or ""
    lines[#lines + 1] = ("listens on the node by relay: %s%s"):format(relay.name, class)
  end
  if s.needs then lines[#lines + 1] = "needs " .. s.needs end
  if there == true and s.needs then lines[#lines + 1] = "so it is on this node" end
  if there and there ~= true then lines[#lines + 1] = "not on this node: " .. there end
  return lines
end

--- All of them, those that do not load at the end.
---@param list Skill[]
---@param there table<Skill, true|string>   what the node said of each, where it was asked
---@param broken { name: string, message: string }[]
---@param width integer
---@return string
function page.overview(list, there, broken, width)
  local lines = {}
  for _, s in ipairs(list) do
    local head = #s.name < COLUMN and s.name or s.name .. " "
    lines[#lines + 1] = wrapped(head, s.about, math.max(COLUMN, #head), width)
    lines[#lines + 1] = wrapped("", amount(s), COLUMN, width)
    for _, line in ipairs(terms(s, there[s])) do lines[#lines + 1] = wrapped("", line, COLUMN, width) end
  end
  for _, b in ipairs(broken) do lines[#lines + 1] = ("%-9s does not load: %s"):format(b.name, plain(b.message)) end
  for _, said in ipairs(files.ignored()) do lines[#lines + 1] = plain(said) end
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

local function callback_text(s, name, width)
  local c, parameters = s.callbacks[name], {}
  for i, arg in ipairs(c.args or {}) do parameters[i] = arg.name end
  local lines = { plain(("%s(%s)  %s"):format(name, table.concat(parameters, ", "), c.class)),
    wrapped("", c.doc, 2, width) }
  local function say(head, text)
    lines[#lines + 1] = wrapped("  " .. head .. "  ", text, math.max(15, #head + 4), width)
  end
  for _, arg in ipairs(c.args or {}) do
    local left_out = arg.default == "" and "; may be left out"
      or arg.default ~= nil and ("; %s if left out"):format(tostring(arg.default)) or ""
    say(arg.name, bounds(arg) .. left_out)
  end
  say("returns", table.concat(c.returns, ", "))
  if c.cost then say("cost", c.cost) end
  local aliases = page.aliases(s, name)
  for i, alias in ipairs(aliases) do
    aliases[i] = alias[2] and ("%s (%s)"):format(alias[1], table.concat(alias[2], ", ")) or alias[1]
  end
  if #aliases > 0 then say("also called", table.concat(aliases, ", ")) end
  return table.concat(lines, "\n")
end

-- Nothing of the skill that they are of.
local function given_to_all(s)
  local names = callbacks(s, true)
  for i, name in ipairs(names) do names[i] = name .. "()" end
  return #names > 0 and ("And, as every skill has: %s"):format(table.concat(names, ", ")) or nil
end

--- One skill.
---@param s Skill
---@param there true|string|nil
---@param width integer
---@return string
function page.of(s, there, width)
  local parts = { plain(("%s: %s"):format(s.name, s.title)), wrapped("", s.about, 0, width) }
  for _, line in ipairs(terms(s, there)) do parts[#parts + 1] = wrapped("", line, 0, width) end
  parts[#parts + 1] = ""
  for _, name in ipairs(callbacks(s, false)) do
    parts[#parts + 1] = callback_text(s, name, width)
    parts[#parts + 1] = ""
  end
  parts[#parts + 1] = given_to_all(s)
  for _, check in ipairs(s.checks or {}) do
    if check.expert then
      parts[#parts + 1] = wrapped("", ("look for %s: %s"):format(check.mechanism, check.expert), 2, width)
    end
  end
  return (table.concat(parts, "\n"):gsub("\n*$", "\n"))
end

return page
