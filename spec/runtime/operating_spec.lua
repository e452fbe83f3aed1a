-- Operators by scripts: the whole program with a script of a user's, against a live node.
local json = require "runtime.json"
local live = require "spec.support.live_node"
local program = require "spec.support.program"
local root = require("host.files").root

describe("a script's operators", function()
  local at

  setup(function()
    at = live.start { code = [[spawn(fun() -> ets:new(ledger, [named_table, public]),
      (fun L(I) -> ets:insert(ledger, {I, lists:seq(1, 300)}), timer:sleep(1), L(I + 1) end)(1) end).]] }
  end)
  teardown(live.stop_all)

  local function run(text, ...)
    local path = at:write("script.lua", 'local beamlens = require "beamlens"\n' .. text)
    return program.run({ path, "--node", at.name, "--provider", "analyst", "--quiet", ... },
      { env = { HOME = at.home, ERL_EPMD_PORT = tostring(at.epmd_port) } })
  end

  local function says(expected, text, ...)
    local result = run(text, ...)
    assert.same({ 0, expected }, { result.code, result.stdout }, result.stderr)
  end

  local CONFIG = [[return { operators = {
    { name = "machine", skill = "system" },
    { name = "for_ever", skill = "system", mode = "continuous" },
  } }]]

  it("tell what happens as it comes, and end with a report", live.test(function()
    says("notification\tledger\nstate\tnil\nended\tsick\n", [[
      local handle = assert(beamlens.operator.run_async("ets"))
      for item in handle:messages() do
        local n = item.notification
        print(item.kind, n and n.root_cause.object or item.report and item.report.verdict)
      end
      return 0]])
  end))

  it("have a task of their own, whatever leads to the node", live.test(function()
    local result = run [[return beamlens.operator.run("ets", { task = "the tables", via = "shell:exit 3" })]]
    assert.matches("^beamlens%-run: shell:exit 3: ", result.stderr)
  end))

  it("go on until they are stopped, and the script is told how they are", live.test(function()
    says("continuous\ttrue\tledger\ninterrupted\tsick\n", [[
      local handle = assert(beamlens.operator.start("ets", { mode = "continuous", every = 1 }))
      local item
      repeat item = handle:messages()() until item.kind == "notification"
      local s = handle:status()
      print(s.mode, s.running, item.notification.root_cause.object)
      handle:stop()
      local report = handle:join()
      print(report.incomplete, report.verdict)
      return 0]])
  end))

  it("end with the script that does not stop them, and leave the node", live.test(function()
    says("true\ninterrupted\n", [[
      beamlens.on("operator.loop_stopped", function(_, _, m) print(m.reason) end)
      local handle = assert(beamlens.operator.start("system", { mode = "continuous" }))
      print(handle:status().running)
      return 0]])
    assert.equal(1, at.eval "length(nodes(hidden)).") -- the specs' own connection
  end))

  it("are found by the names that the config gives them, and all are used where none is named", live.test(function()
    local config = at:write("config.lua", CONFIG)
    says("system\nsystem\n1\tcontinuous\nfor_ever\n", [[
      local report = assert(beamlens.operator.run("machine"))
      print(report.operators[1].skill)
      report = assert(beamlens.coordinator.run())
      for _, o in ipairs(report.operators) do print(o.skill) end
      local handles = assert(beamlens.operators())
      print(#handles, handles[1]:status().mode)
      print(handles[1].name)
      return 0]], "--config", config)
  end))

  -- Who looked in a run by the script that every page names, whatever words it adds.
  local function who_looked(operators, ...)
    local result = program.run({ "coordinator.lua", "--node", at.name, "--provider", "analyst", "--quiet", "--json",
      "--config", at:write("config.lua", "return { operators = " .. operators .. " }"), ... },
      { env = { HOME = at.home, ERL_EPMD_PORT = tostring(at.epmd_port) } })
    local report, skills = json.decode(result.stdout), {}
    for i, o in ipairs(report and report.operators or {}) do skills[i] = o.skill end
    return skills, result
  end

  it("are those of the config in coordinator.lua, too, but where --skills names others", live.test(function()
    assert.same({ "gc" }, (who_looked '{ "gc" }'))
    assert.same({ "system" }, (who_looked('{ "gc" }', "--skills", "system")))
    local _, refused = who_looked '{ { skill = "nope" } }'
    assert.equal(2, refused.code)
    assert.matches("there is no skill nope", refused.stdout)
  end))

  it("are those of the config without an end in continuous.lua, else the skills", live.test(function()
    local function kept_watch(config)
      local text = [[beamlens.on("operator.started", function(_, _, m) print(m.operator, m.mode) end)
      ]]
      local example = assert(io.open(root .. "/examples/continuous.lua"))
      text = text .. example:read "*a"
      example:close()
      local result = run(text, "--config", at:write("config.lua",
        ("return { limits = { node_reductions = 1 }, operators = %s }"):format(config)), "--skills", "system")
      assert.equal(0, result.code, result.stderr)
      return result.stdout:match "^[^\n]*"
    end
    assert.equal("gc\tcontinuous", kept_watch '{ { skill = "gc", mode = "continuous" } }')
    assert.equal("system\tcontinuous", kept_watch '{ "gc" }')
  end))

  it("give way to skills that are named", live.test(function()
    local config = at:write("config.lua", CONFIG)
    says("allocator\n", [[
      for _, o in ipairs(assert(beamlens.coordinator.run()).operators) do print(o.skill) end
      return 0]], "--config", config, "--skills", "allocator")
  end))

  it("wait for their turn where one of the same skill runs", live.test(function()
    says("+system\n-system\n+system\n-system\nhealthy\thealthy\n", [[
      beamlens.on("operator.started", function(_, _, m) print("+" .. m.operator) end)
      beamlens.on("operator.done", function(_, _, m) print("-" .. m.operator) end)
      local first = assert(beamlens.operator.run_async("system"))
      local second = assert(beamlens.operator.run_async("system"))
      print(first:join().verdict, second:join().verdict)
      return 0]])
  end))

  it("are refused with the line of the script where an option is no option", live.test(function()
    for text, why in pairs {
      ['beamlens.operator.start("ets", { mode = "often" })'] = "script%.lua:2: an operator has no mode often",
      ['beamlens.operator.start("ets", { every = "x" })'] = "script%.lua:2: every wants seconds",
      ["beamlens.sleep(0/0)"] = "script%.lua:2: sleep wants seconds",
      ['beamlens.operator.start("system", { mode = "continuous" }):join("5")'] = "script%.lua:2: join wants seconds",
      ['beamlens.operator.run("ets", { mode = "continuous" })'] =
        "script%.lua:2: operator%.run waits for the end, and continuous has none; use operator%.start",
      ["beamlens.operator.run_async(7)"] = "script%.lua:2: operator%.run_async wants a skill",
    } do
      local result = run(text)
      assert.equal(2, result.code)
      assert.matches(why, result.stderr)
    end
  end))
end)
