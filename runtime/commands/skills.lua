--- `skills [NAME]`: what each skill watches, and its callbacks with what they return.

local failure = require "runtime.failure"
local json = require "runtime.json"
local skill = require "runtime.skill"

local skills = {
  usage = "skills [NAME]",
  words = 1,
  doc = "what the skills watch, their callbacks and classes",
  more = "\nWith NAME: every callback of one skill with its arguments and fields.\n",
}

local function names_of(callbacks)
  local names = {}
  for name in pairs(callbacks) do names[#names + 1] = name end
  table.sort(names)
  return names
end

local function row(s)
  local callbacks = {}
  for i, name in ipairs(names_of(s.callbacks)) do
    local c = s.callbacks[name]
    callbacks[i] = { name = name, class = c.class, doc = c.doc, args = c.args or {}, returns = c.returns }
  end
  return { name = s.name, title = s.title, about = s.about, callbacks = callbacks }
end

local function count(callbacks, class)
  local n = 0
  for _, c in pairs(callbacks) do if c.class == class then n = n + 1 end end
  return n
end

local function text(list, broken)
  local lines = {}
  for _, s in ipairs(list) do
    local careful = count(s.callbacks, "CAUTION")
    lines[#lines + 1] = ("%-8s %s"):format(s.name, s.about)
    lines[#lines + 1] = ("%-8s %d callbacks%s"):format("", #names_of(s.callbacks),
      careful > 0 and (", %d of them CAUTION (run with --allow)"):format(careful) or ", all SAFE")
  end
  for _, b in ipairs(broken) do lines[#lines + 1] = ("%-8s does not load: %s"):format(b.name, b.message) end
  return table.concat(lines, "\n") .. "\n"
end

local function one(s)
  return ("%s: %s\n%s\n\n%s\n"):format(s.name, s.title, s.about, skill.describe(s))
end

function skills.run(call)
  local wanted, list, broken = call.words[1], {}, {}
  for _, name in ipairs(skill.names()) do
    if not wanted or wanted == name then
      local s, err = skill.open(name)
      if not s and wanted then return nil, err end
      list[#list + 1] = s
      if not s then broken[#broken + 1] = { name = name, message = err.message } end
    end
  end
  if wanted and #list == 0 then
    local near = failure.nearest(wanted, skill.names())
    return nil, failure.new("usage", "there is no skill " .. wanted,
      near and ("did you mean %s?"):format(near) or "see `beamlens-run skills`", 2)
  end
  if call.options.json then
    local rows = {}
    for i, s in ipairs(list) do rows[i] = row(s) end
    return json.encode { schema = 1, skills = rows, broken = broken } .. "\n", 0
  end
  return wanted and one(list[1]) or text(list, broken), 0
end

return skills
