local uv = require "luv"
local files = require "runtime.files"

describe("a file of the user", function()
  local folder

  local function mode(octal) return tonumber(octal, 8) end

  local function write(name, text, octal)
    local path = folder .. "/" .. name
    local file = assert(io.open(path, "w"))
    file:write(text)
    file:close()
    assert(uv.fs_chmod(path, mode(octal or "600")))
    return path
  end

  before_each(function()
    folder = uv.fs_realpath(uv.fs_mkdtemp "/tmp/beamlens_spec_XXXXXX")
    uv.os_setenv("XDG_CONFIG_HOME", folder)
  end)
  after_each(function()
    uv.os_unsetenv "XDG_CONFIG_HOME"
    os.execute("rm -rf " .. folder)
  end)

  local function refusal(path)
    local text, err = files.read_users(path, "skill")
    assert.is_nil(text)
    assert.same({ "skill", 2 }, { err.stage, err.exit })
    return tostring(err)
  end

  it("is read where only its owner writes it", function()
    assert.equal("mine", files.read_users(write("a.lua", "mine", "644"), "skill"))
  end)

  it("is read when it is empty", function()
    assert.equal("", files.read_users(write("a.lua", ""), "skill"))
  end)

  it("is refused that others may write, with the command that mends it", function()
    local path = write("a.lua", "", "646")
    assert.equal(path .. " may be written by others, so it is not used; chmod o-w " .. path, refusal(path))
  end)

  it("is refused that its group may write, with the command that mends it", function()
    local path = write("a.lua", "", "664")
    assert.equal(path .. " may be written by its group, so it is not used; chmod g-w " .. path
      .. ", and umask 022 makes new files so", refusal(path))
  end)

  it("is refused through a link to one that others may write", function()
    local path = write("a.lua", "", "646")
    assert(uv.fs_symlink(path, folder .. "/link.lua"))
    assert.matches("a%.lua may be written by others", refusal(folder .. "/link.lua"))
  end)

  it("is read through a link, which has no mode of its own", function()
    assert(uv.fs_symlink(write("a.lua", "mine"), folder .. "/link.lua"))
    assert.equal("mine", files.read_users(folder .. "/link.lua", "skill"))
  end)

  it("is refused in a folder that others may write", function()
    local path = write("a.lua", "")
    uv.fs_chmod(folder, mode "757")
    assert.equal(path .. " lies in a folder that may be written by others, so it is not used; chmod o-w " .. folder,
      refusal(path))
  end)

  it("is refused in a folder that its group may write", function()
    local path = write("a.lua", "")
    uv.fs_chmod(folder, mode "770")
    assert.matches("lies in a folder that may be written by its group", refusal(path))
  end)

  it("is read in a folder for all, where nobody replaces another's file", function()
    local path = write("a.lua", "mine")
    uv.fs_chmod(folder, mode "1777")
    assert.equal("mine", files.read_users(path, "skill"))
  end)

  -- Only root can give a folder away; another owner is one that was there before.
  it("is refused in a folder of another user, who may put another file there at any time", function()
    local path, stat = write("a.lua", "mine"), uv.fs_stat
    finally(function() uv.fs_stat = stat end)
    local other = uv.getuid() + 4321
    uv.fs_stat = function(...)
      local about, why = stat(...)
      if about and about.type == "directory" then about.uid = other end
      return about, why
    end
    assert.equal(("%s lies in a folder of another user (%d), so it is not used; make a copy in a folder of your own")
      :format(path, other), refusal(path))
  end)

  it("is refused where another stands there by the time it was opened", function()
    local path, open = write("a.lua", "mine"), uv.fs_open
    finally(function() uv.fs_open = open end)
    uv.fs_open = function(...)
      local fd, why = open(...)
      assert(os.rename(write("b.lua", "theirs"), path))
      return fd, why
    end
    assert.equal(path .. " was replaced while it was read; try again", refusal(path))
  end)

  it("is refused where it is a folder or a pipe, which is not waited for", function()
    assert.matches("is no file; name a Lua file", refusal(folder))
    os.execute("mkfifo " .. folder .. "/pipe.lua")
    assert.matches("pipe%.lua is no file", refusal(folder .. "/pipe.lua"))
  end)

  it("is refused above a mebibyte", function()
    assert.matches("has more than 1048576 bytes", refusal(write("a.lua", ("x"):rep(1048577))))
  end)

  it("is told where it is not there", function()
    assert.equal(("cannot read %s/a.lua (ENOENT); check the path"):format(folder), refusal(folder .. "/a.lua"))
  end)
end)

describe("the folders of the user", function()
  it("are never below the working directory", function()
    local before = os.getenv "XDG_STATE_HOME"
    uv.os_setenv("XDG_STATE_HOME", "somewhere/below")
    local home = files.state_home()
    if before then uv.os_setenv("XDG_STATE_HOME", before) else uv.os_unsetenv "XDG_STATE_HOME" end
    assert.equal(uv.os_homedir() .. "/.local/state/beamlens", home)
  end)
end)

describe("a list of files", function()
  it("is read and nothing of it is kept, for whoever watches reads it again and again", function()
    local function held()
      collectgarbage()
      collectgarbage()
      local n = 0
      for _, value in pairs(debug.getregistry()) do n = n + (type(value) == "userdata" and 1 or 0) end
      return n
    end
    assert.is_true(#files.list("skills", ".lua") > 10)
    local before = held()
    for _ = 1, 50 do files.list("skills", ".lua") end
    assert.equal(before, held())
  end)
end)

describe("what guards", function()
  local folder

  setup(function()
    folder = uv.fs_realpath(uv.fs_mkdtemp "/tmp/beamlens_spec_XXXXXX")
    os.execute(("mkdir -p %s/beamlens/sandbox %s/beamlens/runtime %s/beamlens/skills"):format(folder, folder, folder))
    for _, name in ipairs { "sandbox/policy", "sandbox/classify", "runtime/gate", "gate", "config" } do
      local file = assert(io.open(("%s/beamlens/%s.lua"):format(folder, name), "w"))
      file:write "return { SAFE = { runs = 'always' }, DANGEROUS = { runs = 'always' } }"
      file:close()
    end
    uv.os_setenv("XDG_CONFIG_HOME", folder)
  end)
  teardown(function()
    uv.os_unsetenv "XDG_CONFIG_HOME"
    os.execute("rm -rf " .. folder)
  end)

  it("is never read from the user's folder", function()
    for _, path in ipairs { "sandbox/policy.lua", "sandbox/classify.lua", "runtime/gate.lua" } do
      local text, shown, shipped = files.read(path)
      assert.is_nil(text:find("runs = 'always'", 1, true))
      assert.same({ path, true }, { shown, shipped })
    end
  end)

  it("is told where it lies in the user's folder for nothing", function()
    local told = files.ignored()
    assert.equal(3, #told)
    for i, name in ipairs { "gate.lua", "runtime", "sandbox" } do
      assert.equal(("%s/beamlens/%s is not read: only checks, config.lua, policy.lua, prompts, runbooks, secrets.lua, "
        .. "skills, strategies and tools are"):format(folder, name), told[i])
    end
  end)

  it("is not told of any file that `init` writes", function()
    for _, path in ipairs { "config.lua", "policy.lua", "secrets.lua", "skills/x.lua", "checks/x.lua", "prompts/x.md",
      "runbooks/x.lua" } do
      os.execute(("mkdir -p %s/init/beamlens/%s"):format(folder, path:match "^(.*)/" or ""))
      assert(io.open(("%s/init/beamlens/%s"):format(folder, path), "w")):close()
    end
    uv.os_setenv("XDG_CONFIG_HOME", folder .. "/init")
    assert.same({}, files.ignored())
  end)
end)
