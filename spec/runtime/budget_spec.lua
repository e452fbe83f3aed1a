-- What a run may use, on a live node: it ends with an answer at the first of its limits, and says what it took.
local async = require "runtime.async"
local gate = require "runtime.gate"
local json = require "runtime.json"
local live = require "spec.support.live_node"
local model = require "spec.support.played_model"
local operator = require "runtime.operator"
local skill = require "runtime.skill"

describe("the budget of a run", function()
  local at, s

  setup(function()
    at = live.start()
    s = assert(skill.open "ets")
  end)

  teardown(live.stop_all)

  -- A model that never stops looking, each time at another place; without tools it answers.
  local function busy(cost)
    local n = 0
    return function(request)
      n = n + 1
      local reply = request.tools and model.calls { "execute", { code = ("return ets_top_tables(%d)"):format(n) } }
        or model.says "so far"
      reply.usage = { input = 100, output = 10, cost_usd = cost(n) }
      return reply
    end
  end

  local function run(limits, cost)
    local mind = model.mind { ets = model.played { busy(cost) } }
    mind.destination = "api.example"
    return async.run(function()
      return assert(operator.run { node = at.node, skill = s, mind = mind, gate = gate.new {}, limits = limits,
        deadline = async.now() + 60 })
    end)
  end

  local function cent() return 0.01 end

  it("counts requests", function()
    local r = run({ calls = 3 }, cent)
    assert.same({ "budget", 4 }, { r.incomplete, r.usage.calls }) -- the fourth is the answer
    assert.equal("the ets operator used up its budget: limits.calls is 3, and 3 were made; the config may set more",
      r.incomplete_why)
    assert.equal(r.incomplete_why, r.would_tell[1])
  end)

  it("counts tokens", function()
    local r = run({ tokens = 330 }, cent)
    assert.same({ "budget", 440 }, { r.incomplete, r.usage.input_tokens + r.usage.output_tokens })
  end)

  it("counts money", function()
    local r = run({ usd = 0.025 }, cent)
    assert.equal("budget", r.incomplete)
    assert.near(0.03, r.usage.cost_usd, 1e-9) -- a third look would have gone beyond, the answer does
  end)

  it("counts what the node works for us", function()
    local r = run({ node_reductions = 20000 }, cent)
    assert.equal("budget", r.incomplete)
    assert.is_true(r.target_load.reductions > 20000)
  end)

  it("knows no sum where one price is missing", function()
    local r = run({ calls = 3 }, function(n) return n ~= 2 and 0.01 or nil end)
    assert.equal(json.null, r.usage.cost_usd)
  end)
end)
