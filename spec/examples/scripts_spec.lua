-- The example scripts as a user runs them, in the shortest of their forms, on a live node with something to find.

local uv = require "luv"
local async = require "runtime.async"
local held = require "spec.support.held"
local json = require "runtime.json"
local live = require "spec.support.live_node"
local node = require "runtime.node.init"
local program = require "spec.support.program"
local root = require("host.files").root

-- It finds tools that never left, of which this spec leaves six there.
local SKILL = "./examples/own_skill.lua"

describe("the example", function()
  local at, tools, state

  local function start(...)
    return program.start({ ... }, { cwd = root, env = { HOME = at.home, XDG_STATE_HOME = state,
      BEAMLENS_NODE = at.name, ERL_EPMD_PORT = tostring(at.epmd_port) } })
  end

  local function run(...)
    local running = start(...)
    local code = running.wait()
    return { code = code, stdout = running.stdout(), stderr = running.stderr() }
  end

  -- Waits until it said this so often, and ends it as Ctrl-C does.
  local function run_until(pattern, times, ...)
    local running, deadline = start(...), async.now() + held.PATIENCE_S
    local function said() return select(2, running.stdout():gsub(pattern, "")) end
    while said() < times and async.now() < deadline do async.sleep(0.02) end
    running.kill "sigint"
    local code = running.wait()
    return { code = code, stdout = running.stdout(), stderr = running.stderr() }
  end

  setup(function()
    at = live.start()
    state = uv.fs_mkdtemp "/tmp/beamlens_spec_XXXXXX"
    tools = {}
    live.test(function()
      for i = 1, 6 do tools[i] = assert(node.connect { name = at.name, cookie_file = at.cookie_file }) end
    end)()
  end)
  teardown(function()
    for _, tool in ipairs(tools) do tool:close() end
    live.stop_all()
    os.execute("rm -rf " .. state)
  end)

  it("operator.lua looks with one skill and tells what it finds as it finds it", live.test(function()
    local result = run("operator.lua", "--json", "--quiet", "--reason", "who is attached", "--", SKILL)
    assert.equal(1, result.code, result.stderr)
    assert.equal("./examples/own_skill.lua (warning): many tools are attached at once\n", result.stderr)
    local report = json.decode(result.stdout)
    assert.same({ 1, "peers" }, { #report.operators, report.operators[1].skill })
  end))

  it("notify.lua hands each notification to a command, as the sentence that it comes to", live.test(function()
    local told = state .. "/told"
    local result = run("notify.lua", "--quiet", "--skills", SKILL, "--", ("cat >> '%s'"):format(told))
    assert.equal(1, result.code, result.stderr)
    local file = assert(io.open(told))
    local text = file:read "*a"
    file:close()
    assert.equal(1, select(2, text:gsub("\n", "")))
    assert.equal(("peers says of %s (warning): many tools are attached at once\n"):format(at.name), text)
  end))

  it("notify.lua prints them where no command is named", live.test(function()
    assert.matches("^peers says of [^\n]*: many tools are attached at once\n$",
      run("notify.lua", "--quiet", "--skills", SKILL).stdout)
  end))

  it("continuous.lua goes on until Ctrl-C, and says how it is and what changes", live.test(function()
    local result = run_until("says %(", 1, "continuous.lua", "--quiet", "--skills", SKILL, "--", "1")
    assert.equal(0, result.code, result.stdout .. result.stderr)
    assert.matches("peers says (warning): many tools are attached at once\n", result.stdout, 1, true)
    assert.matches("peers is warning: ", result.stdout)
  end))

  it("scheduled.lua looks again and again until Ctrl-C", live.test(function()
    local result = run_until("many tools", 2, "scheduled.lua", "--quiet", "--skills", SKILL, "--", "0.1")
    assert.equal(0, result.code, result.stdout .. result.stderr)
    assert.matches("^%d+%-%d%d%-%d%dT%d%d:%d%d:%d%dZ\tsick; [^\n]*\n%d+%-%d%d%-%d%dT%d%d:%d%d:%d%dZ\tsick; ",
      result.stdout)
    assert.is_nil(result.stdout:find("cannot_tell", 1, true)) -- a look that was interrupted is no look
  end))

  it("scheduled.lua tells a node that is away, and goes on", live.test(function()
    local result = run_until("\tno node named nobody", 2, "scheduled.lua", "--quiet", "--node", "nobody@127.0.0.1",
      "--", "0.1")
    assert.equal(0, result.code, result.stdout .. result.stderr)
    assert.matches("no node named nobody.*\n.*no node named nobody", result.stdout)
  end))

  it("on_alert.lua looks because of what the alert says", live.test(function()
    local result = run("on_alert.lua", "--json", "--quiet", "--", "memory alert", "triggered")
    assert.equal(0, result.code, result.stdout .. result.stderr)
    local report, skills = json.decode(result.stdout), {}
    for _, o in ipairs(report.operators) do skills[o.skill] = true end
    assert.same({ beam = true, ets = true, system = true }, skills)
    assert.equal("memory alert triggered", report.reason)
  end))

  it("on_alert.lua wants to be told what the alert says", live.test(function()
    local result = run("on_alert.lua", "--quiet")
    assert.equal(2, result.code)
    assert.equal('beamlens-run: no alert was given; put its words behind --: … -- "memory above 80 %"\n',
      result.stderr)
  end))

  it("own_skill.lua is no script, and says how it is used", live.test(function()
    local result = run(SKILL)
    assert.same({ 2, "" }, { result.code, result.stdout })
    assert.equal(("beamlens-run: %s is a skill, and no script; look with it: beamlens-run coordinator.lua "
      .. "--skills %s\n"):format(SKILL, SKILL), result.stderr)
  end))

  it("configs/operators.lua has a run use its operators, and those that are named instead", live.test(function()
    local function skills_of(...)
      local names = {}
      local result = run("coordinator.lua", "--json", "--quiet", "--config", "examples/configs/operators.lua", ...)
      for i, o in ipairs(json.decode(result.stdout).operators) do names[i] = o.skill end
      table.sort(names)
      return names
    end
    assert.same({ "beam", "ets" }, skills_of())
    assert.same({ "ets" }, skills_of("--skills", "tables"))
  end))
end)
