local async = require "runtime.async"
local door = require "runtime.door"
local held = require "spec.support.held"
local live = require "spec.support.live_node"
local node = require "runtime.node"
local probe = require "runtime.door.probe"
local uv = require "luv"

local VM = "bl:pid=7|bl:root=/app|bl:bindir=/app/erts-13|bl:name=shop@10.0.0.7|"

local function seen(text) return probe.read(VM .. text).nodes[1] end

-- All that is told of it, a row in each line.
local function told(text)
  local found = probe.read(VM .. text)
  local lines = {}
  for i, row in ipairs(probe.told(found, found.nodes[1])) do lines[i] = row[1] .. ": " .. row[2] end
  return table.concat(lines, "\n")
end

describe("before a node is spoken to", function()
  it("a port that its flags fix is known", function()
    assert.equal(9100, seen("bl:inet_dist_listen_min=9100|bl:inet_dist_listen_max=9100|").port)
  end)

  it("a port that may be one of several is not", function()
    assert.is_nil(seen("bl:inet_dist_listen_min=9100|bl:inet_dist_listen_max=9105|").port)
  end)

  it("a port that stands for epmd's answer is known", function()
    assert.equal(9100, seen("bl:erl_epmd_port=9100|").port)
  end)

  it("its schedulers are those online", function() assert.equal(2, seen("bl:S=4:2|").schedulers) end)

  it("what is no number of schedulers is an argument of its own", function()
    assert.is_nil(seen("bl:S=mix|").schedulers)
  end)

  it("a quota of time is told in cores", function() assert.equal(1.5, seen("bl:cpu_max=150000 100000|").cpus) end)

  it("an old quota of time too", function() assert.equal(0.5, seen("bl:cpu_quota=50000|").cpus) end)

  it("no quota is no limit", function() assert.is_nil(seen("bl:cpu_max=max 100000|bl:cpu_quota=-1|").cpus) end)

  it("a container around it is seen", function() assert.is_true(seen("bl:contained=yes|").contained) end)

  it("a name of the machine that would be more than a name is none", function()
    local found = probe.read "bl:pid=7|bl:root=/app|bl:bindir=/app/erts-13|bl:sname=shop|bl:host=a\27[2J';id|"
    assert.same({ "shop", nil }, { found.nodes[1].name, found.host })
  end)

  it("the folder of its boot file is known", function()
    assert.equal("/app/releases/0.2.0", seen("bl:boot=/app/releases/0.2.0/start|").boot)
  end)

  it("what there is no limit of is not told", function()
    assert.equal("vm: pid 7 there, of /app\ndistribution: plain, epmd on port 4369\ncookie: in a file there", told "")
  end)

  it("all that was seen is told", function()
    assert.equal("vm: pid 7 there (user 65534), of /app, watched by heart\n"
      .. "schedulers: 4 by its flags; its time is limited to 2 cores\n"
      .. "memory: 400 MB of its limit of 512 MB\n"
      .. "distribution: plain, port 9100 by its flags, hidden\n"
      .. "cookie: in its arguments, which everybody there can read",
      told("bl:shell_uid=0|bl:uid=65534|bl:heart=yes|bl:S=4:4|bl:cpu_max=200000 100000|bl:memory_max=536870912|"
        .. "bl:memory_now=419430400|bl:erl_epmd_port=9100|bl:hidden=yes|bl:cookie=arguments|"))
  end)
end)

describe("a node that is behind a door and has flags", function()
  local at, port

  setup(function()
    port = held.free_port()
    at = live.start {
      attach = false, name = live.own_name "bl_flags",
      args = { "+S", "2:1", "-hidden", "-kernel", "inet_dist_listen_min", tostring(port), "inet_dist_listen_max",
        tostring(port) },
    }
    uv.kill(at.epmd_pid, "sigkill")
    uv.os_setenv("ERL_EPMD_PORT", tostring(held.free_port()))
  end)

  teardown(live.stop_all)

  it("is found with them, and reached where there is no epmd", live.test(function()
    local d = door.new("local", at.name)
    assert(d:ready(async.now() + 45))
    local its = d.at
    assert.same({ 1, true, port, at.epmd_port }, { its.schedulers, its.hidden, its.port, its.epmd_port })
    local n = assert(node.connect { name = d.node, door = d, deadline = async.now() + 20 })
    assert.equal(5, n:call("erlang", "+", { 2, 3 }))
    n:leave()
  end))
end)
