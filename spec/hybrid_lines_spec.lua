-- Rules read the lines of a log as they came; the model that goes on from there reads templates of them.

local async = require "runtime.async"
local json = require "runtime.json"
local live = require "spec.support.live_node"
local program = require "spec.support.program"
local provider = require "spec.support.played_provider"
local until_true = require "spec.support.until_true"

local CRASHES = [[register(caller, spawn(fun() -> (fun L(I) -> spawn(fun() -> {ok, _} = {error, {down, I}} end),
  put(calls, I), timer:sleep(15), L(I + 1) end)(1) end)).]]

local MANY = "proplists:get_value(calls, element(2, process_info(whereis(caller), dictionary)), 0) >= 20."

describe("of lines of a log", function()
  local at, report, bodies

  setup(function()
    at = live.start { code = CRASHES }
    async.run(function()
      until_true("its crashes", function() return at.eval(MANY) end)
      local server = provider.start("anthropic", function(talk)
        return { calls = { { talk.system:find("Your only work is to doubt it", 1, true) and "stands" or "done", {} } } }
      end)
      local env = { ERL_EPMD_PORT = tostring(at.epmd_port), HOME = at.home, BEAMLENS_STRATEGY = "hybrid",
        ANTHROPIC_API_KEY = "sk-ant-spec-0123456789", ANTHROPIC_BASE_URL = server.url }
      local ran = program.run({ "coordinator.lua", "--node", at.name, "--skills", "exception", "--store", ":memory:",
        "--provider", "anthropic", "--json", "--quiet" }, { env = env })
      server.stop()
      report, bodies = assert(json.decode(ran.stdout), ran.stderr), {}
      for i, talk in ipairs(server.talks) do bodies[i] = talk.request.body end
    end)
  end)

  teardown(live.stop_all)

  it("rules see each, and prove what they would prove alone", function()
    assert.same({ "sick", "dependency_error_storm" }, { report.verdict, report.insights[1].root_cause.mechanism })
  end)

  it("a model sees what they have in common, and neither time nor process of one", function()
    local raw = {}
    for _, claim in ipairs(report.insights[1].evidence) do
      local field = claim.path:match "%.(%w+)$"
      if field == "pid" or field == "datetime" then raw[#raw + 1] = claim.value end
    end
    assert.equal(2, #raw)
    for _, body in ipairs(bodies) do
      for _, value in ipairs(raw) do assert.is_nil(body:find(value, 1, true)) end
    end
  end)
end)
