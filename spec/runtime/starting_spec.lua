-- A node that is being started, as its own init says, on a live node whose start waits for us.
local async = require "runtime.async"
local live = require "spec.support.live_node"
local node = require "runtime.node"
local starting = require "runtime.starting"

describe("a node that is being started", function()
  local at

  setup(function()
    at = live.start { attach = false, args = { "-eval",
      "register(held, self()), receive go -> unregister(held) end." } }
  end)
  teardown(live.stop_all)

  it("is waited for until it has started", live.test(function()
    local n = assert(node.connect { name = at.name, cookie_file = at.cookie_file, deadline = async.now() + 30 })
    local waited = false
    local task = async.spawn(function()
      starting.wait(n)
      waited = true
    end)
    while n.query "whereis(held) =:= undefined." == true do async.sleep(0.02) end
    assert.equal("starting", tostring(n:call("init", "get_status", {})[1]))
    assert.is_false(waited)
    n.query "whereis(held) ! go."
    task:join()
    assert.equal("started", tostring(n:call("init", "get_status", {})[1]))
    n:close()
  end))
end)
