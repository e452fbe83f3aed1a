-- Runs by rules and a model that does whatever the dice say, on a live node with a cause that rules prove. Whatever it
-- says, or holds against it, the cause stands as they put it. SEED=n plays other runs; a seed that fails is told.
local async = require "runtime.async"
local coordinator = require "runtime.coordinator"
local gate = require "runtime.gate"
local hybrid = require "runtime.strategy.hybrid"
local live = require "spec.support.live_node"
local model = require "spec.support.played_model"
local random_model = require "spec.support.random_model"
local sandbox = require "runtime.sandbox"
local skill = require "runtime.skill"
local tide = require "spec.support.tide_skill"
local uv = require "luv"

local RUNS = 150

-- Holds another word against it, and is wrong.
local function doubter()
  return model.played { model.calls { "refute", { mechanism = "ets_table_leak", callback = "tide_rows", why = "so" } } }
end

local SEED = tonumber(os.getenv "SEED" or 1)

describe("whatever a model does, what rules proved", function()
  local wrong, ended, doubted = {}, {}, 0

  local function check(seed, r)
    local i = r.insights[1]
    local said = i and ("%s, %s of %s, %s, %s"):format(r.verdict, i.root_cause.mechanism, i.root_cause.object,
      i.severity, i.confidence) or r.verdict
    if said ~= "sick, ets_growth of ledger, warning, high" then
      wrong[#wrong + 1] = ("SEED=%d: %s"):format(seed, said)
    end
    ended[tostring(r.incomplete)] = true
    for _, other in ipairs(i and i.considered or {}) do
      doubted = doubted + (other.why_not:find("doubted, and", 1, true) and 1 or 0)
    end
  end

  setup(function()
    local at, folder = live.start { code = tide.CODE }, assert(uv.fs_mkdtemp "/tmp/tide-XXXXXX")
    local skills = { assert(skill.open(tide.write(folder))) }
    async.run(function()
      for seed = SEED, SEED + RUNS - 1 do
        local mind = random_model.mind(seed)
        mind.cheap = seed % 2 == 0 and doubter or nil -- the others are doubted as the dice say
        local report = assert(coordinator.run { node = at.node, skills = skills, mind = mind, gate = gate.new {},
          deadline = async.now() + 30, limits = { iterations = 5, calls = 12 }, strategy = hybrid })
        check(seed, report)
      end
      sandbox.close()
    end)
    os.execute(("rm -rf '%s'"):format(folder))
  end)

  teardown(live.stop_all)

  it("stands as they put it", function() assert.same({}, wrong) end)

  it("stands however the run ended", function()
    for _, how in ipairs { "userdata: NULL", "budget", "iterations", "provider" } do assert.is_true(ended[how], how) end
  end)

  it("was doubted now and then, and looked for again", function() assert.is_true(doubted > 0) end)
end)
