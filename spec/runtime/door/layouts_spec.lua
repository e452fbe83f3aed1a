local async = require "runtime.async"
local by_mix = require "spec.support.by_mix"
local door = require "runtime.door"
local etf = require "host.etf"
local held = require "spec.support.held"
local live = require "spec.support.live_node"
local node = require "runtime.node"
local ours = require "host.files"
local program = require "spec.support.program"
local sshd = require "spec.support.sshd"
local until_true = require "spec.support.until_true"
local uv = require "luv"
local ways = require "runtime.door.ways"
local who_runs = require "spec.support.who_runs"

local LOOPBACK = "-start_epmd false -kernel inet_dist_use_interface {127,0,0,1}"

-- Each of these scripts is given the words that would start a node: -name is the first, its name the second.

-- As OTP's own systools packs one: start.boot alone, and what erl puts into bin when it is installed.
local BY_SYSTOOLS = [=[
cd "$HOME" || exit 1
erl -noinput -eval '
  V = fun(A) -> application:load(A), {ok, Vsn} = application:get_key(A, vsn), Vsn end,
  Rel = {release, {"shop", "1"}, {erts, erlang:system_info(version)}, [{A, V(A)} || A <- [kernel, stdlib, sasl]]},
  ok = file:write_file("shop.rel", io_lib:format("~p.~n", [Rel])),
  ok = systools:make_script("shop"),
  ok = systools:make_tar("shop", [{erts, code:root_dir()}]),
  halt()' || exit 1
mkdir "$HOME/app" && cd "$HOME/app" && tar -xzf ../shop.tar.gz || exit 1
OTP=$(erl -noinput -eval 'io:put_chars(code:root_dir()), halt()')
mkdir -p bin && cp "$OTP/bin/start_clean.boot" bin/
ROOTDIR=$HOME/app BINDIR=$(echo "$HOME"/app/erts-*/bin) EMU=beam PROGNAME=erl
export ROOTDIR BINDIR EMU PROGNAME
exec "$BINDIR/erlexec" -boot "$HOME/app/releases/1/start" -name "$2" -noinput ]=] .. LOOPBACK

-- A folder that a link leads to, as deployments of old have it.
local BY_A_LINK = [[
OTP=$(erl -noinput -eval 'io:put_chars(code:root_dir()), halt()')
ln -s "$OTP" "$HOME/current" || exit 1
ROOTDIR=$HOME/current BINDIR=$(echo "$HOME"/current/erts-*/bin) EMU=beam PROGNAME=erl
export ROOTDIR BINDIR EMU PROGNAME
exec "$BINDIR/erlexec" -name "$2" -noinput ]] .. LOOPBACK

-- The files of the release are replaced under a node that runs.
local GONE = [[
OTP=$(erl -noinput -eval 'io:put_chars(code:root_dir()), halt()')
mkdir "$HOME/app" && ln -s "$OTP/lib" "$OTP/bin" "$HOME/app/" && cp -r "$OTP"/erts-* "$HOME/app/" || exit 1
ROOTDIR=$HOME/app BINDIR=$(echo "$HOME"/app/erts-*/bin) EMU=beam PROGNAME=erl
export ROOTDIR BINDIR EMU PROGNAME
exec "$BINDIR/erlexec" -mode embedded -name "$2" -noinput ]] .. LOOPBACK

local function soon() return async.now() + 45 end

local function start(name, script)
  local at = live.start { attach = false, name = name, within = { "sh", "-c", script } }
  uv.os_setenv("ERL_EPMD_PORT", tostring(held.free_port()))
  return at
end

local function arguments(pid)
  local file = assert(io.open(("/proc/%d/cmdline"):format(pid)))
  local words = file:read("*a"):gsub("%z", " ")
  file:close()
  return words
end

local function opened(to, name)
  local d = door.new(to, name)
  assert(d:ready(soon()))
  return d
end

-- Enters it by a helper of its own.
local function entered(via, name)
  local d = opened(via, name)
  local n = assert(node.connect { name = d.node, door = d, deadline = soon() })
  assert.equal(name, tostring(n:call("erlang", "node", {})))
  local words = arguments(d.helper)
  n:leave()
  return words
end

-- What was told of the way, once the node answered by it.
local function asked(to, name)
  local d = opened(to, name)
  local n = assert(node.connect { name = d.node, door = d, deadline = soon() })
  assert.equal(name, tostring(n:call("erlang", "node", {})))
  assert.equal(100000, #n.query("binary:copy(B, 1000).", { B = ("x"):rep(100) }))
  n:leave()
  return d.told
end

local function by_rpc(via)
  local target = assert(ways.read(via))
  target.through = "rpc"
  return target
end

describe("a helper is started by the runtime of", function()
  local mix, packed

  teardown(live.stop_all)

  it("what mix release made, in the version that runs", live.test(function()
    mix = start(live.own_name "bl_mix", by_mix)
    assert.matches(mix.home .. "/app/releases/0.2.0/start_clean", entered("local", mix.name), 1, true)
  end))

  describe("what mix release made, which asks itself by its own rpc", function()
    it("where that is wanted", live.test(function()
      assert.matches("^rpc: " .. mix.home .. "/app/bin/shop asks beside the node", asked(by_rpc "local", mix.name))
    end))

    it("through a session with an echo, colours and breaks between", live.test(function()
      local via = "shell:%s %s/spec/support/doors/session.lua 'shell=bash --norc -i' chop=7 wrap=130 colour=90"
      assert.matches("^rpc: ", asked(by_rpc(via:format(ours.exe, ours.root)), mix.name))
    end))

    it("and ends its question where it is killed", live.test(function()
      local watching = assert(node.connect { name = mix.name, door = opened("local", mix.name), deadline = soon() })
      local function asks() return watching:call("erlang", "whereis", { etf.A.bl_asked }) ~= etf.A.undefined end
      local by = opened(by_rpc "local", mix.name)
      local asking = assert(node.connect { name = mix.name, door = by, deadline = soon() })
      local task = async.spawn(asking.query, "register(bl_asked, self()), timer:sleep(600000).", nil, { timeout = 600 })
      until_true("the question", asks)
      uv.kill(tonumber(who_runs("--rpc-eval", mix.name)[1]), "sigkill")
      until_true("its end", function() return not asks() end)
      asking:leave()
      task:join()
      watching:leave()
    end))

    it("and leaves nothing, interrupted twice", live.test(function()
      local running = program.start({ "watch", "--node", mix.name, "--via", "local", "--through", "rpc" },
        { env = { ERL_EPMD_PORT = uv.os_getenv "ERL_EPMD_PORT", HOME = mix.home } })
      until_true("word of being attached", function() return running.stdout():find "attached" end)
      assert.equal(1, #who_runs("--rpc-eval", mix.name))
      running.kill "sigint"
      running.kill "sigint"
      running.wait(30)
      until_true("the end of who asked", function() return #who_runs("--rpc-eval", mix.name) == 0 end)
    end))
  end)

  it("what systools packed", live.test(function()
    packed = start(live.own_name "bl_systools", BY_SYSTOOLS)
    assert.matches(packed.home .. "/app/bin/start_clean", entered("local", packed.name), 1, true)
  end))

  it("what systools packed; where nothing to start it from is left, its erl_call asks", live.test(function()
    assert(os.remove(packed.home .. "/app/bin/start_clean.boot"))
    assert.matches("^rpc: " .. packed.home .. "/app/erts%S*/erl_call asks .*; why not console: no erl was found in ",
      asked("local", packed.name))
  end))

  it("a folder that a link leads to", live.test(function()
    local at = start(live.own_name "bl_linked", BY_A_LINK)
    assert.matches(at.home .. "/current/bin/start_clean", entered("local", at.name), 1, true)
  end))

  it("a system that has nothing but busybox", live.test(function()
    local at = live.start { attach = false, name = live.own_name "bl_busybox" }
    uv.os_setenv("ERL_EPMD_PORT", tostring(held.free_port()))
    local bin = at.home .. "/bin"
    assert(uv.fs_mkdir(bin, 448))
    for _, applet in ipairs { "sh", "tr", "stty", "hostname", "cat", "ls", "sed", "md5sum" } do
      assert(uv.fs_symlink("/bin/busybox", bin .. "/" .. applet))
    end
    entered(("shell:env PATH=%s %s/sh 2>&1"):format(bin, bin), at.name)
  end))
end)

describe("a release whose files are gone under it", function()
  local at, server, usual

  setup(function()
    usual = uv.os_getenv "PATH"
    at = start(live.own_name "bl_gone", GONE)
    server = sshd.start()
    uv.os_setenv("PATH", server.path)
    assert(os.execute(("rm -r %s/app"):format(at.home)) == 0)
  end)

  teardown(function()
    uv.os_setenv("PATH", usual)
    server.stop()
    live.stop_all()
  end)

  it("starts no helper, and says so", live.test(function()
    local _, err = door.new("local", at.name):ready(soon())
    assert.equal(("local: no erl was found in %s/app; the release was built without its runtime; "
      .. "attach over the network"):format(at.home), tostring(err))
  end))

  it("has nothing to ask with either", live.test(function()
    local _, err = door.new(by_rpc "local", at.name):ready(soon())
    assert.equal(("local: no rpc of a release, and no erl_call that finds the node's cookie, can be started in %s/app; "
      .. "leave --through out"):format(at.home), tostring(err))
  end))

  it("is led here with a cookie that is given, where its own is gone too", live.test(function()
    local file = assert(io.open(at.cookie_file))
    local cookie = file:read "*a"
    file:close()
    assert(os.rename(at.cookie_file, at.cookie_file .. ".away"))
    local d = door.new("ssh:node", at.name)
    assert(d:ready(soon()))
    local n = assert(node.connect { name = d.node, door = d, deadline = soon(), cookie = cookie })
    n:leave()
    assert(os.rename(at.cookie_file .. ".away", at.cookie_file))
  end))

  it("is led here by its port", live.test(function()
    local d = door.new("ssh:node", at.name)
    assert(d:ready(soon()))
    local n = assert(node.connect { name = d.node, door = d, deadline = soon() })
    assert.equal(5, n:call("erlang", "+", { 2, 3 }))
    n:leave()
  end))
end)
