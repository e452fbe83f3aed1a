--- A watch: the monitor over one node, the store that it learns into, and an investigation whenever it
--- asks for one. It is handed what a run is made of, and knows neither command line nor script.

local anomaly = require "runtime.anomaly"
local autonomy = require "runtime.autonomy"
local llm = require "runtime.llm"
local policy = require "runtime.policy"
local sampler = require "runtime.sampler"
local skill = require "runtime.skill"
local store = require "runtime.store"

local watch = {}

-- The monitor is asked for by its skill, and investigations have a past to look back on.
local function go(node, o, kept, means)
  local ended = { reports = 0, sick = 0 }
  local skills, err = means.skills(o.skills, node)
  if not skills then return nil, err end
  for _, s in ipairs(skills) do
    local parsed
    parsed, err = skill.parse(s, node)
    if not parsed then return nil, err end
  end
  local single
  single, err = autonomy.check_callbacks(o.autonomy or {}, skills)
  if not single then return nil, err end
  local monitor
  monitor, err = anomaly.new {
    node = node, skills = skills, settings = o.anomaly, store = kept,
    trigger = function(reason)
      local report, why = means.investigate(node, reason)
      if not report then return nil, why end
      ended.reports, ended.sick = ended.reports + 1, ended.sick + (report.verdict == "sick" and 1 or 0)
      if o.report then o.report(report) end
      return true
    end,
  }
  if not monitor then return nil, err end
  node.uses.monitor = function() return monitor:view() end
  if node.relays then node.relays:begin(skills) end
  local sampling = sampler.start(node, skills)
  local _, gone = monitor:run()
  sampling:stop()
  node.uses.monitor = nil
  if gone then return nil, gone end
  return ended
end

--- Watches until the task is cancelled, or the node is gone for good.
---@param o table    settled options: skills, store, anomaly; report: is handed each report
---@param means { attach: fun(): table?, any; skills: fun(names: string[], node: table): Skill[]?, any;
---  investigate: fun(node: table, reason: string): table?, any }
---@return { reports: integer, sick: integer }?
---@return Failure? err
function watch.run(o, means)
  local mind, err = llm.choose(o) -- told now, and not when something is wrong at night
  if not mind then return nil, err end
  local ready
  ready, err = policy.load()
  if ready and o.autonomy then ready, err = autonomy.settle(o.autonomy, o.store) end
  if not ready then return nil, err end
  local kept
  kept, err = store.open(o.store or ":memory:")
  if not kept then return nil, err end
  local node, ended
  node, err = means.attach()
  if node then ended, err = go(node, o, kept, means) end
  kept:close()
  return ended, err
end

return watch
