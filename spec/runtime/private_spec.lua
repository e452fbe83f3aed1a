-- Secrets that systemd hands over are read as they lie there; everywhere else they are their owner's alone.

local keys = require "runtime.llm.keys"
local private = require "runtime.private"
local uv = require "luv"

local folder

local function write(mode)
  local path = folder .. "/key"
  local file = assert(io.open(path, "w"))
  file:write "sk-0123456789"
  file:close()
  assert(uv.fs_chmod(path, mode))
  return path
end

local function key_of(path)
  return (keys.read("SOME_KEY", function(name) return name == "SOME_KEY_FILE" and path or nil end))
end

describe("a secret", function()
  before_each(function() folder = assert(uv.fs_mkdtemp "/tmp/bl_spec_XXXXXX") end)
  after_each(function()
    uv.os_unsetenv "CREDENTIALS_DIRECTORY"
    os.execute(("rm -rf '%s'"):format(folder))
  end)

  it("that its group may read is none, but where systemd put it", function()
    local path = write(288) -- 0440
    assert.same({ nil, nil }, { (private.read(path, "token")), key_of(path) })
    uv.os_setenv("CREDENTIALS_DIRECTORY", folder)
    assert.same({ "sk-0123456789", "sk-0123456789" }, { (private.read(path, "token")), key_of(path) })
  end)

  it("that everybody may read is none there either", function()
    uv.os_setenv("CREDENTIALS_DIRECTORY", folder)
    local path = write(292) -- 0444
    assert.same({ nil, nil }, { (private.read(path, "token")), key_of(path) })
  end)

  it("is what was looked at, whatever stands there a moment later", function()
    local path, stat = write(384), uv.fs_stat
    finally(function() uv.fs_stat = stat end)
    uv.fs_stat = function(...)
      local about, why = stat(...)
      uv.fs_chmod(path, 420) -- 0644: as if it were another
      return about, why
    end
    assert.same({ nil, nil }, { (private.read(path, "token")), key_of(path) })
    uv.fs_chmod(path, 384)
    assert.is_nil(key_of(path))
  end)

  it("is no pipe, nor waited for when it becomes one", function()
    local path, stat = write(384), uv.fs_stat
    finally(function() uv.fs_stat = stat end)
    uv.fs_stat = function(...)
      local about, why = stat(...)
      os.execute(("rm -f '%s' && mkfifo -m 600 '%s'"):format(path, path))
      return about, why
    end
    local _, err = private.read(path, "token")
    assert.equal(path .. " is no file; move it away", tostring(err))
    assert.is_nil(key_of(path))
  end)

  it("is not taken for one of systemd's by a path that leads out again", function()
    uv.os_setenv("CREDENTIALS_DIRECTORY", folder .. "/of")
    assert.is_false(private.is_credential(folder .. "/of/../key"))
    assert.is_false(private.is_credential(folder .. "/office/key"))
    uv.os_setenv("CREDENTIALS_DIRECTORY", "")
    assert.is_false(private.is_credential "/key")
  end)
end)
