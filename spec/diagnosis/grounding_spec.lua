-- A claim is found again in the observation that it cites, or it is not.
local grounding = require "spec.diagnosis.grounding"

local SEEN = { o1 = { value = { processes = { { queue = 120 }, { queue = 7 } }, ["odd key"] = "x", up = true } } }

local function found(path, value, observation)
  return grounding.found({ observation = observation or "o1", path = path, value = value },
    function(id) return SEEN[id] end)
end

describe("a claim", function()
  it("is found at its path", function() assert.is_true(found("processes[2].queue", 7)) end)
  it("is found under a key that is no name", function() assert.is_true(found('["odd key"]', "x")) end)
  it("is not found with another value", function() assert.is_false(found("processes[1].queue", 121)) end)
  it("is not found elsewhere", function() assert.is_false(found("processes[3].queue", 7)) end)
  it("is not found in what nobody saw", function() assert.is_false(found("up", true, "o9")) end)
  it("is one value", function() assert.is_false(found("processes[1]", nil)) end)
end)
