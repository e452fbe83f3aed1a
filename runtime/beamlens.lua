--- The API that scripts require as "beamlens". Options left out come from `beamlens.options`,
--- which is what the command line, the environment and the config file said.

local async = require "runtime.async"
local attached = require "runtime.attached"
local config = require "runtime.config"
local event_names = require "runtime.event_names"
local failure = require "runtime.failure"
local operating = require "runtime.operating"
local plain = require("runtime.plain").text
local run_setup = require "runtime.run_setup"
local sinks = require "runtime.sinks"
local slip = require "runtime.slip"
local telemetry = require "runtime.telemetry"

local beamlens = { options = {}, coordinator = {} }

-- What a script may say beside the options of the command line, and as what it is kept: the task of an operator is none
-- of the option --task, which is of an ECS service.
local MORE = { task = "errand" }
for _, name in ipairs { "question", "occasion", "found", "report", "mode", "names", "called", "every" } do
  MORE[name] = name
end

-- The options of one call: what the script says, checked as the command line is, over what holds.
local function settled(opts)
  if opts ~= nil and type(opts) ~= "table" then
    slip("options must be a table, not a " .. type(opts), 'for example { node = "shop@host" }')
  end
  local given = {}
  for name, value in pairs(opts or {}) do
    if MORE[name] or name == "node" and attached.is_node(value) then
      given[MORE[name] or name] = value
    else
      local checked, err = config.check(tostring(name), value)
      if checked == nil then slip(err.message, err.next) end
      given[name] = checked
    end
  end
  return setmetatable(given, { __index = beamlens.options })
end

--- Attaches to a node.
---@param opts? { node: string, cookie_file: string, port: integer, deadline: number }
---@return table? node
---@return Failure? err
function beamlens.connect(opts) return attached.to(settled(opts)) end

--- Leaves every node that was connected to.
function beamlens.close()
  operating.close()
  attached.leave_all()
  sinks.close()
  require("runtime.store").close_all()
  if package.loaded["runtime.sandbox"] then require("runtime.sandbox").close() end
end

beamlens.skills = run_setup.skills

local function prepare(o, names, agent) return run_setup.begin(o, names, agent, beamlens.options) end

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
  local strategy, named = require "runtime.strategy", nil
  if o.strategy then
    named, err = strategy.open(o.strategy)
    if not named then return nil, err end
    o.also = named.also
  end
  local run
  run, err = prepare(o, names, "coordinator")
  if not run then return nil, err end
  run.strategy, run.found = named or strategy.open(strategy.usual(run.mind)), o.found
  return run_setup.finish(run, require("runtime.coordinator").run(run))
end

local means = { settled = settled, prepare = prepare, finish = run_setup.finish, slip = slip }

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
  if attached.is_node(o.node) then return { o.node.name }, o.node end
  local names, seen = {}, {}
  for name in tostring(o.node or ""):gmatch "[^,%s]+" do
    if seen[name] then
      return nil, failure.new("usage", ("the node %s is named twice"):format(name), "name each once", 2)
    end
    names[#names + 1], seen[name] = name, true
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
  o.report = rawget(o, "report") or false -- --report is a file's name, and of the script's own answer
  local names, ours = nodes_of(o)
  if not names then return nil, ours end
  local heard, fault = sinks.start(o)
  if not heard then return nil, fault end
  return require("runtime.watch").run(o, {
    names = names, skills = beamlens.skills, options = beamlens.options,
    attach = function(name)
      if ours then return ours end
      return attached.to(setmetatable({ node = name }, { __index = o }))
    end,
    leave = function(node) if node ~= ours then attached.leave(node) end end,
    operate = function(node, post)
      return beamlens.operator.start(post.skill, {
        node = node, mode = "continuous", names = "watcher", called = post.name,
        every = o.anomaly.collection_interval_ms / 1000, provider = o.escalate and "analyst" or o.provider,
      })
    end,
    investigate = function(node, reason, skills, occasion, found)
      local more = { node = node, reason = reason, occasion = occasion, found = found, skills = skills,
        no_input = true, -- nobody sits before an investigation that a watch began
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
  local node, own, err = o.node, not attached.is_node(o.node), nil
  if own then node, err = attached.to(o) end
  if not node then return nil, err end
  local s, proposal
  s, err = actions.store(o)
  if s then
    proposal, err = actions.propose(node, name, arguments or {}, { store = s, reason = o.reason,
      by = { kind = "script" } })
  end
  if own then attached.leave(node) end
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
