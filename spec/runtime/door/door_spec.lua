local alive = require "spec.support.alive"
local async = require "runtime.async"
local door = require "runtime.door"
local held = require "spec.support.held"
local live = require "spec.support.live_node"
local node = require "runtime.node"
local ours = require "host.files"
local until_true = require "spec.support.until_true"
local uv = require "luv"

-- Behind each of these stands the same node; its epmd is known there, not here.
local DOORS = {
  ["a shell that reads a pipe"] = "shell:sh 2>&1 | cat",
  ["a shell of our own terminal"] = "local",
  ["bash with its prompt and its line editing"] = "session:shell=bash --norc -i",
  ["a shell without line editing"] = "session:shell=dash -i",
  ["a prompt that looks like our marks"] = "session:shell=env PS1='bl_on_ {go} (' dash -i",
  ["a session that comes back byte by byte"] = "session:chop=1",
  ["wrapped lines"] = "session:wrap=120",
  ["colours in the midst of anything"] = "session:colour=67",
  ["messages of the system in the midst of anything"] = "session:broadcast=20011",
  ["a session that loses what is typed too early"] = "session:deaf=2500",
  ["a slow session"] = "session:delay=40",
}

local function via_of(form)
  local how = form:match "^session:(.*)"
  if not how then return form end
  return ("shell:%s %s/spec/support/doors/session.lua '%s'"):format(ours.exe, ours.root, (how:gsub("'", [['\'']])))
end

local function soon() return async.now() + 45 end

describe("a door", function()
  local at

  setup(function()
    at = live.start { attach = false, name = live.own_name "bl_door" }
    uv.os_setenv("ERL_EPMD_PORT", tostring(held.free_port()))
  end)

  teardown(live.stop_all)

  local function through(form, use)
    local d = door.new(via_of(form), at.name)
    assert(d:ready(soon()))
    local n = assert(node.connect { name = d.node, door = d, deadline = soon() })
    use(n, d)
    n:leave()
    return d
  end

  for name, form in pairs(DOORS) do
    it("leads to the node: " .. name, live.test(function()
      local text = ("0123456789"):rep(12000)
      through(form, function(n)
        assert.equal(text, n:call("binary", "copy", { "0123456789", 12000 }, { timeout = 30 }))
      end)
    end))
  end

  it("is left without a process behind it", live.test(function()
    local d = through("session:shell=bash --norc -i", function() end)
    until_true("the end of the helper", function() return not alive(d.helper) end)
  end))

  it("that is torn down leaves no process behind it", live.test(function()
    local d = door.new(via_of "session:shell=bash --norc -i", at.name)
    assert(d:ready(soon()))
    d.shell.line.pty:signal(9)
    until_true("the end of the helper", function() return not alive(d.helper) end)
    d:close()
  end))

  it("passes no cookie on", live.test(function()
    local file = assert(io.open(at.cookie_file))
    local cookie = file:read "*a"
    file:close()
    local seen = {}
    local d = door.new("local", at.name)
    assert(d:ready(soon()))
    seen[1] = d.shell.said
    local take = d.shell.take
    d.shell.take = function(bytes)
      seen[#seen + 1] = bytes
      take(bytes)
    end
    local n = assert(node.connect { name = d.node, door = d, deadline = soon() })
    n:leave()
    assert.is_nil(table.concat(seen):find(cookie, 1, true))
  end))

  it("shows the node nothing but a node that asks", live.test(function()
    through("local", function(n)
      local found = n:call("erlang", "nodes", { require("host.etf").A.hidden })
      assert.equal(1, #found)
    end)
  end))

  it("that closes under us is told, and opens again", live.test(function()
    local d = door.new("local", at.name)
    assert(d:ready(soon()))
    local n, told = assert(node.connect { name = d.node, door = d, deadline = soon() }), {}
    n:on_change(function(state) told[#told + 1] = state end)
    d.shell.line.pty:signal(9)
    until_true("another one", function() return n.state == "up" and told[1] == "down" end)
    assert.equal(5, n:call("erlang", "+", { 2, 3 }))
    n:leave()
  end))

  it("says who is there when nobody of that name is", live.test(function()
    local d = door.new("local", "nobody@127.0.0.1")
    local _, err = d:ready(soon())
    assert.equal("local: nobody@127.0.0.1 does not run there", err.message)
    assert.matches(at.name, err.next, 1, true)
  end))
end)
