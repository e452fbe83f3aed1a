-- The example of a config that names who thinks: each way it has, with servers of ours in the places of Claude, of
-- Ollama and of a second machine.

local live = require "spec.support.live_node"
local minds = require "spec.support.played_minds"
local played_run = require "spec.support.played_run"
local provider = require "spec.support.played_provider"
local root = require("host.files").root

describe("the example configs/providers.lua", function()
  local config, claude, ollama, second

  -- As it stands, but for the addresses.
  local function copy()
    local file = assert(io.open(root .. "/examples/configs/providers.lua"))
    local text = file:read "*a"
    file:close()
    local changes = {
      ["http://localhost:11434"] = ollama.url, ["http://localhost:8000"] = second.url,
      ['model = "claude-haiku-4-5-20251001" }'] = ('model = "claude-haiku-4-5-20251001", base_url = "%s" }')
        :format(claude.url),
      ["max_retries = 2"] = "max_retries = 0",
    }
    for from, to in pairs(changes) do
      local first, last = text:find(from, 1, true)
      text = text:sub(1, first - 1) .. to .. text:sub(last + 1)
    end
    file = assert(io.open(config, "w"))
    file:write(text)
    file:close()
  end

  local down -- what Claude's server answers in place of an answer
  setup(function()
    played_run.start()
    config = os.tmpname()
  end)
  teardown(function()
    live.stop_all()
    os.remove(config)
  end)
  before_each(function()
    down = nil
    claude = provider.start("anthropic", minds.good, function(_, response)
      if not down then return end
      response:send(down, { type = "error", error = { type = "overloaded_error", message = "busy" } })
      return true
    end)
    ollama, second = provider.start("ollama", minds.good), provider.start("ollama", minds.good)
    copy()
  end)
  after_each(function()
    for _, server in ipairs { claude, ollama, second } do server.stop() end
  end)

  -- A run, and how many requests each server had.
  local function run(...)
    local result = played_run.plain({ "--config", config, "--skills", "beam", "--store", ":memory:", ... }, {})
    assert.equal(1, result.code, result.stdout .. result.stderr)
    assert.matches("orders_inbox: unhandled_messages", result.stdout)
    for _, server in ipairs { claude, ollama, second } do assert.is_nil(server.refused[1]) end
    return { #claude.talks, #ollama.talks, #second.talks }, result
  end

  it("has Claude think by default, and nobody else", live.test(function()
    local asked = run()
    assert.is_true(asked[1] > 0)
    assert.same({ 0, 0 }, { asked[2], asked[3] })
  end))

  it("has Ollama think where it is named, with the model of the config", live.test(function()
    local asked = run("--provider", "Ollama")
    assert.same({ 0, 0 }, { asked[1], asked[3] })
    assert.matches('"model":"llama3"', ollama.talks[1].request.body)
  end))

  it("goes on with Ollama where Claude cannot be had, and says so", live.test(function()
    down = 529
    local asked, result = run()
    assert.is_true(asked[2] > 0)
    assert.equal(0, asked[3])
    assert.matches("asking Ollama in place of Claude", result.stderr)
  end))

  it("shares the agents of a run among both by round robin", live.test(function()
    local asked = run("--provider", "Both")
    assert.equal(0, asked[1])
    assert.is_true(asked[2] > 0 and asked[3] > 0)
  end))
end)
