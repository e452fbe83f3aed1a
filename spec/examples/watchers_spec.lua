-- The example of a config with watchers, and the Redis skill in a run of the whole program: a live node, a real Redis
-- that somebody holds up, the analyst.

local uv = require "luv"
local async = require "runtime.async"
local held = require "spec.support.held"
local json = require "runtime.json"
local live = require "spec.support.live_node"
local program = require "spec.support.program"
local redis = require "spec.support.redis"
local root = require("host.files").root

describe("the example configs/watchers.lua", function()
  local at, server, folder

  -- As it stands, but for the port.
  local function copy(name, to)
    local file = assert(io.open(root .. "/examples/" .. name))
    local text = file:read "*a"
    file:close()
    file = assert(io.open(folder .. to, "w"))
    file:write((text:gsub("6379", server.port)))
    file:close()
  end

  local function start(...)
    return program.start({ ... }, { env = { HOME = at.home, XDG_STATE_HOME = folder, BEAMLENS_NODE = at.name,
      ERL_EPMD_PORT = tostring(at.epmd_port) } })
  end

  setup(function()
    at, server = live.start(), redis.start()
    folder = uv.fs_mkdtemp "/tmp/beamlens_spec_XXXXXX"
    copy("configs/watchers.lua", "/watchers.lua")
    copy("skills/redis.lua", "/redis.lua")
    local theirs = at.home .. "/.config/beamlens/skills"
    assert(os.execute(("mkdir -p '%s' && cp %s/redis.lua '%s/'"):format(theirs, folder, theirs)) == 0)
    server:ask "DEBUG SLEEP 0.12"
  end)
  teardown(function()
    live.stop_all()
    server:stop()
    os.execute("rm -rf " .. folder)
  end)

  it("lets the Redis skill find the command that held everybody up", live.test(function()
    local running = start("coordinator.lua", "--config", folder .. "/watchers.lua", "--skills", folder .. "/redis.lua",
      "--json", "--quiet")
    local code = running.wait()
    assert.equal(1, code, running.stdout() .. running.stderr())
    local report = json.decode(running.stdout())
    assert.same({ object = "DEBUG SLEEP", mechanism = "redis_slow_command" }, report.insights[1].root_cause)
    assert.is_true(report.insights[1].evidence[1].value >= 120)
  end))

  it("has its callbacks called one by one, by the skill's path", live.test(function()
    local running = start("call", "redis_slowlog", "5", "--config", folder .. "/watchers.lua", "--skills",
      folder .. "/redis.lua", "--json")
    assert.equal(0, (running.wait()), running.stderr())
    assert.equal("DEBUG SLEEP", json.decode(running.stdout()).result.commands[1].command)
  end))

  it("says in the report what stands in the way where the config does not let the skill out", live.test(function()
    local running = start("coordinator.lua", "--skills", folder .. "/redis.lua", "--json", "--quiet")
    assert.equal(4, (running.wait()), running.stdout() .. running.stderr())
    assert.matches("may not reach 127.0.0.1:" .. server.port, running.stdout())
  end))

  it("has a watch keep both on, and tell what they say", live.test(function()
    local running = start("watch", "--config", folder .. "/watchers.lua")
    local deadline = async.now() + held.PATIENCE_S
    local function said(text) return running.stdout():find(text, 1, true) end
    while not (said "redis says (warning)" and said "the watcher beam is on") and async.now() < deadline do
      async.sleep(0.02)
    end
    running.kill "sigint"
    running.wait()
    assert.is_truthy(said "the watcher beam is on", running.stdout() .. running.stderr())
    assert.is_truthy(said "the watcher redis is on")
    assert.matches("redis says %(warning%): DEBUG SLEEP", running.stdout())
  end))
end)
