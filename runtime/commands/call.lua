--- `call NAME ARGS…`: one callback of one skill, as an operator would run it.

local failure = require "runtime.failure"
local gate = require "runtime.gate"
local json = require "runtime.json"
local render = require "runtime.render"
local skill = require "runtime.skill"

local call = {
  usage = "call NAME [ARGS…]",
  words = math.huge, -- the callback knows how many it takes
  doc = "one callback: call beam_top_processes 5 memory",
  more = "\nCallbacks with side effects want --allow caution, or --allow and their name.\n",
}

local function find(name)
  local names = {}
  for _, skill_name in ipairs(skill.names()) do
    local s, err = skill.open(skill_name)
    if not s then return nil, err end
    if s.callbacks[name] then return s end
    for callback in pairs(s.callbacks) do names[#names + 1] = callback end
  end
  local near = failure.nearest(name, names)
  return nil, failure.new("usage", "there is no callback " .. name,
    near and ("did you mean %s?"):format(near) or "`beamlens-run skills NAME` lists them", 2)
end

function call.run(c)
  local name = c.words[1]
  if not name then return nil, failure.new("usage", "no callback was named", "see `beamlens-run skills`", 2) end
  local s, err = find(name)
  if not s then return nil, err end
  local permitted
  permitted, err = gate.new({ allow = c.options.allow }):permit(name, s.callbacks[name].class)
  if not permitted then return nil, failure.of(err, "gate", 5) end
  local beamlens = require "runtime.beamlens"
  beamlens.options = c.options
  local node
  node, err = beamlens.connect()
  if not node then return nil, err end
  local result
  result, err = skill.call(s, name, { unpack(c.words, 2) }, node)
  beamlens.close()
  if result == nil then
    local wrong_argument = not failure.is(err) and tostring(err):find(" must be ", 1, true)
    return nil, failure.of(err, wrong_argument and "usage" or "query", wrong_argument and 2 or 4)
  end
  if c.options.json then
    return json.encode { schema = 1, node = node.name, callback = name, result = result } .. "\n", 0
  end
  return render.value(result), 0
end

return call
