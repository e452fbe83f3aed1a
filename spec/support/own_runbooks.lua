--- A user's settings and state in a folder of its own, with runbooks copied from the examples; and what follows
--- from one of them on a live node, as after an investigation.

local uv = require "luv"
local actions = require "runtime.actions"
local approval = require "runtime.approval"
local autonomy = require "runtime.autonomy"
local case_of = require "runtime.case"
local gate = require "runtime.gate"
local analyst = require "runtime.llm.analyst"
local held = require "spec.support.held"
local live = require "spec.support.live_node"
local policy = require "runtime.policy"
local skill = require "runtime.skill"
local state_home = require "spec.support.state_home"

local own = {}

local NOON = 12 * 60

--- A live node with some trouble on it, and the runbook for it in the user's folder.
---@param name string   of the runbook
---@param plant fun(at: table)   makes the trouble; inside a task
---@return table at   from live.start
function own.open(name, plant)
  own.folder = uv.fs_realpath(uv.fs_mkdtemp "/tmp/beamlens_spec_XXXXXX")
  os.execute(("mkdir -p -m 700 %s/beamlens/runbooks"):format(own.folder))
  uv.os_setenv("XDG_CONFIG_HOME", own.folder)
  state_home.open()
  policy.start()
  own.copy(name)
  local at = live.start()
  held.in_task(plant, at)
  return at
end

function own.close()
  live.stop_all()
  state_home.close()
  uv.os_unsetenv "XDG_CONFIG_HOME"
  os.execute("rm -rf " .. own.folder)
end

--- Copies an example, as `init` would.
---@param name string
---@param changes? table<string, string>   what its owner changes in it
function own.copy(name, changes)
  local file = assert(io.open(("%s/examples/runbooks/%s.lua"):format(require("host.files").root, name)))
  local text = file:read "*a"
  file:close()
  for from, to in pairs(changes or {}) do
    local first, last = text:find(from, 1, true)
    text = text:sub(1, first - 1) .. to .. text:sub(last + 1)
  end
  file = assert(io.open(("%s/beamlens/runbooks/%s.lua"):format(own.folder, name), "w"))
  file:write(text)
  file:close()
end

--- What the runbook does on a node where a run concluded that this is the trouble: rows of the report's actions.
---@param at table       from live.start
---@param name string
---@param o { skills: string[], mechanism: string, dry_run: boolean }
function own.follow(at, name, o)
  local skills = {}
  for i, word in ipairs(o.skills) do skills[i] = assert(skill.open(word)) end
  local case = case_of.new { node = at.node, skills = skills, gate = gate.new {},
    mind = { name = "analyst", operator = analyst.operator, coordinator = analyst.coordinator } }
  case.insights[1] = { id = "i1", severity = "critical", root_cause = { object = "it", mechanism = o.mechanism } }
  local settings = assert(autonomy.settle { runbooks = { name }, per_hour = 9, quiet_hours = "", dry_run = o.dry_run })
  autonomy.follow(case, settings, NOON)
  return case.proposals:rows()
end

--- Undoes what was done, as a person would: proposed, approved, done.
---@return table outcome
function own.undo(at, id)
  local store = assert(actions.store {})
  local undo = assert(actions.undoing(assert(actions.get(store, id))))
  local p = assert(actions.propose(at.node, undo.name, undo.args,
    { store = store, by = { kind = "person" }, given = undo.given }))
  return assert(actions.perform(at.node, assert(actions.approve(p, assert(approval.key {}))), { kind = "person" }))
end

return own
