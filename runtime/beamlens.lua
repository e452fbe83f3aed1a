--- The API that scripts require as "beamlens". Options left out come from `beamlens.options`,
--- which is what the command line, the environment and the config file said.

local async = require "runtime.async"
local chunk_limits = require "runtime.chunk_limits"
local config = require "runtime.config"
local event_names = require "runtime.event_names"
local failure = require "runtime.failure"
local foreign_skill = require "runtime.foreign_skill"
local gate = require "runtime.gate"
local journal = require "runtime.journal"
local operating = require "runtime.operating"
local own_tools = require "runtime.own_tools"
local plain = require("runtime.plain").text
local policy = require "runtime.policy"
local privacy = require "runtime.privacy"
local progress = require "runtime.progress"
local reload = require "runtime.reload"
local reach = require "runtime.reach"
local sampler = require "runtime.sampler"
local sinks = require "runtime.sinks"
local skill = require "runtime.skill"
local slip = require "runtime.slip"
local telemetry = require "runtime.telemetry"

local beamlens = { options = {}, coordinator = {} }

local LONGEST_CONNECT_S = 10

local connected = {} -- nodes to be left when the program ends
local talking = 0    -- runs that show their progress

-- What a script may say beside the options of the command line.
local MORE = { task = true, occasion = true, report = true, mode = true, names = true, called = true, every = true }

local function is_node(v) return type(v) == "table" and type(v.query) == "function" end

-- The options of one call: what the script says, checked as the command line is, over what holds.
local function settled(opts)
  if opts ~= nil and type(opts) ~= "table" then
    slip("options must be a table, not a " .. type(opts), 'for example { node = "shop@host" }')
  end
  local given = {}
  for name, value in pairs(opts or {}) do
    if MORE[name] or name == "node" and is_node(value) then
      given[name] = value
    else
      local checked, err = config.check(tostring(name), value)
      if checked == nil then slip(err.message, err.next) end
      given[name] = checked
    end
  end
  return setmetatable(given, { __index = beamlens.options })
end

-- Attaches by options that were settled before.
local function attach(o)
  if not o.node then
    return nil, failure.new("usage", "no node was given", "name it: --node shop@host (or BEAMLENS_NODE)", 2)
  end
  if o.node:find(",", 1, true) then
    return nil, failure.new("usage", "several nodes were given: " .. o.node, "name one; only watch takes several", 2)
  end
  local hosts, err = reach.hosts(o.hosts)
  if not hosts then return nil, err end
  local node
  node, err = require("runtime.node").connect {
    name = o.node, cookie_file = o.cookie_file, port = o.port,
    deadline = async.now() + math.min(o.deadline, LONGEST_CONNECT_S), relays = not o.no_relays and {} or false,
  }
  if not node then return nil, err end
  reach.attach(node, hosts, function() return o.hosts end)
  connected[#connected + 1] = node
  return node
end

--- Attaches to a node.
---@param opts? { node: string, cookie_file: string, port: integer, deadline: number }
---@return table? node
---@return Failure? err
function beamlens.connect(opts) return attach(settled(opts)) end

local function leave(node)
  node:leave()
  for i, other in ipairs(connected) do
    if other == node then return table.remove(connected, i) end
  end
end

--- Leaves every node that was connected to.
function beamlens.close()
  operating.close()
  while connected[1] do leave(connected[1]) end
  sinks.close()
  require("runtime.store").close_all()
  if package.loaded["runtime.sandbox"] then require("runtime.sandbox").close() end
end

local function open(wanted, node)
  if foreign_skill.named(wanted) then return foreign_skill.open(wanted, node) end
  return reload.skill(wanted)
end

--- Opens skills by name or path, or by the name of a module on the node; two that share a callback's name cannot be
--- used together.
---@param names string[]
---@param node? table   where the modules are
---@return Skill[]? skills
---@return Failure? err
function beamlens.skills(names, node)
  local skills = {}
  for i, wanted in ipairs(names) do
    local s, err = open(wanted, node)
    if not s then return nil, err end
    skills[i] = s
  end
  local clash = skill.clash(skills)
  if clash then return nil, clash end
  return skills
end

-- A node that the script handed us stays its own; one that we attached to for the run is left.
local function finish(run, report, err)
  if run.talks then talking = talking - 1 end
  if talking == 0 then progress.stop() end
  if run.sampler then run.sampler:stop() end
  if run.unwatch then run.unwatch() end
  if run.began then require("runtime.run_told")(report, async.now() - run.began) end
  if run.journal then run.journal:ended(report) end
  if run.tape then run.tape:finish(report) end
  local node = run.attached or run.node
  if run.deadline then node.deadline = nil end
  if run.own then leave(node) end
  return report, err
end

-- Those of the run, which a script gives, and those of the chunks in it.
local function limits_of(o)
  local limits = { chunk = o.chunk and chunk_limits.of(o.chunk) }
  for name, value in pairs(o.limits or {}) do limits[name] = value end
  return limits
end

-- Everything that a run stands on: the node last, for it is the one that is felt elsewhere.
local function prepare(o, names, agent)
  local began = async.now()
  local ours = foreign_skill.others(names)
  local skills, err = beamlens.skills(ours)
  if not skills then return nil, err end
  local allowed, foreign = true, #ours < #names
  if not foreign then allowed, err = gate.check(o.allow, skills) end
  if not allowed then return nil, err end
  allowed, err = policy.load()
  if not allowed then return nil, err end
  allowed, err = own_tools.open()
  if not allowed then return nil, err end
  local alone
  if o.autonomy and #o.autonomy.runbooks > 0 then
    alone, err = require("runtime.autonomy").settle(o.autonomy, o.store)
    if not alone then return nil, err end
  end
  local mind
  mind, err = require("runtime.llm").choose(o)
  if not mind then return nil, err end
  local kept
  kept, err = journal.open(o)
  if kept == nil then return nil, err end
  local heard
  heard, err = sinks.start(o)
  if not heard then return nil, err end
  require("runtime.sandbox").allow_weak(o.sandbox == "allow-weak")
  progress.destination(mind, o.show_outgoing)
  local mask
  mask, err = privacy.open(not mind.destination or o.store == ":memory:")
  if not mask then return nil, err end
  if mask.why then io.stderr:write(plain(mask.why), "\n") end
  local talks = not o.quiet and o.names ~= "watcher" -- whose words are `watch`'s to tell
  if talks and talking == 0 then progress.start(o.show_outgoing) end
  talking = talking + (talks and 1 or 0)
  local deadline, node, own = o.mode ~= "continuous" and began + o.deadline or nil, o.node, not is_node(o.node)
  if own then
    node, err = attach(o)
    if not node then
      talking = talking - (talks and 1 or 0)
      if talking == 0 then progress.stop() end
      return nil, err
    end
  end
  node.deadline = deadline or node.deadline
  local begun = { node = node, own = own, talks = talks, deadline = deadline }
  mask:keep(node.name)
  node:conceal(mask)
  if mind.conceal then mind.conceal(mask) end
  sinks.conceal(function(other)
    node:conceal(other)
    if mind.conceal then mind.conceal(other) end
  end)
  local asked, tape = node, nil
  if o.record then
    tape, err = require("runtime.recording").begin(o.record, { agent = agent, node = node, mind = mind,
      privacy = mask, names = names, options = o })
    if not tape then return finish(begun, nil, err) end
    asked, mind = tape.node, tape.mind
  end
  if foreign then
    skills, err = beamlens.skills(names, asked)
    if skills then allowed, err = gate.check(o.allow, skills) end
    if not (skills and allowed) then return finish(begun, nil, err) end
  end
  for _, s in ipairs(skills) do
    local parsed
    parsed, err = skill.parse(s, node)
    if not parsed then return finish(begun, nil, err) end
  end
  if node.relays then node.relays:begin(skills) end -- what they hear from the first moment on is worth most
  local keeper = gate.new { allow = o.allow }
  return {
    node = asked, attached = node, own = own, talks = talks, skills = skills, skill = skills[1], mind = mind,
    gate = tape and tape:guarded(keeper) or keeper, tape = tape,
    reason = o.reason, occasion = o.occasion, task = o.task or o.reason, deadline = deadline, limits = limits_of(o),
    sampler = sampler.start(node, skills), privacy = mask, store = o.store, autonomy = alone,
    unwatch = reload.begin { node = node, skills = skills, options = beamlens.options },
    journal = kept or nil, began = began,
  }
end

--- One run of the coordinator with operators for the skills, on demand.
---@param opts? { node: string|table, skills: string[], reason: string, occasion: string, provider: string,
---  model: string, deadline: number, allow: string[] }   occasion: in words of yours, where `reason` are those of
---  somebody else, which agents then read inside a tool's result alone
---@return table? report   the form of `--json`
---@return Failure? err
function beamlens.coordinator.run(opts)
  local o = settled(opts)
  local names, err = operating.skills(o)
  if not names then return nil, err end
  local way, run
  way, err = require("runtime.strategy").open(o.strategy)
  if not way then return nil, err end
  run, err = prepare(o, names, "coordinator")
  if not run then return nil, err end
  run.strategy = way
  return finish(run, require("runtime.coordinator").run(run))
end

local means = { settled = settled, prepare = prepare, finish = finish, slip = slip }

--- Operators by themselves: run(skill, opts) -> report, run_async(skill, opts) -> Handle, start(skill, opts) -> Handle;
--- opts as for coordinator.run, and task, mode ("continuous"), names ("watcher"), every (seconds from look to look of a
--- mind that goes by rules).
beamlens.operator = operating.api(means)

--- Starts the continuous operators of the config.
---@param opts? table
---@return Handle[]?
---@return Failure? err
function beamlens.operators(opts) return operating.all(means, opts) end

-- The nodes of a watch, by name; one that the script attached to itself stays its own.
local function nodes_of(o)
  if is_node(o.node) then return { o.node.name }, o.node end
  local names, seen = {}, {}
  for name in tostring(o.node or ""):gmatch "[^,%s]+" do
    if not seen[name] then names[#names + 1] = name end
    seen[name] = true
  end
  if #names > 0 then return names end
  return nil, failure.new("usage", "no node was given", "name it, or several: --node shop@host,billing@host", 2)
end

--- Learns what is usual on nodes, and investigates what is not, until the task is cancelled.
---@param opts? { node: string|table, skills: string[], store: string, anomaly: table, report: fun(report: table),
---  provider: string, model: string, deadline: number }   node: several, with commas between; report: is handed each
---  report; deadline: of an investigation
---@return { reports: integer, sick: integer }?
---@return Failure? err
function beamlens.watch(opts)
  local o = settled(opts)
  local names, ours = nodes_of(o)
  if not names then return nil, ours end
  local heard, fault = sinks.start(o)
  if not heard then return nil, fault end
  return require("runtime.watch").run(o, {
    names = names, skills = beamlens.skills, options = beamlens.options,
    attach = function(name)
      if ours then return ours end
      return attach(setmetatable({ node = name }, { __index = o }))
    end,
    leave = function(node) if node ~= ours then leave(node) end end,
    operate = function(node, post)
      return beamlens.operator.start(post.skill, {
        node = node, mode = "continuous", names = "watcher", called = post.name,
        every = o.anomaly.collection_interval_ms / 1000, provider = o.escalate and "analyst" or o.provider,
      })
    end,
    investigate = function(node, reason, skills, occasion)
      local more = { node = node, reason = reason, occasion = occasion, skills = skills,
        allow = require("runtime.autonomy").allows(o) }
      for name, value in pairs(o) do more[name] = more[name] or value end -- what the script itself said
      return beamlens.coordinator.run(more)
    end,
  })
end

--- Puts an action on the list of those that a person decides on (`beamlens-run actions`). Nothing is done.
---@param name string
---@param arguments? table<string, any>   by name: { process = "orders_inbox" }
---@param opts? { node: string|table, reason: string, store: string }
---@return Proposal? proposal   its `id` is what a person approves
---@return Failure? err
function beamlens.action(name, arguments, opts)
  if type(name) ~= "string" then
    slip("action wants a name", 'for example action("gc_process", { process = "orders" })')
  end
  if arguments ~= nil and type(arguments) ~= "table" then
    slip("action wants its arguments by name", 'for example action("gc_process", { process = "orders" })')
  end
  local actions, o = require "runtime.actions", settled(opts)
  local _, unknown = actions.find(name)
  if unknown then slip(unknown.message, unknown.next) end
  local node, own, err = o.node, not is_node(o.node), nil
  if own then node, err = attach(o) end
  if not node then return nil, err end
  local s, proposal
  s, err = actions.store(o)
  if s then
    proposal, err = actions.propose(node, name, arguments or {}, { store = s, reason = o.reason,
      by = { kind = "script" } })
  end
  if own then leave(node) end
  return proposal, err
end

--- Hears an event: "operator.notification_sent", or "operator.*" for those of a kind, or "*" for all.
---@param event string
---@param fn fun(event: string, measurements: table, metadata: table)
---@return fun() off
function beamlens.on(event, fn)
  if type(event) ~= "string" or type(fn) ~= "function" then
    slip("on wants an event and a function", 'for example on("coordinator.insight_produced", fn)')
  end
  local name, why, next_step = event_names.read(event)
  if not name then slip(why, next_step) end
  return telemetry.on(name, fn)
end

-- What is kept of runs, for scripts: beamlens.store.runs(20), .run "r17", .insights("shop@host"), .history(…).
beamlens.store = require("runtime.runs").api(function()
  return require("runtime.store").shared(beamlens.options)
end)

--- Waits without holding anything up.
---@param seconds number
function beamlens.sleep(seconds)
  if type(seconds) ~= "number" or seconds < 0 or seconds ~= seconds then
    slip("sleep wants seconds", "for example sleep(0.5)")
  end
  return async.sleep(seconds)
end

--- Text of a node as it may stand on a terminal: without what would steer it.
---@param text any
---@return string
function beamlens.plain(text) return plain(tostring(text)) end

return setmetatable(beamlens, {
  __index = function(_, key)
    error(failure.new("script", "beamlens has no " .. tostring(key),
      "it has options, connect, coordinator.run, operator.run, operator.run_async, operator.start, operators, watch, "
        .. "action, store, on, sleep, plain", 2), 2)
  end,
})
