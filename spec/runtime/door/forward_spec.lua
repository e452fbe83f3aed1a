local async = require "runtime.async"
local door = require "runtime.door"
local held = require "spec.support.held"
local listening = require "runtime.door.listening"
local live = require "spec.support.live_node"
local node = require "runtime.node"
local program = require "spec.support.program"
local sshd = require "spec.support.sshd"
local until_true = require "spec.support.until_true"
local uv = require "luv"
local who_runs = require "spec.support.who_runs"

local function soon() return async.now() + 45 end

local function runs(words) return #who_runs(words) > 0 end

-- As `runtime/attached.lua` has it: the port of the node, and where that leads nowhere a helper.
local function attach(d)
  assert(d:ready(soon()))
  local n, err = node.connect { name = d.node, door = d, deadline = soon() }
  if not n and d:step_back(err, soon()) then
    n, err = node.connect { name = d.node, door = d, deadline = soon() }
  end
  return assert(n, tostring(err))
end

describe("by ssh", function()
  local at, server, shut, usual

  setup(function()
    usual = uv.os_getenv "PATH"
    at = live.start { attach = false, name = live.own_name "bl_forward", args = { "-setcookie", "of_its_arguments" } }
    server = sshd.start()
    uv.os_setenv("PATH", server.path)
    uv.os_setenv("ERL_EPMD_PORT", tostring(held.free_port()))
  end)

  teardown(function()
    uv.os_setenv("PATH", usual)
    if shut then shut.stop() end
    server.stop()
    live.stop_all()
  end)

  local function through(how, use)
    local d = door.new("ssh:node", at.name)
    assert(d:ready(soon()))
    d:close()
    d.target.through = how
    local n = attach(d)
    use(n, d)
    n:leave()
    return d
  end

  it("the node's own port is led here, and nothing is started there", live.test(function()
    local text = ("0123456789"):rep(120000)
    local d = through("forward", function(n)
      assert.equal(text, n:call("binary", "copy", { "0123456789", 120000 }, { timeout = 30 }))
    end)
    assert.is_nil(d.helper)
  end))

  it("a helper is started where that is asked for", live.test(function()
    local d = through("console", function(n) assert.equal(5, n:call("erlang", "+", { 2, 3 })) end)
    assert.is_number(d.helper)
  end))

  it("forward says what it can do", live.test(function()
    local d = door.new("ssh:node", at.name)
    assert(d:ready(soon()))
    assert.equal("forward by ssh: a direct link plus ssh's own cost; many questions at once, relays; "
      .. "nothing is started there", d.told)
    d:close()
  end))

  it("many questions go at once", live.test(function()
    through("forward", function(n)
      local asked = {}
      for i = 1, 50 do asked[i] = function() return (n:call("erlang", "+", { i, 1 })) end end
      local answers = async.all(asked)
      for i = 1, 50 do assert.equal(i + 1, answers[i].value) end
    end)
  end))

  it("the cookie is on no way", live.test(function()
    local d = door.new("ssh:node", at.name)
    local n = attach(d)
    assert.is_nil(d.shell.said:find("of_its_arguments", 1, true))
    n:leave()
  end))

  it("no process and no socket is left here", live.test(function()
    local d = door.new("ssh:node", at.name)
    local n = attach(d)
    local socket = d.ahead.socket
    assert.is_true(runs(socket))
    n:leave()
    until_true("the end of ssh", function() return not runs(socket) end)
    assert.is_nil(uv.fs_stat(socket))
  end))

  it("none is left after an end that nobody could put away after", live.test(function()
    local running = program.start({ "watch", "--node", at.name, "--via", "ssh:node" }, {
      env = { HOME = at.home, XDG_RUNTIME_DIR = at.home },
    })
    until_true("word of being attached", function() return running.stdout():find "attached" end)
    assert.is_true(runs(at.home .. "/beamlens-run/ssh-"))
    running.kill "sigkill"
    running.wait(30)
    until_true("the end of ssh", function() return not runs(at.home .. "/beamlens-run/ssh-") end)
    until_true("the end of its socket", function()
      return not uv.fs_scandir_next(uv.fs_scandir(at.home .. "/beamlens-run"))
    end)
  end))

  it("an interrupt, twice, leaves none either", live.test(function()
    local running = program.start({ "watch", "--node", at.name, "--via", "ssh:node" }, {
      env = { HOME = at.home, XDG_RUNTIME_DIR = at.home },
    })
    until_true("word of being attached", function() return running.stdout():find "attached" end)
    running.kill "sigint"
    running.kill "sigint"
    running.wait(30)
    until_true("the end of ssh", function() return not runs(at.home .. "/beamlens-run/ssh-") end)
    assert.is_nil(uv.fs_scandir_next(uv.fs_scandir(at.home .. "/beamlens-run")))
  end))

  it("a master of one's own is used, and stays", live.test(function()
    local own = server.folder .. "/own"
    assert(os.execute(("ssh -M -S %s -f -N node"):format(own)) == 0)
    local config = assert(io.open(server.folder .. "/config", "a"))
    config:write(("Match all\n  ControlPath %s\n"):format(own))
    config:close()
    local d = door.new("ssh:node", at.name)
    local n = attach(d)
    assert.is_nil(d.ahead.socket)
    n:leave()
    assert(os.execute "ssh -O check node 2> /dev/null" == 0)
    assert(os.execute "ssh -O exit node 2> /dev/null" == 0)
  end))

  it("a node that lost its link is found again", live.test(function()
    local d = door.new("ssh:node", at.name)
    local n, told = attach(d), {}
    n:on_change(function(state) told[#told + 1] = state end)
    d.ahead.opened[1].process:kill "sigkill"
    until_true("the link", function() return n.state == "up" and told[1] == "down" end)
    assert.equal(5, n:call("erlang", "+", { 2, 3 }))
    n:leave()
  end))

  it("a node whose port is not known at once is looked for again", live.test(function()
    local d = door.new("ssh:node", at.name)
    local n, told = attach(d), {}
    n:on_change(function(state) told[#told + 1] = state end)
    local read = listening.read
    listening.read = function()
      listening.read = read
      return nil, "its epmd does not know it yet"
    end
    d.ahead.opened[1].process:kill "sigkill"
    until_true("the link", function() return n.state == "up" and told[1] == "down" end)
    n:leave()
  end))

  it("a node that was started anew is found at its new port", live.test(function()
    local d = door.new("ssh:node", at.name)
    local n, told = attach(d), {}
    local port = d.port
    n:on_change(function(state) told[#told + 1] = state end)
    n:call("init", "restart", {})
    until_true("the link", function() return n.state == "up" and told[1] == "down" end)
    assert.are_not.equal(port, d.port)
    assert.equal(5, n:call("erlang", "+", { 2, 3 }))
    n:leave()
  end))

  it("where sshd forbids it a helper is started, and that is said", live.test(function()
    shut = sshd.start "AllowTcpForwarding no"
    uv.os_setenv("PATH", shut.path)
    local d = door.new("ssh:node", at.name)
    local n = attach(d)
    assert.equal(5, n:call("erlang", "+", { 2, 3 }))
    assert.matches("why not forward: .*Session open refused by peer", d.told)
    n:leave()
    uv.os_setenv("PATH", server.path)
  end))

  local function refused(host)
    local d = door.new("ssh:" .. host, at.name)
    local _, err = d:ready(soon())
    return tostring(err)
  end

  it("a host that is not known is told", live.test(function()
    assert.equal("ssh:nobody: ssh: the host's key is not known; connect once by hand with ssh and compare the key",
      refused "nobody")
  end))

  it("a host with another key than before is told", live.test(function()
    assert.matches("^ssh:stranger: ssh: the host has another key than before", refused "stranger")
  end))

  it("a host that takes none of our keys is told", live.test(function()
    assert.equal("ssh:keyless: ssh: the host takes none of our keys; "
      .. "load your key into the agent (ssh-add), or name it in ~/.ssh/config", refused "keyless")
  end))
end)
