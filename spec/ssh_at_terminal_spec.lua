local held = require "spec.support.held"
local live = require "spec.support.live_node"
local pty = require "spec.support.pty"
local sshd = require "spec.support.sshd"

describe("ssh that asks, before a person at the terminal", function()
  local at, server

  setup(function()
    at = live.start { attach = false, name = live.own_name "bl_asked" }
    server = sshd.start()
  end)

  teardown(function()
    server.stop()
    live.stop_all()
  end)

  local function start(host)
    return pty.start({ "health", "--node", at.name, "--via", "ssh:" .. host }, {
      env = { PATH = server.path, HOME = at.home, ERL_EPMD_PORT = tostring(held.free_port()) },
    })
  end

  it("gets the passphrase of a key, which is shown nowhere", live.test(function()
    local running = start "locked"
    running.see "Enter passphrase for key"
    running.type(sshd.PASSPHRASE)
    assert.equal(0, (running.wait(60)))
    assert.matches(at.name, running.stdout(), 1, true)
    assert.is_nil(running.screen():find(sshd.PASSPHRASE, 1, true))
  end))

  it("is told whether the host is to be trusted", live.test(function()
    local running = start "nobody"
    running.see "key fingerprint is SHA256:"
    running.see "yes/no"
    running.type "yes"
    assert.equal(0, (running.wait(60)))
  end))

  it("is left by an interrupt", live.test(function()
    local running = start "locked"
    running.see "Enter passphrase for key"
    running.keys "\3"
    assert.equal(130, (running.wait(60)))
  end))
end)
