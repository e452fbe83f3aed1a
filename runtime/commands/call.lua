--- `call NAME ARGS…`: one callback of one skill, as an operator would run it.

local failure = require "runtime.failure"
local gate = require "runtime.gate"
local json = require "runtime.json"
local render = require "runtime.render"
local skill = require "runtime.skill"

local call = {
  usage = "call NAME [ARGS...]",
  words = math.huge, -- the callback knows how many it takes
  doc = "one callback: call beam_top_processes 5 memory",
  more = "\nCallbacks with side effects want --allow caution, or --allow and their name.\n",
}

-- The skill that a callback's name begins with is opened first: what is wrong in another one does
-- not stand in the way.
local function find(name)
  local order, names, broken = {}, {}, nil
  for _, skill_name in ipairs(skill.names()) do
    local likely = name:sub(1, #skill_name + 1) == skill_name .. "_"
    table.insert(order, likely and 1 or #order + 1, skill_name)
  end
  for _, skill_name in ipairs(order) do
    local s, err = skill.open(skill_name)
    if s and s.callbacks[skill.resolve(s, name)] then return s end
    for _, callable in ipairs(s and skill.callable(s) or {}) do names[#names + 1] = callable end
    broken = broken or err
  end
  local near = failure.nearest(name, names)
  if broken and not near then return nil, broken end
  return nil, failure.new("usage", "there is no callback " .. name,
    near and ("did you mean %s?"):format(near) or "`beamlens-run skills NAME` lists them", 2)
end

local CANNOT_TELL = 4

function call.run(c)
  local name = c.words[1]
  if not name then return nil, failure.new("usage", "no callback was named", "see `beamlens-run skills`", 2) end
  local s, err = find(name)
  if not s then return nil, err end
  local permitted
  permitted, err = gate.check(c.options.allow, { s })
  if not permitted then return nil, err end
  local callback = skill.resolve(s, name)
  permitted, err = gate.new({ allow = c.options.allow }):permit(callback, s.callbacks[callback].class)
  if not permitted then return nil, failure.of(err, "gate", 5) end
  local beamlens = require "runtime.beamlens"
  beamlens.options = c.options
  local node
  node, err = beamlens.connect()
  if not node then return nil, err end
  local result
  result, err = skill.call(s, name, { unpack(c.words, 2) }, node)
  beamlens.close()
  if result == nil then return nil, failure.of(err, "query", CANNOT_TELL) end
  local code = type(result) == "table" and result.unavailable and CANNOT_TELL or 0
  if c.options.json then
    return json.encode { schema = 1, node = node.name, callback = name, result = result } .. "\n", code
  end
  return render.value(result), code
end

return call
