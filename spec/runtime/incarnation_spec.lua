local async = require "runtime.async"
local incarnation = require "runtime.incarnation"
local live = require "spec.support.live_node"
local node = require "runtime.node"

local function attach(at)
  return assert(node.connect { name = at.name, cookie_file = at.cookie_file, deadline = async.now() + 60 })
end

describe("the life of a node", function()
  after_each(live.stop_all)

  it("is one over every connection, and is known without a question once it was asked for", function()
    local at = live.start()
    async.run(function()
      local other = attach(at)
      assert.is_nil(incarnation.now(other))
      assert.equal(incarnation.of(at.node), incarnation.of(other))
      local calls = other.load.calls
      assert.equal(incarnation.of(at.node), incarnation.of(other))
      assert.equal(incarnation.of(at.node), incarnation.now(other))
      assert.equal(calls, other.load.calls)
      other:close()
    end)
  end)

  it("is another after a restart, though name and cookie are the same and epmd began anew", function()
    local lives = {}
    for i = 1, 2 do
      local at = live.start { name = "bl_reborn@127.0.0.1", cookie = "REBORN" }
      lives[i] = async.run(function() return incarnation.of(at.node) end)
      live.stop_all()
    end
    assert.not_equal(lives[1], lives[2])
  end)
end)
