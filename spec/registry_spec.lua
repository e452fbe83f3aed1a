-- The whole program with several clients in its config: the first is down, the second goes on.

local json = require "runtime.json"
local live = require "spec.support.live_node"
local minds = require "spec.support.played_minds"
local played_run = require "spec.support.played_run"
local program = require "spec.support.program"
local provider = require "spec.support.played_provider"

local CONFIG = [[
return {
  prices = { qwen3 = { input = 1, output = 2 } },
  client_registry = { primary = "Main", clients = {
    { name = "Main", provider = "fallback", options = { strategy = { "Far", "Near" } } },
    { name = "Far", provider = "anthropic", options = { base_url = "http://127.0.0.1:1" },
      retry_policy = { max_retries = 1, first_ms = 1, busy_ms = 1 } },
    { name = "Near", provider = "openai-generic", options = { model = "qwen3", base_url = "%s/v1",
      api_key_env = "NEAR_KEY" } } } },
}
]]

describe("a registry in the config", function()
  setup(played_run.start)

  teardown(live.stop_all)

  local path

  local function configured(text)
    path = played_run.home() .. "/config.lua"
    local file = assert(io.open(path, "w"))
    file:write(text)
    file:close()
    return { "--config", path }
  end

  after_each(function() os.remove(path) end)

  it("has the next client find what the first could not", live.test(function()
    local server = provider.start("openai", minds.good)
    local args = configured(CONFIG:format(server.url))
    args[#args + 1] = "--json"
    local run = played_run.plain(args, { NEAR_KEY = "sk-near-0123456789" })
    server.stop()
    assert.same({}, server.refused)
    assert.equal(1, run.code, run.stderr)
    local report = json.decode(run.stdout)
    assert.same({ "sick", json.null, "orders_inbox" },
      { report.verdict, report.incomplete, report.insights[1].root_cause.object })
    local n, one = #server.talks, provider.usage
    assert.same({ "Main", n }, { report.usage.provider, report.usage.calls })
    assert.near(n * (one.input + one.written + one.read + 2 * one.output) / 1e6, report.usage.cost_usd, 1e-9)
    assert.matches("^sending what is found to 127.0.0.1:1, 127.0.0.1:%d+ %(claude%-haiku%-4%-5%-20251001, qwen3%)",
      run.stderr)
    assert.is_truthy(run.stderr:find("asking Near in place of Far", 1, true), run.stderr)
    for _, request in ipairs(server.requests) do
      assert.equal("Bearer sk-near-0123456789", request.headers.authorization)
    end
  end))

  it("is one client where one is named, and told like any provider", live.test(function()
    local args = configured(CONFIG:format "http://127.0.0.1:2")
    for _, word in ipairs { "--provider", "Near", "--json" } do args[#args + 1] = word end
    local run = played_run.plain(args, {})
    assert.equal(6, run.code, run.stderr)
    assert.matches("^sending what is found to 127.0.0.1:2 %(qwen3%)", run.stderr)
  end))

  it("ends the program before anything is asked when it is wrong", live.test(function()
    local run = played_run.plain(configured(CONFIG:gsub('"Far", "Near"', '"Far", "Neer"')), {})
    assert.equal(2, run.code)
    assert.matches("client_registry: Main: there is no client Neer; did you mean Near%?", run.stderr)
  end))

  it("is told by doctor, each client with its key", live.test(function()
    local args = configured(CONFIG:format "http://127.0.0.1:2")
    local run = program.run({ "doctor", unpack(args) },
      { env = played_run.environment { NEAR_KEY = "sk-near-0123456789" } })
    assert.is_truthy(run.stdout:find("Main: Far, claude-haiku-4-5-20251001, at 127.0.0.1:1; there is a key; "
      .. "Near, qwen3, at 127.0.0.1:2; there is a key", 1, true), run.stdout)
    assert.is_nil(run.stdout:find("sk-", 1, true))
  end))
end)
