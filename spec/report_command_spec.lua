-- `report`: a kept run as Markdown on stdout, by the real program.

local uv = require "luv"
local handoff = require "runtime.handoff"
local json = require "runtime.json"
local live = require "spec.support.live_node"
local program = require "spec.support.program"

describe("report", function()
  local at, folder, whole

  local function run(...)
    return program.run({ ... }, { env = { HOME = at.home, ERL_EPMD_PORT = tostring(at.epmd_port),
      XDG_STATE_HOME = folder, BEAMLENS_SCRIPT = "spec/support/played_case.lua" } })
  end

  setup(function()
    at = live.start()
    folder = assert(uv.fs_mkdtemp "/tmp/spec-report-XXXXXX")
    live.test(function()
      local ran = run("coordinator.lua", "--node", at.name, "--cookie-file", at.cookie_file, "--skills", "ets",
        "--provider", "script", "--quiet", "--json")
      whole = assert(json.decode(ran.stdout), ran.stderr)
    end)()
  end)

  teardown(function()
    live.stop_all()
    os.execute(("rm -r '%s'"):format(folder))
  end)

  it("is the document of the latest run, and nothing else on stdout", live.test(function()
    local ran = run "report"
    assert.same({ 0, "", handoff.text(whole) }, { ran.code, ran.stderr, ran.stdout })
  end))

  it("is of the run that is named, by its number or its trace", live.test(function()
    local latest = run("report").stdout
    assert.equal(latest, run("report", "r1").stdout)
    assert.equal(latest, run("report", whole.trace_id:sub(1, 8)).stdout)
  end))

  it("stands in one JSON object where that is asked for", live.test(function()
    assert.same({ schema = 1, run = "r1", markdown = handoff.text(whole) }, json.decode(run("report", "--json").stdout))
  end))

  for word, said in pairs {
    r99 = "there is no run r99; `beamlens-run runs` lists them",
    yesterday = "yesterday is no run; name it as r17, or by its trace_id",
  } do
    it("says of what is no run that it is none: " .. word, live.test(function()
      local ran = run("report", word)
      assert.same({ 2, "", "beamlens-run: " .. said .. "\n" }, { ran.code, ran.stdout, ran.stderr })
    end))
  end

  it("says where nothing was kept yet what makes a run", function()
    live.test(function()
      local ran = program.run({ "report" }, { env = { HOME = folder, XDG_STATE_HOME = folder .. "/none" } })
      assert.same({ 2, "beamlens-run: no run is kept; `beamlens-run coordinator.lua` makes one\n" },
        { ran.code, ran.stderr })
    end)()
  end)
end)
