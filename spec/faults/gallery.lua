--- Plants a case of the gallery in a fresh node and has the analyst look at it, with the whole
--- course of a run: coordinator, operators, sandbox, gate, link.

local analyst = require "runtime.llm.analyst"
local async = require "runtime.async"
local at_work = require "spec.support.at_work"
local coordinator = require "runtime.coordinator"
local gate = require "runtime.gate"
local live = require "spec.support.live_node"
local skill = require "runtime.skill"
local telemetry = require "runtime.telemetry"

local gallery = {}

-- A fault shows when it has gone on for a while, as it has when somebody is called.
local SETTLES_S = 1.5
-- As many nodes at a time as leave each of them something of this machine's CPU.
local AT_ONCE = 2

local FOLDER = "spec/faults/"

-- The compiled programs, in a folder of their own that is removed again.
local function compile(cases)
  local at = io.popen "mktemp -d"
  local folder = at:read "*l"
  at:close()
  local sources = {}
  for _, case in ipairs(cases) do
    if case.program then sources[#sources + 1] = FOLDER .. case.program .. ".erl" end
  end
  assert(os.execute(("erlc -o '%s' %s"):format(folder, table.concat(sources, " "))) == 0, "erlc failed")
  local code = {}
  for _, case in ipairs(cases) do
    if case.program then
      local f = assert(io.open(("%s/%s.beam"):format(folder, case.program), "rb"))
      code[case.program] = f:read "*a"
      f:close()
    end
  end
  os.execute(("rm -r '%s'"):format(folder))
  return code
end

local PLANT = [[
  {module, M} = code:load_binary(binary_to_atom(Name), "gallery", Code),
  M:start(),
  ok.]]

local function investigate(at, skills)
  local started = async.now()
  local report = assert(coordinator.run {
    node = at.node, skills = skills, gate = gate.new {}, reason = "",
    mind = { name = "analyst", model = "analyst", operator = analyst.operator, coordinator = analyst.coordinator },
  })
  report.seconds = async.now() - started
  return report
end

-- Nodes find their epmd through the environment, so one is started after another.
local starting = false
local function start()
  while starting do async.sleep(0.02) end
  starting = true
  local at = live.start()
  starting = false
  return at
end

--- Runs all cases. Called inside a task.
---@param cases Planted[]
---@return table<string, table>   the report of each case, by its name; `seconds` says how long it took,
---  `trail` what was looked at
function gallery.run(cases)
  local trails = {}
  local off = telemetry.on("*", function(event, _, about)
    if event ~= "operator.execute_start" and event ~= "operator.execute_error" then return end
    local trail = trails[about.trace_id] or {}
    trails[about.trace_id], trail[#trail + 1] = trail, about.code or about.reason
  end)
  local code, reports = compile(cases), {}
  local function open(names)
    local skills = {}
    for name in names:gmatch "[%w_]+" do skills[#skills + 1] = assert(skill.open(name)) end
    return skills
  end
  local function work(waiting)
    while #waiting > 0 do
      local case = table.remove(waiting, 1)
      local at = start()
      at.eval(at_work)
      if case.program then at.eval(PLANT, { Name = case.program, Code = code[case.program] }) end
      async.sleep(SETTLES_S)
      local report = investigate(at, open(case.skills or "beam,ets"))
      report.trail = table.concat(trails[report.trace_id] or {}, "; ")
      reports[case.case] = report
      at.stop()
    end
  end
  local alone, together = {}, {}
  for _, case in ipairs(cases) do table.insert(case.alone and alone or together, case) end
  local workers = {}
  for i = 1, AT_ONCE do workers[i] = function() work(together) end end
  for _, worker in ipairs(async.all(workers)) do assert(worker.ok, worker.err) end
  work(alone)
  off()
  return reports
end

return gallery
