--- `health`: the figures that an on-call person asks for first, each beside its limit, and what to look at next. It
--- tells where to look; what is wrong, and why, is the work of a run.

local async = require "runtime.async"
local cells = require "runtime.cells"
local json = require "runtime.json"
local page = require "runtime.health.page"
local parts = require "runtime.health.parts"
local reached_by = require "runtime.reached_by"
local rules = require "runtime.health.rules"
local screen = require "runtime.screen"

local health = {
  usage = "health",
  words = 0,
  doc = "memory, processes, limits, queues in one look",
  examples = {
    { "beamlens-run health --node shop@host", "one screen" },
    { "beamlens-run health --node shop@host --json", "the same, for a program" },
    { "beamlens-run health --via docker:shop", "of a node in a container" },
  },
  more = [[
Each line is ok, wants attention, is bad, or is unknown, by rules of thumb: those that are broken, and those that tell
of load, are shown with their limits; JSON has all of them in `states`. They tell where to look and accuse nobody, so it
exits with 0 whatever they say, and with 4 where the node did not answer a part, which then says why. `beamlens-run
coordinator.lua` finds out what is wrong.
]],
}

local function worst(found)
  local state = "ok"
  for _, one in ipairs(found) do state = rules.worse(state, one.state) end
  return state
end

local function as_json(node, of, unanswered, found, o)
  local answer, states, commands = { schema = 1, node = node.name }, {}, {}
  for name, value in pairs(of) do answer[name] = value end
  answer.table_limit, answer.oban_version, answer.starved = nil, nil, nil
  if of.ets then of.ets.table_limit = of.table_limit end
  for i, one in ipairs(found) do
    states[i] = { what = one.what, state = one.state, figure = one.figure or json.null, unit = one.unit:match "%S+",
      attention = one.attention, bad = one.bad, load = one.load == true, pid = one.whose and one.whose.pid }
  end
  for i, command in ipairs(rules.commands(found)) do
    commands[i] = command:find "^explain " and "beamlens-run " .. command
      or reached_by.command(o, node.name, command)
  end
  answer.state, answer.states, answer.overloaded, answer.next = worst(found), states, rules.overloaded(found), commands
  answer.unanswered, answer.target_load = unanswered, { calls = node.load.calls, reductions = node.load.reductions,
    bytes = node.load.bytes, max_ms = node.load.max_ms }
  return json.encode(answer) .. "\n"
end

function health.run(call)
  local beamlens = require "runtime.beamlens"
  beamlens.options = call.options
  local node, err = beamlens.connect()
  if not node then return nil, err end
  node.deadline = async.now() + call.options.deadline
  local of, unanswered, exit = parts.ask(node)
  beamlens.close()
  if not of then return nil, unanswered end
  local found = rules.judge(of)
  if call.options.json then return as_json(node, of, unanswered, found, call.options), exit end
  local out = screen.out(call.options)
  out.utf8 = cells.is_utf8()
  return page.text(node, of, unanswered, found, call.options, out), exit
end

return health
