-- `beamlens-run watch` while somebody edits: the real program, on a real node.

local uv = require "luv"
local edited = require "spec.support.edited"
local live = require "spec.support.live_node"
local program = require "spec.support.program"
local pty = require "spec.support.pty"
local until_true = require "spec.support.until_true"

local CLOCK = [[
return {
  name = "clock", title = "Clock", about = "the time of the node", prompt = "%s",
  queries = { now = "#{ms => erlang:system_time(millisecond)}." },
  snapshot = "now",
  callbacks = { clock_now = { doc = "The time.", class = "SAFE", returns = { "ms" }, query = "now" } },
}
]]

describe("watch, while somebody edits", function()
  local shop, skill

  setup(function() shop = live.start() end)
  teardown(live.stop_all)

  before_each(function()
    edited.open()
    skill = edited.save(edited.home .. "/clock.lua", CLOCK:format "p")
    edited.save("config.lua", "return { anomaly = { z_threshold = 4 } }")
  end)
  after_each(edited.close)

  local function arguments()
    return { "watch", "--node", shop.name, "--cookie-file", shop.cookie_file, "--skills", skill, "--store", ":memory:" }
  end

  local function environment()
    return { ERL_EPMD_PORT = tostring(shop.epmd_port), HOME = shop.home, XDG_CONFIG_HOME = edited.home }
  end

  local function see(watching, text)
    until_true(text, function() return watching.stdout():find(text, 1, true) end)
  end

  -- setsid waits for the program, which is its child.
  local function child_of(pid)
    local file = assert(io.open(("/proc/%d/task/%d/children"):format(pid, pid)))
    local child = tonumber(file:read "*a")
    file:close()
    return child
  end

  it("tells what it takes, what it refuses and why, and ends as always", live.test(function()
    local watching = program.start(arguments(), { env = environment() })
    see(watching, "watching " .. shop.name)
    edited.rename(skill, CLOCK:format "q")
    see(watching, ("skill %s: edited, and used from now on ("):format(skill))
    edited.save(skill, "return {")
    see(watching, ("skill %s: edited, and not used: %s:1: "):format(skill, skill))
    edited.save("config.lua", "return { anomaly = { z_threshold = 5 }, deadline = 20 }")
    see(watching, "the config: edited, anomaly from now on, deadline from the next start on")
    edited.save("config.lua", "return {\n  hosts = { 'nowhere' } }")
    see(watching, ("the config: edited, and not used: %s:2: hosts: nowhere is no host"):format(
      edited.path "config.lua"))
    edited.save("policy.lua", 'return { callbacks = { clock_now = "sometimes" } }')
    see(watching, ("the policy: edited, and not used: %s:1: "):format(edited.path "policy.lua"))
    watching.kill "sighup"
    see(watching, "all files were looked at again")
    watching.kill "sigterm"
    assert.equal(0, (watching.wait(30)))
  end))

  it("ends when its terminal is gone", live.test(function()
    local watching = pty.start({ "-c", "-w", program.path, unpack(arguments()) },
      { path = "setsid", env = environment() })
    see(watching, "watching " .. shop.name)
    watching.hang_up()
    assert.equal(0, (watching.wait(30)))
    assert.is_truthy(watching.stdout():find("ended: 0 investigations", 1, true))
  end))

  it("outlives its terminal when it was told to", live.test(function()
    local watching = pty.start({ "-c", "-w", "nohup", program.path, unpack(arguments()) },
      { path = "setsid", env = environment() })
    see(watching, "watching " .. shop.name)
    watching.hang_up()
    edited.save(skill, CLOCK:format "q")
    see(watching, ("skill %s: edited, and used from now on ("):format(skill))
    uv.kill(child_of(watching.pid), "sigterm")
    assert.equal(0, (watching.wait(30)))
  end))
end)
