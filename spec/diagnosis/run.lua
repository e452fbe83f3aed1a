--- One run: plants a case on a fresh node, has it investigated as a user would, and keeps what is scored.

local async = require "runtime.async"
local baselines = require "spec.diagnosis.baselines"
local beamlens = require "runtime.beamlens"
local case_of = require "runtime.case"
local config = require "runtime.config"
local grounding = require "spec.diagnosis.grounding"
local node = require "runtime.node.init"
local planting = require "spec.diagnosis.planting"
local program = require "spec.diagnosis.program"
local quiet = require "spec.diagnosis.quiet"
local residue = require "spec.diagnosis.residue"
local target = require "spec.diagnosis.target"
local telemetry = require "runtime.telemetry"
local ticker = require "spec.diagnosis.ticker"

local run = {}

local SKILLS = { "beam", "ets", "gc", "logger", "exception", "ports", "sup", "system", "overload", "vm_events",
  "allocator" }
local DEADLINE_S = 120

beamlens.options = assert(config.settle({}, function() end))

-- The case of a run, whose observations are in no report.
local made
local new = case_of.new
case_of.new = function(...)
  made = new(...)
  return made
end

local function all_of(programs, field)
  local all = {}
  for _, p in ipairs(programs) do
    for _, t in ipairs(p[field]) do all[#all + 1] = t end
  end
  return all
end

local function settles_of(parts)
  local longest
  for _, part in ipairs(parts) do longest = part.settles and math.max(longest or 0, part.settles) or longest end
  return longest
end

-- What was looked at, for who wants to know why.
local function listening()
  local trail = {}
  local off = telemetry.on("*", function(event, _, about)
    if event == "operator.execute_start" or event == "operator.execute_error" then
      trail[#trail + 1] = tostring(about.code or about.reason)
    end
  end)
  return trail, off
end

-- As a user has it done.
local function by_the_program(link, provider)
  local report, err = beamlens.coordinator.run { node = link, skills = SKILLS, provider = provider, quiet = true,
    store = ":memory:", deadline = DEADLINE_S }
  return assert(report, err and tostring(err.message)), made.evidence
end

local function investigate(at, provider, kept)
  local began = async.now()
  local link = assert(node.connect { name = at.name, cookie_file = at.cookie_file, deadline = began + DEADLINE_S })
  local report, seen
  if baselines[provider] then
    report, seen = baselines[provider](link, assert(beamlens.skills(SKILLS)))
  else
    report, seen = by_the_program(link, provider)
  end
  kept.seconds = async.now() - began
  link:close()
  return report, seen
end

local function keep(kept, report, seen)
  kept.verdict, kept.would_tell = report.verdict, report.would_tell
  kept.insights = grounding.insights(report, function(id) return seen:get(id) end)
  kept.load, kept.usage, kept.footprint = report.target_load, report.usage, report.footprint
  kept.summary = report.insights[1] and report.insights[1].summary or nil
end

--- Inside a task. Whatever breaks is kept as a run that broke.
---@param job Job
---@param provider string
---@return Run
function run.make(job, provider)
  local programs = program.draw(job.parts, job.kind == "twin", job.seed)
  local kept = { case = job.case.name, kind = job.kind, seed = job.seed, truth = all_of(programs, "truth"),
    also = all_of(programs, "also"), insights = {}, accepts = job.case.accepts, busy = quiet.busy(),
    at = os.date "!%Y-%m-%dT%H:%M:%SZ" }
  local trail, off = listening()
  local at
  local ok, why = pcall(function()
    at = planting.start(programs, settles_of(job.case.parts))
    local before = residue.settings(at)
    kept.planted = true
    ticker.take(at, programs)
    local cpu = target.cpu(at.os_pid)
    keep(kept, investigate(at, provider, kept))
    local spent = target.cpu(at.os_pid) - cpu
    kept.late = ticker.take(at, programs)
    kept.residue, kept.left = residue.count(at, before)
    if kept.late then
      ticker.take(at, programs)
      kept.cpu_ms = math.max(0, spent - target.alone(at.os_pid) * kept.seconds) * 1000
      kept.late_alone = ticker.take(at, programs)
    end
  end)
  off()
  if at then at.stop() end
  kept.broke = not ok and tostring(why) or nil
  kept.trail = table.concat(trail, "; ")
  return kept
end

return run
