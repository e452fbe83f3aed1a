local uv = require "luv"
local audit = require "runtime.audit"
local json = require "runtime.json"
local private = require "runtime.private"
local writing = require "runtime.writing"

local folder, before

local function mode(path) return ("%o"):format(uv.fs_stat(path).mode % 512) end

local function lines()
  local all = {}
  for line in io.lines(audit.path()) do all[#all + 1] = json.decode(line) end
  return all
end

describe("the audit", function()
  before_each(function()
    folder = os.tmpname()
    os.remove(folder)
    before = os.getenv "XDG_STATE_HOME"
    uv.os_setenv("XDG_STATE_HOME", folder .. "/state")
  end)
  after_each(function()
    if before then uv.os_setenv("XDG_STATE_HOME", before) else uv.os_unsetenv "XDG_STATE_HOME" end
    os.execute(("rm -rf '%s'"):format(folder))
  end)

  it("has a line for each that was recorded, with when, by whom and by which process", function()
    assert(audit.record { kind = "eval", text = "init:stop().\nmore" })
    assert(audit.record { kind = "eval.done" })
    local all = lines()
    assert.equal(2, #all)
    assert.same({ "eval", "init:stop().\nmore", uv.os_getpid(), uv.os_get_passwd().username },
      { all[1].kind, all[1].text, all[1].os_pid, all[1].user })
    assert.matches("^%d%d%d%d%-%d%d%-%d%dT%d%d:%d%d:%d%dZ$", all[2].at)
  end)

  it("is its owner's alone, with the folders that it lies in", function()
    assert(audit.record { kind = "eval" })
    assert.same({ "700", "700", "600" },
      { mode(folder .. "/state"), mode(folder .. "/state/beamlens"), mode(audit.path()) })
  end)

  it("says whether a word stands in it, and no where there is none yet", function()
    assert.is_false(audit.tells "n0nce")
    assert(audit.record { kind = "action.executing", nonce = "n0nce" })
    assert.is_true(audit.tells "n0nce")
    assert.is_false(audit.tells "another")
  end)

  for bits, said in pairs { [420] = "may be read by others", [432] = "may be written by others",
    [386] = "may be written by others" } do
    it(("writes nothing into a file that has %o"):format(bits), function()
      assert(audit.record { kind = "eval" })
      uv.fs_chmod(audit.path(), bits)
      local ok, err = audit.record { kind = "eval" }
      assert.is_nil(ok)
      assert.matches(said, err.message, 1, true)
      assert.equal("audit", err.stage)
      assert.equal(1, #lines())
    end)
  end

  it("begins on a line of its own after the half of one", function()
    assert(audit.record { kind = "eval" })
    local file = assert(io.open(audit.path(), "a"))
    file:write '{"kind":"torn'
    file:close()
    assert(audit.record { kind = "eval.done" })
    local all = {}
    for line in io.lines(audit.path()) do all[#all + 1] = json.decode(line) or line end
    assert.same({ "eval", '{"kind":"torn', "eval.done" }, { all[1].kind, all[2], all[3].kind })
  end)

  it("says so when it cannot be written", function()
    uv.os_setenv("XDG_STATE_HOME", "/proc/no")
    local ok, err = audit.record { kind = "eval" }
    assert.is_nil(ok)
    assert.matches("^/proc/no cannot be made: .*; make it, or set XDG_STATE_HOME$", tostring(err))
  end)
end)

describe("a private file", function()
  local path
  before_each(function()
    path = os.tmpname()
    uv.fs_chmod(path, 384)
  end)
  after_each(function() os.remove(path) end)

  it("is false where there is none", function()
    os.remove(path)
    assert.is_false((private.read(path, "approval")))
  end)

  it("may be read by its group where that was said", function()
    uv.fs_chmod(path, 416)
    assert.equal("", (private.read(path, "approval", true)))
    assert.equal(path .. " may be read by others, so it is not used; chmod go-r " .. path,
      tostring(select(2, private.read(path, "approval"))))
  end)

  it("that belongs to another user is refused, and so is a folder", function()
    local stat, other = uv.fs_stat(path), uv.getuid() + 4321
    stat.uid = other
    assert.equal(path .. " belongs to another user, so it is not used; move it away",
      tostring(private.fault(path, stat, "approval")))
    assert.is_nil(private.fault(path, stat, "approval", true)) -- an approver's, which their group may read
    local fs_stat = uv.fs_stat
    uv.fs_stat = function() return { type = "directory", mode = 448, uid = other } end
    local ok, err = private.folder("/somebodys", "approval")
    uv.fs_stat = fs_stat
    assert.is_nil(ok)
    assert.equal("/somebodys belongs to another user, so it is not used; set XDG_STATE_HOME to a folder of your own",
      tostring(err))
  end)

  it("is not made over another", function() assert.is_false((writing.create(path, "x", "approval"))) end)
end)
