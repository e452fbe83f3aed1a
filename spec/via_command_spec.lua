local alive = require "spec.support.alive"
local held = require "spec.support.held"
local live = require "spec.support.live_node"
local ours = require "host.files"
local program = require "spec.support.program"
local until_true = require "spec.support.until_true"
local uv = require "luv"

local function stat(pid)
  local file = io.open(("/proc/%s/stat"):format(pid))
  if not file then return nil end
  local comm, parent = (file:read "*a" or ""):match "%((.*)%) %a (%d+)" -- nothing of who ends now
  file:close()
  return comm, tonumber(parent)
end

-- The VM that a process started: a helper, for a door without a program between.
local function helper_of(parent)
  local scan = uv.fs_scandir "/proc"
  while true do
    local name = uv.fs_scandir_next(scan)
    if not name then return nil end
    local comm, its
    if name:find "^%d+$" then comm, its = stat(name) end
    if its == parent and comm == "beam.smp" then return name end
  end
end

describe("--via", function()
  local at, env, args

  setup(function()
    at = live.start { attach = false, name = live.own_name "bl_via" }
    env = { ERL_EPMD_PORT = tostring(held.free_port()), HOME = at.home }
    args = { "--node", at.name, "--via", "local" }
  end)

  teardown(live.stop_all)

  local function run(...)
    local words = { ... }
    for _, word in ipairs(args) do words[#words + 1] = word end
    return program.run(words, { env = env })
  end

  it("leads a command to the node", live.test(function()
    local done = run "health"
    assert.equal("", done.stderr:match "beamlens%-run: [^\n]*" or "")
    assert.equal(1, (done.stdout:find(at.name .. "  OTP ", 1, true)))
  end))

  it("finds the node by the first part of its name", live.test(function()
    local done = program.run({ "health", "--node", at.name:match "^[^@]+", "--via", "local" }, { env = env })
    assert.equal(1, (done.stdout:find(at.name .. "  OTP ", 1, true)))
  end))

  it("is told with what it can do", live.test(function()
    assert.matches("attached to " .. at.name .. ", console: a helper VM beside the node",
      run("coordinator.lua", "--skills", "beam").stderr, 1, true)
  end))

  it("lets every skill look", live.test(function()
    local done = run("call", "ets_top_tables")
    assert.equal(0, done.code)
  end))

  it("through a session with a banner, an echo and a prompt does the same", live.test(function()
    local via = ("shell:%s %s/spec/support/doors/session.lua 'shell=bash --norc -i'"):format(ours.exe, ours.root)
    local done = program.run({ "health", "--node", at.name, "--via", via }, { env = env })
    assert.equal(1, (done.stdout:find(at.name .. "  OTP ", 1, true)))
  end))

  it("that is no way is an error of the command line", live.test(function()
    local done = program.run({ "health", "--via", "sssh:shop" }, { env = env })
    assert.equal(2, done.code)
    assert.equal("beamlens-run: there is no way sssh; did you mean ssh:USER@HOST?\n", done.stderr)
  end))

  local function interrupted(times)
    local running = program.start({ "watch", unpack(args) }, { env = env })
    local helper
    until_true("a helper", function()
      helper = helper_of(running.pid)
      return helper
    end)
    until_true("word of being attached", function() return running.stdout():find "attached" end)
    for _ = 1, times do running.kill "sigint" end
    running.wait(30)
    until_true("the end of the helper", function() return not alive(helper) end)
    assert.is_true(alive(at.os_pid))
  end

  it("leaves nothing there when it is interrupted", live.test(function() interrupted(1) end))

  it("leaves nothing there when it is interrupted twice", live.test(function() interrupted(2) end))

  it("leaves nothing there when it is killed", live.test(function()
    local running = program.start({ "watch", unpack(args) }, { env = env })
    local helper
    until_true("a helper", function()
      helper = helper_of(running.pid)
      return helper
    end)
    running.kill "sigkill"
    running.wait(30)
    until_true("the end of the helper", function() return not alive(helper) end)
  end))
end)
