--- Fourteen operators at once on one node, with a model that answers at once and nothing waited for on purpose:
--- what is left is ours. The whole program, from its start to its exit code, and the most memory it had.

local uv = require "luv"
local async = require "runtime.async"
local json = require "runtime.json"
local live = require "spec.support.live_node"
local measure = require "spec.bench.measure"
local program = require "spec.support.program"

local SKILLS = "beam,ets,gc,allocator,overload,ports,sup,system,vm_events,logger,exception,ecto,oban,anomaly"
local RUNS = 7

local MODEL = [[
local function call(name, args) return { calls = { { name = name, args = args } } } end
local OPERATOR = {
  call "take_snapshot", call("execute", { code = "return get_node_info()" }),
  call("set_state", { state = "healthy", reason = "nothing found" }), call "done", call "done",
}
local skills = {}
for name in os.getenv("BENCH_SKILLS"):gmatch "[^,]+" do skills[#skills + 1] = name end
local COORDINATOR = {
  call("invoke_operators", { skills = skills }), call("wait", { ms = 60000 }), call "done", call "done",
}
return function(_, turn, who) return (who.agent == "operator" and OPERATOR or COORDINATOR)[turn] end
]]

-- Relays listen for two seconds before their skills answer; the window is set to nothing.
local SCRIPT = [[
local beamlens = require "beamlens"
require("runtime.relays").listening = 0
local report = assert(beamlens.coordinator.run())
io.stderr:write(io.open("/proc/self/status"):read "*a":match "VmHWM:%s*(%d+)", "\n")
return report
]]

local function write(path, text)
  local file = assert(io.open(path, "w"))
  file:write(text)
  file:close()
  return path
end

local function all_done(stdout)
  local report = json.decode(stdout)
  for _, operator in ipairs(report.operators) do
    if operator.state ~= "healthy" then return nil, operator.skill .. " is " .. operator.state end
  end
  return #report.operators == select(2, SKILLS:gsub(",", "")) + 1, "not all operators ran"
end

return async.run(function()
  local at = live.start()
  local model, script = write(at.home .. "/model.lua", MODEL), write(at.home .. "/run.lua", SCRIPT)
  local took, most = {}, 0
  for i = 0, RUNS do -- the first may have the node load something
    local began = uv.hrtime()
    local run = program.run({ script, "--node", at.name, "--cookie-file", at.cookie_file, "--provider", "script",
      "--skills", SKILLS, "--json", "--quiet", "--store", ":memory:" }, { env = { HOME = at.home, BENCH_SKILLS = SKILLS,
      BEAMLENS_SCRIPT = model, ERL_EPMD_PORT = tostring(at.epmd_port) } })
    took[i] = (uv.hrtime() - began) / 1e6
    assert(all_done(run.stdout), run.stderr)
    most = math.max(most, tonumber(run.stderr:match "(%d+)%s*$") / 1024)
  end
  at.stop()
  local ms = measure.median(took)
  return {
    { name = "14 operators at once, a model that answers at once (ms)", ours = ("%.0f ms"):format(ms), peer = "-",
      ratio = ms, target = "<= 400" },
    { name = "the same: peak memory (MB)", ours = ("%.1f MB"):format(most), peer = "-", ratio = most,
      target = "<= 60" },
  }
end)
