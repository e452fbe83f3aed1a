-- The check of allocator on played answers: that it finds what is really there, the gallery shows.
local played = require "spec.support.played_checks"
local with = played.with
local find, suspect = played.of "allocator"

local NOW = { carriers_mb = 300, blocks_mb = 24, unused_mb = 276, usage_ratio = 0.08 }

local function look(now, peak)
  return { allocators = { { name = "binary_alloc", current = with(NOW, now), maximum = { blocks_mb = peak or 290 } } } }
end

describe("the check of allocator", function()
  it("names the allocator whose carriers few blocks pin at both looks", function()
    local finding = find("allocator_fragmentation", { look(), look() })
    assert.same({ "binary_alloc", "warning" }, { finding.object, finding.severity })
    assert.matches("a spike of 290 MB is over", finding.hypothesis)
  end)

  it("finds nothing where blocks come and go, or carriers are given back", function()
    assert.is_nil((find("allocator_fragmentation", { look(), look { blocks_mb = 40 } })))
    assert.is_nil((find("allocator_fragmentation", { look(), look { carriers_mb = 200 } })))
  end)

  it("looks no further without a spike, where most is in use, or little is unused", function()
    assert.same({ nil, 1 }, { find("allocator_fragmentation", { look({}, 30) }) })
    assert.same({ nil, 1 }, { find("allocator_fragmentation", { look { usage_ratio = 0.6 } }) })
    assert.same({ nil, 1 }, { find("allocator_fragmentation", { look { unused_mb = 20 } }) })
  end)

  it("is suspect of a snapshot with much that is unused only", function()
    assert.is_true(suspect("allocator_fragmentation", { unused_mb = 276, usage_ratio = 0.08 }))
    assert.is_false(suspect("allocator_fragmentation", { unused_mb = 20, usage_ratio = 0.08 }))
    assert.is_false(suspect("allocator_fragmentation", { unused_mb = 276, usage_ratio = 0.8 }))
  end)
end)
