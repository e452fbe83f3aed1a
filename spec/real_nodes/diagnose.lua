--- diagnose.lua COOKIE_FILE PORT…: investigates a RabbitMQ and an ejabberd by rules, with nothing planted, under load
--- and with each of the cases, twice: as a user who names no skills, and with all that look at a BEAM node. Ends with 1
--- unless every verdict, cause and object is right.

local async = require "runtime.async"
local beamlens = require "runtime.beamlens"
local cases = require "spec.real_nodes.cases"
local config = require "runtime.config"
local node = require "runtime.node"
local score = require "spec.diagnosis.score"

local cookie_file, amqp, xmpp = arg[1], tonumber(arg[2]), tonumber(arg[3])
local PATIENCE_S = 60

local ALL = { "beam", "ets", "gc", "logger", "exception", "ports", "sup", "system", "overload", "vm_events",
  "allocator" }
local OWN = { rabbit = "rabbitmq", ejabberd = "ejabberd" }

beamlens.options = assert(config.settle({}, function() end))

-- A node that boots is there before its applications are.
local function attach(name, booted)
  local deadline = async.now() + PATIENCE_S
  while true do
    local n, err = node.connect { name = name .. "@localhost", cookie_file = cookie_file }
    local status = n and booted and n:call("init", "get_status", {})
    if n and (not booted or status and tostring(status[1]) == "started") then return n end
    if n then n:close() end
    if async.now() > deadline then error(("%s does not come up: %s"):format(name, tostring(err)), 0) end
    async.sleep(0.1)
  end
end

-- As a person at its shell would, without the limits of a look.
local function evaluator(n)
  return function(text, variables)
    local value, err = n.query(text, variables or {}, { timeout = PATIENCE_S, heap_words = 0, priority = "normal",
      group_leader = "user" })
    if value == nil then error(tostring(err), 0) end
    return value
  end
end

local LOAD = [[begin {ok, M, B} = compile:file(binary_to_list(File), [binary]),
  {module, M} = code:load_binary(M, binary_to_list(File), B), ok end.]]

local function client()
  local on = evaluator(attach("client", true))
  for _, name in ipairs { "broker", "chatter" } do on(LOAD, { File = ("spec/real_nodes/%s.erl"):format(name) }) end
  return on
end

local function investigate(case, skills)
  local name = case.node .. "@localhost"
  local began = async.now()
  local report, err = beamlens.coordinator.run { node = name, cookie_file = cookie_file, skills = skills,
    provider = "analyst", quiet = true, store = ":memory:", deadline = 120 }
  if not report then return nil, tostring(err and err.message) end
  return report, async.now() - began
end

local function grave(report)
  local list = {}
  for _, i in ipairs(report.insights) do
    if i.severity ~= "info" then list[#list + 1] = i end
  end
  return list
end

-- What is wrong with what was said, nil where it is right.
local function fault(case, report, object)
  local said = grave(report)
  local first = said[1]
  if not case.truth then
    if report.verdict == "healthy" and not first then return nil end
    return first and ("%s: %s of %s"):format(report.verdict, first.root_cause.mechanism, first.root_cause.object)
      or ("%s: %s"):format(report.verdict, table.concat(report.would_tell, "; "))
  end
  if not first then return ("%s, and %s was to be found"):format(report.verdict, case.truth) end
  if first.root_cause.mechanism ~= case.truth or not score.names(first.root_cause.object, object) then
    return ("%s of %s first"):format(first.root_cause.mechanism, first.root_cause.object)
  end
  if #said > 1 then
    return ("also %s of %s"):format(said[2].root_cause.mechanism, said[2].root_cause.object)
  end
end

local function all_with(name)
  local skills = { unpack(ALL) }
  skills[#skills + 1] = OWN[name]
  return skills
end

local function one(case, on)
  local object = case.plant and case.plant(on) or case.object
  if case.truth and case.object then object = case.object end
  if case.settle then async.sleep(case.settle) end
  local wrong = 0
  for _, way in ipairs { { "default" }, { "all", all_with(case.node) } } do
    local report, seconds = investigate(case, way[2])
    local why = not report and seconds or report and fault(case, report, object)
    wrong = wrong + (why and 1 or 0)
    local cause = report and report.insights[1] and report.insights[1].root_cause
    print(("  %-9s %-44s %-8s %5.1f s  %-11s %s"):format(case.node, case.name, way[1], report and seconds or 0,
      report and report.verdict or "none", why and "WRONG: " .. why
        or cause and ("%s: %s"):format(cause.mechanism, cause.object) or ""))
    io.stdout:flush()
  end
  if case.finish then case.finish(on) end
  return wrong
end

local ok, wrong = pcall(async.run, function()
  attach("rabbit"):close()
  local on, wrong = { amqp = amqp, xmpp = xmpp }, 0
  for _, case in ipairs(cases) do
    if case.plant and not on.client then
      on.client = client()
      for _, name in ipairs { "rabbit", "ejabberd" } do on[name] = evaluator(attach(name, true)) end
    end
    wrong = wrong + one(case, on)
  end
  beamlens.close()
  return wrong
end)
if ok then print(("  %d of %d right"):format(2 * #cases - wrong, 2 * #cases)) else print(tostring(wrong)) end
os.exit(ok and wrong == 0 and 0 or 1)
