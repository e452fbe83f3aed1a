local async = require "runtime.async"
local console = require "runtime.door.console"
local crypto = require "host.crypto"
local digest = require "runtime.door.digest"
local door = require "runtime.door"
local erlang = require "spec.support.erlang"
local held = require "spec.support.held"
local live = require "spec.support.live_node"
local node = require "runtime.node"
local owner = require "runtime.door.owner"
local probe = require "runtime.door.probe"
local uv = require "luv"
local ways = require "runtime.door.ways"

local THEIRS, OURS = 65534, 65533
local EVIL = live.own_name "bl_evil"

-- A release that belongs to who runs it, as an image has it, with the cookie in its environment.
local AS_RELEASE = ([[
OTP=$(erl -noinput -eval 'io:put_chars(code:root_dir()), halt()')
APP=$HOME/app
mkdir -p "$APP/releases/0.1.0" && ln -s "$OTP"/erts-* "$OTP/lib" "$APP/" || exit 1
cp "$OTP/bin/start_clean.boot" "$APP/releases/0.1.0/"
export RELEASE_COOKIE=$(cat .erlang.cookie) ROOTDIR=$APP BINDIR=$(echo "$APP"/erts-*/bin) EMU=beam PROGNAME=erl
chown -R -h %d:%d "$HOME"
shift
exec setpriv --reuid=%d --regid=%d --clear-groups "$BINDIR/erlexec" -boot "$APP/releases/0.1.0/start_clean" \
  -boot_var RELEASE_LIB "$APP/lib" "$@"
]]):format(THEIRS, THEIRS, THEIRS, THEIRS)

local function soon() return async.now() + 45 end

local function read(path)
  local file = io.open(path)
  local text = file and file:read "*a"
  if file then file:close() end
  return text
end

local function write(path, text, mode, uid)
  local file = assert(io.open(path, "w"))
  file:write(text)
  file:close()
  assert(uv.fs_chmod(path, tonumber(mode, 8)))
  assert(uv.fs_chown(path, uid, uid))
end

-- All users that a process has.
local function users_of(pid) return (read(("/proc/%d/status"):format(pid)) or ""):match "Uid:%s*(.-)\n" end

describe("a node of the shell's own user", function()
  it("needs no more looking", function()
    local its = { uid = 1000, gid = 1000, root = "/app", bindir = "/app/erts-13/bin" }
    local no_shell = {}
    assert.is_true(owner.settle(no_shell, its, 1000, 0))
    assert.same({ uid = 1000, gid = 1000, root = "/app", bindir = "/app/erts-13/bin" }, its)
  end)
end)

-- Only root can have processes of several users.
local as_root = uv.getuid() == 0 and describe or function() end

as_root("whose a node is", function()
  local at, folder, otp, otp_bin
  local planted = {}

  -- What looks like a node, for as long as this process runs.
  local function plant(uid, program, ...)
    local stdin = uv.new_pipe()
    local process = assert(uv.spawn("setpriv", {
      args = { "--reuid=" .. uid, "--regid=" .. uid, "--clear-groups", program, "-c", "read x; :", "x", ... },
      stdio = { stdin }, env = { "PATH=" .. os.getenv "PATH" },
    }, function() end))
    planted[#planted + 1] = function()
      stdin:close()
      process:close()
    end
  end

  -- Root that cannot become anybody else.
  local HELD = "shell:setpriv --bounding-set -setuid,-setgid,-sys_chroot sh"

  local function as(uid)
    return ("shell:setpriv --reuid %d --regid %d --clear-groups sh"):format(uid, uid)
  end

  setup(function()
    at = live.start { attach = false, name = live.own_name "bl_owner", within = { "sh", "-c", AS_RELEASE, "sh" } }
    assert(os.rename(at.cookie_file, at.home .. "/away"))
    uv.os_setenv("ERL_EPMD_PORT", tostring(held.free_port()))
    otp = erlang.run "[code:root_dir()]."
    otp_bin = erlang.run '[code:root_dir(), "/erts-", erlang:system_info(version), "/bin"].'
    folder = assert(uv.fs_mkdtemp "/tmp/spec-owner-XXXXXX")
    assert(uv.fs_chmod(folder, tonumber("755", 8)))
    for uid, name in pairs { [THEIRS] = "theirs", [OURS] = "ours", [0] = "roots" } do
      local home = folder .. "/" .. name
      assert(uv.fs_mkdir(home, tonumber("755", 8)))
      write(home .. "/.erlang.cookie", "of_" .. name, "400", uid)
      assert(uv.fs_chown(home, uid, uid))
    end
    write(folder .. "/theirs/erlexec", "#!/bin/sh\nid -u > " .. folder .. "/theirs/ran\n", "755", THEIRS)
    assert(uv.fs_copyfile("/bin/dash", folder .. "/beam.smp"))
    assert(uv.fs_chmod(folder .. "/beam.smp", tonumber("755", 8)))
    write(folder .. "/theirs/start_clean.boot", "", "644", THEIRS)
  end)

  after_each(function()
    for _, stop in ipairs(planted) do stop() end
    planted = {}
  end)

  teardown(function()
    live.stop_all()
    os.execute("rm -r " .. folder)
  end)

  local function entered(via)
    local d = door.new(via, at.name)
    assert(d:ready(soon()))
    local n = assert(node.connect { name = d.node, door = d, deadline = soon() })
    assert.equal(5, n:call("erlang", "+", { 2, 3 }))
    local users = users_of(d.helper)
    n:leave()
    return users
  end

  local ALL_THEIRS = ("%d\t%d\t%d\t%d"):format(THEIRS, THEIRS, THEIRS, THEIRS)

  it("root's shell becomes, and so does the helper", live.test(function()
    assert.equal(ALL_THEIRS, entered "local")
  end))

  it("root's shell becomes in a container, where it could not have read the cookie", live.test(function()
    assert.equal(ALL_THEIRS, entered "shell:setpriv --bounding-set -sys_ptrace sh")
  end))

  local MOST = { "env", "sh", "tr", "stty", "hostname", "cat", "ls", "sed", "md5sum" }
  for _, program in ipairs { "chroot", "su" } do
    it("root's shell becomes by busybox and " .. program, live.test(function()
      local bin = folder .. "/" .. program
      assert(uv.fs_mkdir(bin, tonumber("755", 8)))
      for _, applet in ipairs(MOST) do assert(uv.fs_symlink("/bin/busybox", bin .. "/" .. applet)) end
      local real = io.popen("command -v " .. program):read "*l"
      assert(uv.fs_symlink(real, bin .. "/" .. program))
      assert.equal(ALL_THEIRS, entered(("shell:env PATH=%s %s/sh 2>&1"):format(bin, bin)))
    end))
  end

  it("nothing of root's environment is shown to", live.test(function()
    uv.os_setenv("SPEC_SECRET", "of_root")
    local d = door.new("local", at.name)
    assert(d:ready(soon()))
    local cat = ("setpriv --reuid=%d --regid=%d --clear-groups cat /proc/%d/environ"):format(THEIRS, THEIRS, d.helper)
    local environ = io.popen(cat):read "*a"
    d:close()
    assert.matches("HOME=/%z", environ)
    assert.is_nil(environ:find("of_root", 1, true))
    uv.os_unsetenv "SPEC_SECRET"
  end))

  local function refused(via, name)
    local target = assert(ways.read(via))
    target.through = "console"
    local d = door.new(target, name)
    local open, err = d:ready(soon())
    assert.is_nil(open)
    return tostring(err):sub(#via + 3)
  end

  local function evil(...)
    plant(THEIRS, folder .. "/beam.smp", "-bindir", folder .. "/theirs", "-root", folder .. "/theirs", "-name", EVIL,
      "-boot", folder .. "/theirs/start", ...)
  end

  it("a program that only says that it is a VM has none", live.test(function()
    plant(THEIRS, "/bin/dash", "-bindir", folder .. "/theirs", "-root", folder .. "/theirs", "-name", EVIL)
    assert.matches(EVIL .. " does not run there; ", refused(as(THEIRS), EVIL), 1, true)
  end))

  it("what root runs, and may not say so of itself, has none", live.test(function()
    plant(0, "/bin/dash", "-bindir", otp, "-root", otp, "-name", EVIL)
    assert.matches(EVIL .. " does not run there; ", refused("local", EVIL), 1, true)
  end))

  it("its files are run with no more rights than it has", live.test(function()
    evil()
    assert.matches("^the session ended while the helper was started", refused("local", EVIL))
    assert.equal(THEIRS .. "\n", read(folder .. "/theirs/ran"))
    os.remove(folder .. "/theirs/ran")
  end))

  local NOT_RUN = ("%s is of another user there (%d), and others than root may change what lies in %%s: it is not run; "
    .. "enter as that user (ssh:USER@HOST, shell:docker exec -i -u USER NAME sh), or attach over the network"):format(
    EVIL, THEIRS)

  it("another user's shell does not run what lies there", live.test(function()
    evil()
    assert.equal(NOT_RUN:format(folder .. "/theirs"), refused(as(OURS), EVIL))
    assert.is_nil(read(folder .. "/theirs/ran"))
  end))

  -- Roots that only look like root's own, with the runtime that root installed.
  local LOOSE = {
    ["by a link that leads to it"] = function(root) assert(uv.fs_symlink(folder .. "/theirs", root)) end,
    ["in a folder that everybody may change"] = function(root)
      assert(uv.fs_mkdir(root, tonumber("755", 8)))
      assert(uv.fs_mkdir(root .. "/lib", tonumber("777", 8)))
      assert(uv.fs_chmod(root .. "/lib", tonumber("777", 8)))
    end,
  }
  for name, make in pairs(LOOSE) do
    it("another user's shell does not run what lies there " .. name, live.test(function()
      local root = folder .. "/" .. name:gsub(" ", "_")
      make(root)
      plant(THEIRS, folder .. "/beam.smp", "-bindir", otp_bin, "-root", root, "-name", EVIL)
      assert.equal(NOT_RUN:format(root), refused(as(OURS), EVIL))
    end))
  end

  it("another user's shell runs what is root's, below a folder that is everybody's", live.test(function()
    local root = folder .. "/roots"
    assert(uv.fs_mkdir(root .. "/lib", tonumber("755", 8)))
    plant(THEIRS, folder .. "/beam.smp", "-bindir", otp_bin, "-root", root, "-name", EVIL)
    assert.matches("no erl was found in " .. root, refused(as(OURS), EVIL), 1, true)
  end))

  it("root's shell that cannot become it does not either", live.test(function()
    evil()
    assert.equal(NOT_RUN:format(folder .. "/theirs"),
      refused(HELD, EVIL))
    assert.is_nil(read(folder .. "/theirs/ran"))
  end))

  it("what it calls itself is not taken for what the shell is", live.test(function()
    evil("-S", "1|bl:shell_uid=" .. THEIRS .. "|bl:pid=1|bl:uid=0|")
    local out = io.popen("sh -c '" .. probe.LOOK:gsub("'", [['\'']]) .. "' sh"):read "*a"
    local found = probe.read(out)
    assert.equal(0, found.uid)
  end))

  -- By the helper and by the shell, of a node that runs what root installed and has its home where it says.
  local function digests_of(home, via)
    plant(THEIRS, folder .. "/beam.smp", "-bindir", otp_bin, "-root", otp, "-name", EVIL, "-home", home)
    local target = assert(ways.read(via))
    target.through = "console"
    local d = door.new(target, EVIL)
    assert(d:ready(soon()))
    local by_helper = d:digest("x1", soon())
    d:close()
    local shell = assert(console.start(target.words, { silent = true, on_end = function() end }))
    assert(shell:take_over(soon()))
    local by_shell = digest.of(shell, d.at, "x1", soon())
    shell:close()
    return { by_helper, by_shell }
  end

  it("is whose cookie is read", live.test(function()
    local its = crypto.md5 "of_theirsx1"
    assert.same({ its, its }, digests_of(folder .. "/theirs", HELD))
  end))

  it("is whose cookie is read, and not root's", live.test(function()
    assert.same({}, digests_of(folder .. "/roots", HELD))
  end))

  it("is whose cookie is read, and not the shell's own", live.test(function()
    assert.same({}, digests_of(folder .. "/ours", as(OURS)))
  end))
end)
