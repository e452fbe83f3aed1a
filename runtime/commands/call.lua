--- `call NAME ARGS…`: one callback of one skill, as an operator would run it.

local async = require "runtime.async"
local failure = require "runtime.failure"
local foreign_skill = require "runtime.foreign_skill"
local gate = require "runtime.gate"
local json = require "runtime.json"
local policy = require "runtime.policy"
local render = require "runtime.render"
local skill = require "runtime.skill"
local terminal = require "runtime.terminal"

local call = {
  usage = "call NAME [ARGS...]",
  words = math.huge, -- the callback knows how many it takes
  doc = "one callback: call beam_top_processes 5 memory",
  takes = { "callback", "argument" },
  examples = {
    { "beamlens-run call beam_get_memory --node shop@host", "one question, answered as a table" },
    { "beamlens-run call beam_top_processes 5 memory --node shop@host --json", "with arguments; as JSON" },
    { "beamlens-run call beam_binary_leak --allow caution --node shop@host", "one with a side effect (CAUTION)" },
  },
  more = "`skills NAME` lists the callbacks of a skill, with their arguments. Those with side effects want --allow "
    .. "caution, or --allow and their name; at a terminal they ask. Those of a file or of a module on the node want it "
    .. "named: --skills ./redis.lua, --skills MyApp.RedisSkill.",
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

-- What is typed for an argument of any type is JSON where it reads as such, else a text.
local function typed(callback, words)
  for i, arg in ipairs(callback.args or {}) do
    if arg.type == "any" and words[i] then
      local value = json.decode(words[i])
      if value ~= nil then words[i] = value end
    end
  end
  return words
end

local CANNOT_TELL, REFUSED = 4, 5

local NEXT = {
  asked = "answer y next time, or allow it with --allow %s",
  CAUTION = "allow it with --allow %s (or --allow caution), or run it at a terminal",
  DANGEROUS = "what changes a node is proposed and then approved: see `beamlens-run help actions`",
}

-- A side effect that was not allowed beforehand may be allowed at the terminal, this once.
local function permit(c, callback, class)
  local g = gate.new { allow = c.options.allow }
  local permitted, err = g:permit(callback, class)
  if permitted then return true end
  local effect = terminal.is_interactive(c.options) and gate.question(callback, class)
  local answer = effect and terminal.ask(("%s %s. Run it? [y/N]"):format(callback, effect))
  if answer == "y" or answer == "yes" then return true end
  if effect then
    return nil, failure.new("gate", ("%s %s; not run"):format(callback, effect), NEXT.asked:format(callback), REFUSED)
  end
  local held = policy.callback(callback, class)
  if held == "never" then
    return nil, failure.new("gate", "your policy forbids " .. callback, "see " .. policy.path(), REFUSED)
  end
  err.next = NEXT[held] and NEXT[held]:format(callback) or err.next -- what stands there speaks to a model
  return nil, err
end

-- The skill that a name belongs to: a file or one of the node's modules that `--skills` names, or one of ours.
-- Attached to the node is only who needs it for that.
local function owner(name, options, connect)
  for _, module in ipairs(options.skills) do
    if module:find("/", 1, true) then
      local s, err = skill.open(module)
      if not s then return nil, err end
      local callback = s.callbacks[skill.resolve(s, name)]
      if callback and not callback.home then return s end
    end
    if foreign_skill.named(module) then
      local node, err = connect()
      if not node then return nil, err end
      local theirs
      theirs, err = foreign_skill.open(module, node)
      if not theirs then return nil, err end
      local callback = theirs.callbacks[name]
      if callback and not callback.home then return theirs end
    end
  end
  return find(name)
end

local function answer(c, name, connect)
  local permitted, err = policy.load()
  if not permitted then return nil, err end
  local s
  s, err = owner(name, c.options, connect)
  if not s then return nil, err end
  permitted, err = gate.check(c.options.allow, { s })
  if not permitted then return nil, err end
  local callback = skill.resolve(s, name)
  permitted, err = permit(c, callback, s.callbacks[callback].class)
  if not permitted then return nil, err end
  local node
  node, err = connect()
  if not node then return nil, err end
  local result
  result, err = skill.call(s, name, typed(s.callbacks[callback], { unpack(c.words, 2) }), node)
  if result == nil then return nil, failure.of(err, "query", CANNOT_TELL) end
  local code = type(result) == "table" and result.unavailable and CANNOT_TELL or 0
  if c.options.json then
    return json.encode { schema = 1, node = node.name, callback = name, result = result } .. "\n", code
  end
  return render.value(result, "", require("runtime.screen").out().width), code
end

function call.run(c)
  local name = c.words[1]
  if not name then return nil, failure.new("usage", "no callback was named", "see `beamlens-run skills`", 2) end
  local beamlens, node = require "runtime.beamlens", nil
  beamlens.options = c.options
  local text, code = answer(c, name, function()
    if node then return node end
    local err
    node, err = beamlens.connect()
    if node then node.deadline = async.now() + c.options.deadline end
    return node, err
  end)
  beamlens.close()
  return text, code
end

return call
