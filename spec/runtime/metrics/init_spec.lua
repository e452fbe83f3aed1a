local events = require "runtime.events"
local exposition = require "spec.support.exposition"
local families = require "runtime.metrics.families"
local metrics = require "runtime.metrics"
local registry = require "runtime.metrics.registry"
local telemetry = require "runtime.telemetry"

local function sum(name)
  local total = 0
  for _, sample in ipairs((exposition.read(metrics.text())[name] or { samples = {} }).samples) do
    total = total + sample.value
  end
  return total
end

describe("the figures for Prometheus", function()
  before_each(metrics.start)
  after_each(metrics.stop)

  it("count runs by verdict, what they cost and what they asked of the node", function()
    for _ = 1, 2 do
      telemetry.emit("run.stop", { duration = 1.5e9, cost_usd = 0.25, target_calls = 7, target_reductions = 1e6,
        target_bytes = 4096 }, { node = "shop@host", verdict = "sick", provider = "anthropic" })
    end
    local read = exposition.read(metrics.text())
    assert.same({ { labels = { node = "shop@host", verdict = "sick" }, value = 2 } }, read.beamlens_runs_total.samples)
    assert.same({ 3, 0.5, 14, 2e6, 8192 }, { sum "beamlens_run_seconds_total", sum "beamlens_cost_usd_total",
      sum "beamlens_target_calls_total", sum "beamlens_target_reductions_total", sum "beamlens_target_bytes_total" })
  end)

  it("say of a node whether it is there", function()
    telemetry.emit("node.up", {}, { node = "shop@host" })
    assert.equal(1, sum "beamlens_node_up")
    telemetry.emit("node.down", {}, { node = "shop@host", reason = "gone" })
    assert.same({ 0, 1 }, { sum "beamlens_node_up", sum "beamlens_node_lost_total" })
  end)

  it("say of a watch which of its states it is in", function()
    telemetry.emit("anomaly.started", { metrics = 0 }, { node = "shop@host", state = "learning" })
    telemetry.emit("anomaly.state_change", {}, { node = "shop@host", state = "cooldown" })
    local state = {}
    for _, sample in ipairs(exposition.read(metrics.text()).beamlens_watch_state.samples) do
      state[sample.labels.state] = sample.value
    end
    assert.same({ learning = 0, active = 0, cooldown = 1 }, state)
  end)

  it("count the tokens of each answer, and the requests that had none", function()
    telemetry.emit("llm.stop", { duration = 1e9, input_tokens = 900, output_tokens = 30 }, { provider = "anthropic" })
    telemetry.emit("llm.exception", { duration = 1e9 }, { provider = "anthropic", reason = "x" })
    assert.same({ 900, 30, 1, 1 }, { sum "beamlens_input_tokens_total", sum "beamlens_output_tokens_total",
      sum "beamlens_llm_requests_total", sum "beamlens_llm_errors_total" })
  end)

  it("are read by whoever is strict, whatever a label holds", function()
    local node = 'a\\"b\nc{},=\195\164\27[2J' .. ("x"):rep(500)
    telemetry.emit("node.up", {}, { node = node })
    telemetry.emit("node.up", {}, { node = 'quoted\\' })
    local names = {}
    for _, sample in ipairs(exposition.read(metrics.text()).beamlens_node_up.samples) do
      names[#names + 1] = sample.labels.node
    end
    assert.same({ 2, 'a\\"b c{},=\195\164\\x1b[2J' }, { #names, names[1]:sub(1, 19) })
    assert.is_true(#names[1] <= 102)
  end)

  it("do not grow without an end, whoever invents names", function()
    for i = 1, registry.series + 50 do telemetry.emit("node.up", {}, { node = "n" .. i }) end
    local samples = exposition.read(metrics.text()).beamlens_node_up.samples
    assert.equal(registry.series + 1, #samples)
    assert.equal("other", samples[#samples].labels.node)
  end)

  it("are moved by events that there are", function()
    for _, family in ipairs(families) do
      for _, event in ipairs(type(family.event) == "table" and family.event or { family.event }) do
        local known = events[event] ~= nil or event == "action.*"
        assert.is_true(known, family.name .. " waits for " .. event)
      end
    end
  end)
end)
