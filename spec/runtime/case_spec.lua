-- What is concluded of what stands, in a case alone: no node is asked here, and nobody thinks.

local analyst = require "runtime.llm.analyst"
local case_of = require "runtime.case"
local skill = require "runtime.skill"

local NODE = { name = "shop@host", load = { calls = 0, reductions = 0, bytes = 0 }, lives = 1, state = "up" }

local function case_with(anew, ...)
  local case = case_of.new { node = NODE, skills = { assert(skill.open "beam") }, mind = analyst, gate = {} }
  local id = case.evidence:add { kind = "snapshot", operator = "beam", value = { queue = 7 }, at = "then" }
  for i, told in ipairs { ... } do
    assert(case:notify("beam", { snapshot_ids = { id }, severity = told.severity, observation = "look " .. i,
      root_cause = { object = told.object, mechanism = "slow_consumer" },
      evidence = { { observation = id, path = "queue", value = 7 } } }))
    if anew then case:promote(anew) end
  end
  case:promote()
  return case
end

local function of(object, severity) return { object = object, severity = severity } end

local function insights(case)
  local list = {}
  for i, insight in ipairs(case.insights) do list[i] = { insight.root_cause.object, insight.severity } end
  return list
end

describe("what stands at the end of a run", function()
  it("is told once for each cause, however often it was seen", function()
    local case = case_with(nil, of("orders", "critical"), of("orders", "warning"),
      of("bills", "warning"))
    assert.same({ { "orders", "critical" }, { "bills", "warning" } }, insights(case))
    assert.same({}, case:standing())
    assert.equal("i1", case:notification "n2".insight)
  end)

  it("is told again where it was seen graver later", function()
    assert.same({ { "orders", "warning" }, { "orders", "critical" } },
      insights(case_with(nil, of("orders", "warning"), of("orders", "critical"))))
  end)

  it("is told each time by who watches without an end: it may have been over in between", function()
    assert.same({ { "orders", "warning" }, { "orders", "warning" } },
      insights(case_with(true, of("orders", "warning"), of("orders", "warning"))))
  end)
end)
