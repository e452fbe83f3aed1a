-- The gallery of planted faults and healthy look-alikes, each on a fresh node, looked at by the
-- analyst with the skills beam and ets. Names in the programs tell nothing.
local async = require "runtime.async"
local cases = require "spec.faults.init"
local gallery = require "spec.faults.gallery"
local live = require "spec.support.live_node"

-- What a report accuses: object and mechanism of every insight, the leading one first.
local function accused(report)
  local list = {}
  for i, insight in ipairs(report.insights) do
    list[i] = ("%s of %s"):format(insight.root_cause.mechanism, insight.root_cause.object)
  end
  return list
end

describe("the analyst, looking at a node", function()
  local reports

  setup(function() async.run(function() reports = gallery.run(cases) end) end)
  teardown(function() live.stop_all() end)

  for _, case in ipairs(cases) do
    local truth = case.mechanism and { ("%s of %s"):format(case.mechanism, case.object) } or {}
    local promise = case.mechanism and "names the object and the mechanism, and nothing else" or "accuses nobody"

    it(("%s: says %s, and %s"):format(case.case, case.verdict, promise), function()
      local report = reports[case.case]
      assert.same({ case.verdict, truth }, { report.verdict, accused(report) }, report.trail)
    end)

    if case.mechanism then
      it(("%s: proves it with figures, and tells it from what looks alike"):format(case.case), function()
        local leading = reports[case.case].insights[1]
        assert.is_true(leading.hypothesis_grounded)
        assert.is_true(#leading.evidence >= 4 and #leading.considered >= 2 and #leading.next_steps >= 2)
      end)
    end
  end
end)
