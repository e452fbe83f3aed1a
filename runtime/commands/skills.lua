--- `skills [NAME]`: what each skill watches and needs; of one, every callback with its arguments, its fields, its
--- class and its cost. With --node it is asked whether it has what they need.

local foreign_skill = require "runtime.foreign_skill"
local json = require "runtime.json"
local page = require "runtime.skills_page"
local screen = require "runtime.screen"
local skill = require "runtime.skill"
local sorted_keys = require "runtime.sorted_keys"

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

-- As JSON. `there` is what the node said of it, where it was asked.
local function row(s, there)
  local callbacks = {}
  for i, name in ipairs(sorted_keys(s.callbacks)) do
    local c = s.callbacks[name]
    local aliases = page.aliases(s, name)
    for k, alias in ipairs(aliases) do aliases[k] = alias[1] end
    callbacks[i] = { name = name, class = c.class, doc = c.doc, args = c.args or {}, returns = c.returns, cost = c.cost,
      aliases = aliases }
  end
  local available = nil
  if there ~= nil then available = there == true end
  return {
    name = s.name, also = s.also or {}, title = s.title, about = s.about, needs = s.needs, relays = page.relays(s),
    available = available, unavailable = there ~= true and there or nil, callbacks = callbacks,
  }
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
  return skill.open(wanted)
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
  local width = screen.page(call.options).width
  return wanted and page.of(list[1], there[list[1]], width) or page.overview(list, there, broken, width), 0
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
