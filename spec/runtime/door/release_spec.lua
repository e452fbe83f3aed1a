local async = require "runtime.async"
local door = require "runtime.door"
local held = require "spec.support.held"
local live = require "spec.support.live_node"
local node = require "runtime.node"
local probe = require "runtime.door.probe"
local uv = require "luv"

-- A folder as a release unpacks it: its own erts and lib, boot files only below releases/, a cookie in the arguments
-- of its VM and another one at home, its epmd in the arguments alone.
local AS_RELEASE = [[
OTP=$(erl -noinput -eval 'io:put_chars(code:root_dir()), halt()')
APP=$HOME/app
mkdir -p "$APP/releases/0.1.0" && ln -s "$OTP"/erts-* "$OTP/lib" "$APP/" || exit 1
cp "$OTP/bin/start_clean.boot" "$APP/releases/0.1.0/"
ROOTDIR=$APP BINDIR=$(echo "$APP"/erts-*/bin) EMU=beam PROGNAME=erl
export ROOTDIR BINDIR EMU PROGNAME
shift
EPMD=$ERL_EPMD_PORT
unset ERL_EPMD_PORT
exec "$BINDIR/erlexec" -boot "$APP/releases/0.1.0/start_clean" -boot_var RELEASE_LIB "$APP/lib" "$@" -epmd_port $EPMD
]]

describe("a release behind a door", function()
  local at, d

  setup(function()
    at = live.start {
      attach = false, name = live.own_name "bl_release", within = { "sh", "-c", AS_RELEASE, "sh" },
      args = { "-setcookie", "of_the_release" },
    }
    uv.os_setenv("ERL_EPMD_PORT", tostring(held.free_port()))
    d = door.new("local", at.name)
  end)

  teardown(live.stop_all)

  it("is entered by its own runtime, with the cookie and the epmd of its arguments", live.test(function()
    assert(d:ready(async.now() + 45))
    local n = assert(node.connect { name = d.node, door = d, deadline = async.now() + 20 })
    assert.equal(at.name, tostring(n:call("erlang", "node", {})))
    local file = assert(io.open(("/proc/%d/cmdline"):format(d.helper)))
    local words = file:read "*a"
    file:close()
    assert.matches(at.home .. "/app/releases/0.1.0/start_clean", words, 1, true)
    n:leave()
  end))
end)

describe("what a shell was seen to print", function()
  local VM = "bl:pid=7|bl:root=/app|bl:bindir=/app/erts-13|"

  it("names a node", function()
    assert.same({ { pid = "7", name = "shop@10.0.0.7", short = false, root = "/app", bindir = "/app/erts-13",
      cookie = "arguments", tls = false } },
      probe.read(VM .. "bl:name=shop@10.0.0.7|bl:cookie=arguments|bl:host=web|").nodes)
  end)

  it("gives a short name the host's", function()
    assert.equal("shop@web", probe.read(VM .. "bl:sname=shop|bl:host=web.example.org|").nodes[1].name)
  end)

  it("counts a VM without a name", function() assert.equal(1, probe.read(VM .. "bl:host=web|").nameless) end)

  it("knows a node that takes TLS only", function()
    assert.is_true(probe.read(VM .. "bl:name=a@b|bl:proto_dist=inet_tls|").nodes[1].tls)
  end)

  it("is no node where a path would end the quotes that it is put in", function()
    assert.same({}, probe.read("bl:pid=7|bl:root=/a'$(id)'|bl:bindir=/app/erts-13|bl:name=a@b|").nodes)
  end)

  it("tells how much memory is left where there is a limit", function()
    assert.equal(24, probe.read("bl:shell_memory_max=100|bl:shell_memory_now=76|").memory_left)
  end)

  it("tells no limit where there is none", function()
    assert.is_nil(probe.read("bl:shell_memory_max=max|bl:shell_memory_now=76|").memory_left)
  end)
end)
