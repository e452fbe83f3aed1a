--- The API that scripts require as "beamlens". Options left out come from `beamlens.options`,
--- which is what the command line, the environment and the config file said.

local async = require "runtime.async"
local failure = require "runtime.failure"
local gate = require "runtime.gate"
local progress = require "runtime.progress"
local skill = require "runtime.skill"
local telemetry = require "runtime.telemetry"

local beamlens = { options = {}, coordinator = {}, operator = {} }

local connected = {} -- nodes to be left when the program ends

local function settled(opts)
  return setmetatable({}, { __index = function(_, key)
    if opts and opts[key] ~= nil then return opts[key] end
    return beamlens.options[key]
  end })
end

--- Attaches to a node.
---@param opts? { node: string, cookie_file: string, port: integer, deadline: number }
---@return table? node
---@return Failure? err
function beamlens.connect(opts)
  local o = settled(opts)
  if not o.node then
    return nil, failure.new("usage", "no node was given", "name it: --node shop@host (or BEAMLENS_NODE)", 2)
  end
  local node, err = require("runtime.node").connect {
    name = o.node, cookie_file = o.cookie_file, port = o.port, deadline = async.now() + math.min(o.deadline, 30),
  }
  if node then connected[#connected + 1] = node end
  return node, err
end

--- Leaves every node that was connected to.
function beamlens.close()
  for i, node in ipairs(connected) do
    node:close()
    connected[i] = nil
  end
  if package.loaded["runtime.sandbox"] then require("runtime.sandbox").close() end
end

--- Opens skills by name or path; two that share a callback's name cannot be used together.
---@param names string[]
---@return Skill[]? skills
---@return Failure? err
function beamlens.skills(names)
  local skills, owner = {}, {}
  for i, wanted in ipairs(names) do
    local s, err = skill.open(wanted)
    if not s then return nil, err end
    for name, callback in pairs(s.callbacks) do
      if owner[name] and not callback.home then -- those with a home are the same for every skill
        return nil, failure.new("skill", ("%s and %s both have a callback %s"):format(owner[name], s.name, name),
          "rename one of them", 2)
      end
      owner[name] = s.name
    end
    skills[i] = s
  end
  return skills
end

-- Everything that a run stands on: the node last, for it is the one that is felt elsewhere.
local function prepare(opts, names)
  local o = settled(opts)
  local skills, err = beamlens.skills(names)
  if not skills then return nil, err end
  local mind
  mind, err = require("runtime.llm").choose(o)
  if not mind then return nil, err end
  progress.destination(mind)
  if not o.quiet then progress.start() end
  local node = o.node
  if type(node) ~= "table" then
    node, err = beamlens.connect { node = node, cookie_file = o.cookie_file, port = o.port, deadline = o.deadline }
    if not node then
      progress.stop()
      return nil, err
    end
  end
  return {
    node = node, skills = skills, skill = skills[1], mind = mind, gate = gate.new { allow = o.allow },
    reason = o.reason, task = o.task or o.reason, deadline = async.now() + o.deadline, limits = o.limits,
  }
end

local function finished(report, err)
  progress.stop()
  return report, err
end

--- One run of the coordinator with operators for the skills, on demand.
---@param opts? { node: string|table, skills: string[], reason: string, provider: string, model: string,
---  deadline: number, allow: string[] }
---@return table? report   the form of `--json`
---@return Failure? err
function beamlens.coordinator.run(opts)
  local run, err = prepare(opts, opts and opts.skills or beamlens.options.skills)
  if not run then return nil, err end
  return finished(require("runtime.coordinator").run(run))
end

--- One operator alone.
---@param name string      a skill's name or path
---@param opts? table      as for coordinator.run, and `task`
---@return table? report
---@return Failure? err
function beamlens.operator.run(name, opts)
  local run, err = prepare(opts, { name })
  if not run then return nil, err end
  return finished(require("runtime.operator").run(run))
end

--- Hears an event: "operator.notification_sent", or "*" for all.
---@param event string
---@param fn fun(event: string, measurements: table, metadata: table)
---@return fun() off
function beamlens.on(event, fn) return telemetry.on((event:gsub("^beamlens%.", "")), fn) end

--- Waits without holding anything up.
---@param seconds number
function beamlens.sleep(seconds) return async.sleep(seconds) end

return setmetatable(beamlens, {
  __index = function(_, key)
    error(failure.new("script", "beamlens has no " .. tostring(key),
      "it has options, connect, coordinator.run, operator.run, on, sleep", 2), 2)
  end,
})
