-- A watch of several nodes at once: each is told by its name, one that is missing holds nobody up and is met
-- when it comes, one that goes is met again.

local async = require "runtime.async"
local json = require "runtime.json"
local live = require "spec.support.live_node"
local program = require "spec.support.program"
local watching = require "spec.support.watching"

local until_said, stop = watching.until_said, watching.stop
local shop, config

-- A second node, known to the same epmd.
local PEER = [[{ok, Pid, _} = peer:start(#{name => bl_peer, host => "127.0.0.1", longnames => true,
  connection => standard_io, args => ["-kernel", "inet_dist_use_interface", "{127,0,0,1}", "-start_epmd", "false"]}),
  register(bl_peer_control, Pid), ok.]]
local END_PEER = [[case whereis(bl_peer_control) of undefined -> ok; P -> peer:stop(P) end, ok.]]

local PEER_NAME = "bl_peer@127.0.0.1"

local function start(nodes, ...)
  return program.start({ "watch", "--node", nodes, "--cookie-file", shop.cookie_file, "--config", config, ... },
    { env = { ERL_EPMD_PORT = tostring(shop.epmd_port), HOME = shop.home, XDG_STATE_HOME = shop.home .. "/state" } })
end

describe("a watch of several nodes", function()
  setup(function()
    shop = live.start()
    config = shop.home .. "/watch.lua"
    local file = assert(io.open(config, "w"))
    file:write "return { anomaly = { collection_interval_ms = 100, learning_duration_ms = 500, auto_trigger = false } }"
    file:close()
  end)
  teardown(live.stop_all)
  before_each(function() os.execute(("rm -rf '%s/state'"):format(shop.home)) end)
  after_each(function() async.run(function() shop.eval(END_PEER) end) end)

  it("learns each by itself, and names it in each line", live.test(function()
    shop.eval(PEER)
    local running = start(shop.name .. "," .. PEER_NAME)
    until_said(running, "bl_spec@127.0.0.1: learned %d+ metrics")
    until_said(running, "bl_peer@127.0.0.1: learned %d+ metrics")
    assert.equal(0, stop(running))
  end))

  it("tells one that is not there, goes on with the others, and meets it when it comes", live.test(function()
    local running = start(shop.name .. "," .. PEER_NAME)
    until_said(running, "cannot reach bl_peer@127.0.0.1: no node named bl_peer")
    until_said(running, "bl_spec@127.0.0.1: learned %d+ metrics")
    shop.eval(PEER)
    until_said(running, "attached to bl_peer@127.0.0.1")
    until_said(running, "bl_peer@127.0.0.1: learned %d+ metrics")
    assert.equal(0, stop(running))
  end))

  it("meets one again that was started anew", live.test(function()
    shop.eval(PEER)
    local running = start(shop.name .. "," .. PEER_NAME)
    until_said(running, "bl_peer@127.0.0.1: learned %d+ metrics")
    shop.eval(END_PEER)
    until_said(running, "lost bl_peer@127.0.0.1")
    shop.eval(PEER)
    until_said(running, "lost bl_peer@127.0.0.1.*attached to bl_peer@127.0.0.1")
    assert.equal(0, stop(running))
  end))

  it("ends where none of them was ever there", live.test(function()
    local running = start "nobody@127.0.0.1,noone@127.0.0.1"
    assert.equal(3, (running.wait(60)))
    assert.matches("no node named no", running.stderr())
  end))

  it("says its node with each event of --json", live.test(function()
    shop.eval(PEER)
    local running = start(shop.name .. "," .. PEER_NAME, "--json")
    until_said(running, '"anomaly.learning_complete".-"anomaly.learning_complete"')
    stop(running)
    local seen = {}
    for line in running.stdout():gmatch "[^\n]+" do
      local told = json.decode(line)
      if told.event == "anomaly.learning_complete" then seen[told.node] = true end
    end
    assert.same({ [shop.name] = true, [PEER_NAME] = true }, seen)
  end))

  it("is nothing for the other commands", live.test(function()
    local run = program.run({ "health", "--node", "a@h,b@h", "--cookie-file", shop.cookie_file })
    assert.same({ 2, "" }, { run.code, run.stdout })
    assert.matches("several nodes were given: a@h,b@h; name one; only watch takes several", run.stderr)
  end))
end)
