--- What a run stands on, made before it and put away after it: skills, mind, store, sinks, privacy, and the node last,
--- for it is the one that is felt elsewhere. What needs no node is refused before anybody attaches.

local async = require "runtime.async"
local attached = require "runtime.attached"
local chunk_limits = require "runtime.chunk_limits"
local foreign_skill = require "runtime.foreign_skill"
local gate = require "runtime.gate"
local joining = require "runtime.joining"
local journal = require "runtime.journal"
local own_tools = require "runtime.own_tools"
local person = require "runtime.person"
local plain = require("runtime.plain").text
local policy = require "runtime.policy"
local privacy = require "runtime.privacy"
local progress = require "runtime.progress"
local reload = require "runtime.reload"
local sampler = require "runtime.sampler"
local sinks = require "runtime.sinks"
local skill = require "runtime.skill"
local starting = require "runtime.starting"

local run_setup = {}

local talking = 0 -- runs that show their progress

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
function run_setup.skills(names, node)
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

--- Puts away what a run stood on. A node that the script handed us stays its own; one that we attached to is left.
---@param run table         from `begin`
---@param report table?
---@param err Failure?
---@return table? report    as given
---@return Failure? err
function run_setup.finish(run, report, err)
  if run.talks then talking = talking - 1 end
  if talking == 0 then progress.stop() end
  if run.sampler then run.sampler:stop() end
  if run.unwatch then run.unwatch() end
  if run.began then require("runtime.run_told")(report, async.now() - run.began) end
  if run.journal then run.journal:ended(report, run.tape and run.tape:path()) end
  if run.tape then run.tape:finish(report) end
  if run.unbound then run.unbound() end
  if run.own then attached.leave(run.attached or run.node) end
  return report, err
end

local finish = run_setup.finish

-- Those of the run, which a script gives, and those of the chunks in it.
local function limits_of(o)
  local limits = { chunk = o.chunk and chunk_limits.of(o.chunk) }
  for name, value in pairs(o.limits or {}) do limits[name] = value end
  return limits
end

-- Beside the run's own skills those that its strategy looks with itself: `--allow` may name their callbacks.
local function may_allow(o, skills)
  local all = { unpack(skills) }
  for _, name in ipairs(o.also or {}) do
    local s, err = skill.open(name)
    if not s then return nil, err end
    all[#all + 1] = s
  end
  return gate.check(o.allow, all)
end

-- What people wrote: skills (those of a module on the node come later), policy, tools and runbooks.
local function written(o, names)
  local ours = foreign_skill.others(names)
  local skills, err = run_setup.skills(ours)
  if not skills then return nil, err end
  local fine, foreign, alone = true, #ours < #names, nil
  if not foreign then fine, err = may_allow(o, skills) end
  if fine then fine, err = policy.load() end
  if fine then fine, err = own_tools.open() end
  if fine and o.autonomy and #o.autonomy.runbooks > 0 then
    alone, err = require("runtime.autonomy").settle(o.autonomy, o.store)
    fine = alone
  end
  if not fine then return nil, err end
  return { skills = skills, foreign = foreign, autonomy = alone }
end

-- Who thinks, what is kept, who is told, and what none of them may see.
local function surroundings(o)
  local mind, err = require("runtime.llm").choose(o)
  if not mind then return nil, err end
  local kept, heard, mask
  kept, err = journal.open(o)
  if kept == nil then return nil, err end
  heard, err = sinks.start(o)
  if not heard then return nil, err end
  require("runtime.sandbox").allow_weak(o.sandbox == "allow-weak")
  progress.destination(mind, o.show_outgoing)
  mask, err = privacy.open(not mind.destination or o.store == ":memory:")
  if not mask then return nil, err end
  if mask.why then io.stderr:write(plain(mask.why), "\n") end
  return { mind = mind, journal = kept or nil, mask = mask }
end

local function start_talking(o)
  if o.quiet or o.names == "watcher" then return false end -- whose words are `watch`'s to tell
  if talking == 0 then progress.start(o.show_outgoing) end
  talking = talking + 1
  return true
end

-- The node's secrets and those of the mind, before anything of either goes anywhere.
local function conceal(node, mind, mask)
  local function hide(other)
    node:conceal(other)
    if mind.conceal then mind.conceal(other) end
  end
  mask:keep(node.name)
  hide(mask)
  sinks.conceal(hide)
end

-- Skills that are modules on the node and those that join, where there are any; and each text of a skill as the node
-- understands it.
local function skills_there(o, names, texts, asked, node)
  local skills, fine, err = texts.skills
  if texts.foreign or #names > #skills then
    skills, err = run_setup.skills(names, asked)
    if not skills then return nil, err end
    fine, err = may_allow(o, skills)
    if not fine then return nil, err end
  end
  for _, s in ipairs(skills) do
    fine, err = skill.parse(s, node)
    if not fine then return nil, err end
  end
  return skills
end

--- Everything that a run needs. Inside a task.
---@param o table           settled options
---@param names string[]    of its skills
---@param agent "coordinator"|"operator"
---@param base table        the options that an edited config is put in force in
---@return table? run       for coordinator.run or operator.start, and then for `finish`
---@return Failure? err     then all is put away again
function run_setup.begin(o, names, agent, base)
  local began = async.now()
  local texts, around, err
  texts, err = written(o, names)
  if not texts then return nil, err end
  around, err = surroundings(o)
  if not around then return nil, err end
  local mind, mask, talks = around.mind, around.mask, start_talking(o)
  local node, own = o.node, not attached.is_node(o.node)
  if own then node, err = attached.to(o) end
  if not node then return finish({ talks = talks }, nil, err) end
  local deadline = o.mode ~= "continuous" and began + o.deadline or nil
  local begun = { node = node, own = own, talks = talks, unbound = node:bound(deadline) }
  conceal(node, mind, mask)
  local asked, tape = node, nil
  if agent == "coordinator" then
    if starting.wait(node) then names = joining.with(names, o, node) end
  end
  if o.record then
    tape, err = require("runtime.recording").begin(o.record, { agent = agent, node = node, mind = mind,
      privacy = mask, names = names, options = o })
    if not tape then return finish(begun, nil, err) end
    asked, mind = tape.node, tape.mind
  end
  local skills
  skills, err = skills_there(o, names, texts, asked, node)
  if not skills then return finish(begun, nil, err) end
  if node.relays then node.relays:begin(skills) end -- what they hear from the first moment on is worth most
  local keeper = gate.new { allow = o.allow }
  return {
    node = asked, attached = node, own = own, talks = talks, skills = skills, skill = skills[1], mind = mind,
    gate = tape and tape:guarded(keeper) or keeper, tape = tape,
    reason = o.reason, occasion = o.occasion, task = o.errand or o.reason, deadline = deadline, limits = limits_of(o),
    sampler = sampler.start(node, skills), privacy = mask, store = o.store, autonomy = texts.autonomy,
    question = o.question, ask_person = person.asker(o), show_person = person.shower(o),
    unwatch = reload.begin { node = node, skills = skills, options = base }, unbound = begun.unbound,
    journal = around.journal, began = began,
  }
end

return run_setup
