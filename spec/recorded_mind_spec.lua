-- A run with a provider over HTTP, recorded: what stands in the cassette and what never does, and the same run again
-- with no server, no key and no node.

local async = require "runtime.async"
local json = require "runtime.json"
local live = require "spec.support.live_node"
local minds = require "spec.support.played_minds"
local program = require "spec.support.program"
local played_run = require "spec.support.played_run"

local REASON = "mail from ops@shop.example.com: queue high, password=" .. played_run.secret

local home, path, recorded, text

describe("a recorded mind", function()
  setup(function()
    played_run.start()
    home = played_run.home()
    path = home .. "/mind.cassette"
    async.run(function()
      recorded = played_run.finish(played_run.begin("anthropic", minds.good, {
        args = { "--json", "--reason", REASON, "--record", path } }))
    end)
    local file = assert(io.open(path, "rb"))
    text = file:read "*a"
    file:close()
  end)

  teardown(live.stop_all)

  local function replay(...)
    local ran = program.run({ "replay", path, "--json", ... }, { env = { HOME = home, ERL_EPMD_PORT = "1" } })
    return assert(json.decode(ran.stdout), ran.stderr), ran
  end

  it("comes to the same without a server, a key or a node", live.test(function()
    local again, ran = replay()
    assert.equal(1, ran.code)
    assert.same({ verdict = json.null, gone = {}, new = {}, versions = {}, requests = {}, without_reply = {},
      asked_anew = {}, unanswered = 0 }, again.replay.changed)
    local was = json.decode(recorded.stdout)
    assert.same(was.insights, again.report.insights)
    assert.same(was.usage.output_tokens, again.report.usage.output_tokens)
  end))

  it("is not told where anything would go, for nothing goes anywhere", live.test(function()
    local _, ran = replay()
    assert.equal("", ran.stderr)
  end))

  it("has no key in its file, and names for secrets", function()
    for _, never in ipairs { "Not4Anybody", played_run.secret, "ops@shop.example.com" } do
      assert.is_nil(text:find(never, 1, true), never)
    end
    assert.truthy(text:find("<secret:", 1, true))
  end)

  it("has nothing in its file that steers a terminal", function()
    assert.is_nil(text:find "[%z\1-\9\11-\31\127]")
  end)
end)
