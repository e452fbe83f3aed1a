local async = require "runtime.async"
local cloud = require "spec.support.cloud"
local door = require "runtime.door"
local held = require "spec.support.held"
local live = require "spec.support.live_node"
local node = require "runtime.node"
local ours = require "host.files"
local profiles = require "runtime.door.profiles"
local program = require "spec.support.program"
local until_true = require "spec.support.until_true"
local uv = require "luv"
local who_runs = require "spec.support.who_runs"

local function soon() return async.now() + 45 end

local function runs(words) return #who_runs(words) > 0 end

local PORT_SESSION = ([[exec %s %s/spec/support/doors/port_forward.lua "$(echo "$*" | sed 's/.*portNumber=//')" \
  'Starting session with SessionId: x-0f
Port %%s opened for sessionId x-0f.
Waiting for connections...']]):format(ours.exe, ours.root)

local HELPER = "console: a helper VM beside the node carries the link by its shell; many questions at once; "
local DENIED = "An error occurred (AccessDeniedException) when calling the StartSession operation: no"

-- The programs are stand-ins: what they lead to is this machine.
describe("by", function()
  local at, aws

  setup(function()
    aws = cloud.new()
    at = live.start { attach = false, name = live.own_name "bl_led" }
    aws:use { DOORS_POD = "shop-0", DOORS_CONTAINER = "shop", ERL_EPMD_PORT = tostring(held.free_port()) }
  end)

  teardown(function()
    aws:close()
    live.stop_all()
  end)

  local function attached(via)
    local d = door.new(via, at.name)
    assert(d:ready(soon()))
    return assert(node.connect { name = d.node, door = d, deadline = soon() }), d
  end

  local function leads(via, told)
    local n, d = attached(via)
    assert.equal(5, n:call("erlang", "+", { 2, 3 }))
    n:leave()
    assert.equal(told, d.told)
  end

  it("kubectl a port of the pod is led here", live.test(function()
    leads("kubectl:prod/shop-0/web",
      "forward by kubectl port-forward: many questions at once, relays; nothing is started there")
  end))

  it("kubectl nothing is left when it is over", live.test(function()
    local n, d = attached "kubectl:shop-0"
    local tunnel = d.ahead.last.line
    n:leave()
    until_true("the end of port-forward", function() return tunnel.ended end)
  end))

  it("kubectl nothing is left after an end that nobody could put away after", live.test(function()
    local n, d = attached "kubectl:shop-0"
    local words = ("port_forward.lua %d "):format(d.port)
    n:leave()
    local running = program.start({ "watch", "--node", at.name, "--via", "kubectl:shop-0" }, {
      env = { HOME = at.home, DOORS_POD = "shop-0", DOORS_HOST = ours.exe },
    })
    until_true("word of being attached", function() return running.stdout():find "attached" end)
    assert.is_true(runs(words))
    running.kill "sigkill"
    running.wait(30)
    until_true("the end of port-forward", function() return not runs(words) end)
  end))

  -- By a profile, in a context of their own.
  local function of_context(way, target, context)
    return assert(profiles.resolve { via = "far", profiles = {
      far = { way = way, target = target, context = context },
    } }).target
  end

  for way, target in pairs { kubectl = "shop-0", docker = "shop" } do
    it(way .. " the same context is for its shell and for its port", live.test(function()
      local t = of_context(way, target, "far")
      t.through = "forward"
      local n = attached(t)
      assert.equal(5, n:call("erlang", "+", { 2, 3 }))
      n:leave()
    end))
  end

  local NO_CONTEXT = {
    kubectl = "far: kubectl has no context none here; see `kubectl config get-contexts`",
    docker = "far: docker has no context none here; see `docker context ls`",
  }
  for way, said in pairs(NO_CONTEXT) do
    it(way .. " a context that it has not is told", live.test(function()
      local _, err = door.new(of_context(way, "shop", "none"), at.name):ready(soon())
      assert.equal(said, tostring(err))
    end))
  end

  it("docker the container is spoken to by its address", live.test(function()
    leads("docker:shop",
      "forward to the container's address: a direct link, many questions at once, relays; nothing is started there")
  end))

  it("docker a daemon elsewhere has no address that is near", live.test(function()
    uv.os_setenv("DOORS_DAEMON", "ssh://ops@far")
    leads("docker:shop", HELPER .. "why not forward: docker's daemon is not on this machine")
    uv.os_unsetenv "DOORS_DAEMON"
  end))

  it("ecs a port session of SSM leads to the container", live.test(function()
    aws:is_well()
    os.remove(aws.folder .. "/ssm-start-session.err")
    aws:says("ssm-start-session.sh", PORT_SESSION)
    leads("ecs:prod/shop", "forward by a port session of SSM: many questions at once, relays; nothing is started there")
    assert.matches("ssm start%-session .*%-%-target ecs:prod_0a1b2c_0123%-app", aws:called())
  end))

  it("ecs where that is denied a helper is started in the shell that stands", live.test(function()
    aws:is_well()
    aws:says("ssm-start-session.err", DENIED)
    leads("ecs:prod/shop", HELPER .. "why not forward: no port was opened: " .. DENIED)
    assert.equal(1, select(2, aws:called():gsub("ecs execute%-command", "")))
  end))
end)
