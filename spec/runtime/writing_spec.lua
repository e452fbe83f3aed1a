-- Files of ours as they are written, in folders where others write, too.

local uv = require "luv"
local writing = require "runtime.writing"

local STICKY, OURS = 1023, 448 -- 1777, 0700

describe("a file of ours", function()
  local folder, path

  local function write(name, text)
    local file = assert(io.open(folder .. name, "w"))
    file:write(text)
    file:close()
    assert(uv.fs_chmod(folder .. name, 384))
    return folder .. name
  end

  local function read(name)
    local file = assert(io.open(folder .. name))
    local text = file:read "*a"
    file:close()
    return text
  end

  before_each(function()
    folder = assert(uv.fs_mkdtemp "/tmp/bl_spec_XXXXXX") .. "/"
    path = folder .. "out"
  end)
  after_each(function() os.execute(("rm -rf '%s'"):format(folder)) end)

  local function refusal()
    local fd, err = writing.open(path, "sink")
    assert.is_nil(fd)
    assert.same({ "sink", 2 }, { err.stage, err.exit })
    return (tostring(err):gsub(folder, ""))
  end

  it("is made for its owner alone, and appended to when it is there", function()
    for _ = 1, 2 do assert(writing.append(path, "line\n", "sink")) end
    assert.equal("line\nline\n", read "out")
    assert.equal("600", ("%o"):format(uv.fs_stat(path).mode % 512))
  end)

  it("is appended to in a folder for all, where nobody replaces another's file", function()
    uv.fs_chmod(folder, STICKY)
    assert(writing.append(path, "line\n", "sink"))
    assert.equal("line\n", read "out")
  end)

  it("is not written by a link, were it to a file of ours", function()
    assert(uv.fs_symlink(write("precious", "old"), path))
    assert.equal("out is a link, so it is not written; name the file itself", refusal())
  end)

  it("is not made where a link leads", function()
    assert(uv.fs_symlink(folder .. "nowhere", path))
    assert.matches("is a link", refusal())
    assert.is_nil(uv.fs_stat(folder .. "nowhere"))
  end)

  it("is not written by another of its names, where others may have given it that", function()
    assert(uv.fs_link(write("precious", "old"), path))
    uv.fs_chmod(folder, STICKY)
    assert.equal("out has another name elsewhere, so it is not written; move it away", refusal())
    uv.fs_chmod(folder, OURS)
    assert(writing.append(path, "new", "sink"))
  end)

  it("is not written when a link took its place in the meantime", function()
    write("out", "")
    local precious, open = write("precious", "old"), uv.fs_open
    finally(function() uv.fs_open = open end)
    uv.fs_open = function(...)
      assert(uv.fs_unlink(path))
      assert(uv.fs_symlink(precious, path))
      return open(...)
    end
    assert.equal("out was replaced while it was opened; try again", refusal())
  end)

  it("is not a pipe that nobody reads, nor waited for when it becomes one", function()
    local made = ("mkfifo -m 600 '%s'"):format(path)
    local open = uv.fs_open
    finally(function() uv.fs_open = open end)
    uv.fs_open = function(...)
      assert.equal(0, os.execute(made))
      return open(...)
    end
    assert.equal("out is no file; move it away", refusal())
    uv.fs_open = open
    assert.equal("out is no file; move it away", refusal())
  end)

  it("takes the place of a link and leaves alone what that leads to", function()
    assert(uv.fs_symlink(write("precious", "old"), path))
    assert(writing.replace(path, "new", 420, "sink"))
    assert.same({ "old", "new", "644" }, { read "precious", read "out", ("%o"):format(uv.fs_lstat(path).mode % 512) })
  end)

  it("leaves nothing beside it when it cannot take its place", function()
    assert(uv.fs_mkdir(path, OURS))
    local ok, err = writing.replace(path, "new", 420, "sink")
    assert.is_nil(ok)
    assert.matches("out cannot be written: EISDIR.*; check the folder$", tostring(err))
    local left = {}
    for name in io.popen(("ls -A '%s'"):format(folder)):lines() do left[#left + 1] = name end
    assert.same({ "out" }, left)
  end)
end)
