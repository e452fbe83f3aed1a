local async = require "runtime.async"
local cloud = require "spec.support.cloud"
local door = require "runtime.door"
local held = require "spec.support.held"
local live = require "spec.support.live_node"
local node = require "runtime.node"
local telemetry = require "runtime.telemetry"
local until_true = require "spec.support.until_true"
local ways = require "runtime.door.ways"

local NAME = live.own_name "bl_session"

local function soon() return async.now() + 45 end

describe("a session of a cloud", function()
  local at, aws

  setup(function()
    at = live.start { attach = false, name = NAME }
    aws = cloud.new()
    aws:use { ERL_EPMD_PORT = tostring(held.free_port()) }
  end)

  teardown(function()
    aws:close()
    live.stop_all()
  end)

  local function shut(more)
    local target = assert(ways.read "ecs:prod/shop")
    target.through = "console"
    for key, value in pairs(more or {}) do target[key] = value end
    return door.new(target, at.name)
  end

  it("in which no shell answers names another task", live.test(function()
    aws:is_well("shell=sleep 60")
    aws:runs { { id = "0a" }, { id = "0d" } }
    local d = shut { task = "0a" }
    local _, err = d:ready(async.now() + 3)
    assert.equal("the machine may be overwhelmed: try another task: --task 0d, or that command by hand", err.next)
  end))

  local function hangs_in(...)
    aws:is_well()
    aws:runs { { id = "0a" }, { id = "0d" }, { id = "0e" } }
    local which = table.concat({ ... }, "|")
    aws:says("ecs-execute-command.sh", ("case $4 in %s) exec sleep 60;; esac\n"):format(which)
      .. [[exec "$DOORS_HOST" "${0%/*}/session.lua" shell=sh]])
  end

  local function told_by(d, seconds)
    local told = {}
    local off = telemetry.on("door.passed_over", function(_, _, about)
      told[#told + 1] = about.task .. " " .. about.other
    end)
    local open, err = d:ready(async.now() + seconds)
    off()
    d:close()
    return open, told, err
  end

  it("in which no shell answers gives way to another task, where nobody named it", live.test(function()
    hangs_in "0a"
    local open, told = told_by(shut { ecs = { task = "0a" } }, 45)
    assert.is_true(open)
    assert.same({ "0a 0d" }, told)
  end))

  it("in which no shell answers stays, where it was named", live.test(function()
    hangs_in "0a"
    local open, told = told_by(shut { task = "0a" }, 4)
    assert.is_nil(open)
    assert.same({}, told)
  end))

  it("in which none answers in another task either names both, and what is left", live.test(function()
    hangs_in("0a", "0d")
    local _, _, err = told_by(shut { ecs = { task = "0a" } }, 8)
    assert.equal("ecs:prod/shop: no shell answered without a word (task 0d, and so did 0a)", err.message)
    assert.equal("the machine may be overwhelmed: try another task: --task 0e, or that command by hand", err.next)
  end))

  it("whose agent does not answer gives way to another task", live.test(function()
    hangs_in()
    aws:says("ecs-execute-command.sh", [[case $4 in 0a) echo "An error occurred (TargetNotConnectedException) when" \
      "calling the ExecuteCommand operation"; exit 254;; esac
      exec "$DOORS_HOST" "${0%/*}/session.lua" shell=sh]])
    local open, told = told_by(shut { ecs = { task = "0a" } }, 45)
    assert.is_true(open)
    assert.same({ "0a 0d" }, told)
  end))

  it("that ends before there is a shell is told", live.test(function()
    aws:is_well()
    aws:says("ecs-execute-command.sh", "echo; echo 'Cannot perform start session: EOF'; exit 255")
    local _, err = shut():ready(soon())
    assert.equal("ecs:prod/shop: the session ended before there was a shell", err.message)
  end))

  it("that has no shell is told", live.test(function()
    aws:is_well("shell=/bin/none")
    aws:says("ecs-execute-command.sh", "echo 'SessionId: e-0f : ----------ERROR-------'; "
      .. "echo 'Unable to start command: Failed to start pty: fork/exec /bin/sh: no such file or directory'; exit 255")
    local _, err = shut():ready(soon())
    assert.equal("ecs:prod/shop: there is no shell in the container", err.message)
  end))

  it("that is cut for being idle is told, and opens again", live.test(function()
    local file = aws.folder .. "/idle"
    aws:is_well("idle=" .. file)
    local d, why = shut(), {}
    assert(d:ready(soon()))
    local off = telemetry.on("node.down", function(_, _, about) why[#why + 1] = about.reason end)
    local n = assert(node.connect { name = d.node, door = d, deadline = soon() })
    aws:says("idle", "")
    until_true("word of it", function() return why[1] end)
    os.remove(file)
    until_true("the node again", function() return n.state == "up" end)
    off()
    assert.matches("the session was cut for being idle", why[1], 1, true)
    n:leave()
  end))

  -- Behind the banner; before the shell is ours, the first VM is shown, the runtime, the helper listens and is up.
  it("that is cut anywhere before it is open is told, and leaves nothing there", live.test(function()
    local WHERE = {
      [""] = "the door closed", bl_on_ = "the door closed",
      ["bl:pid="] = "the session ended while the node was looked for",
      ["bl:erlexec="] = "the session ended while its release was looked at",
      ["{go}"] = "the session ended while the helper was started",
      ["{up "] = "the session ended while the helper was started",
    }
    for cut, words in pairs(WHERE) do
      aws:is_well("cut=" .. cut)
      local _, err = shut():ready(soon())
      assert.matches("^ecs:prod/shop: " .. words, err.message)
    end
    until_true("the end of all that was started", function() return #aws:sessions() == 0 end)
  end))
end)
