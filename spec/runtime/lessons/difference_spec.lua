-- What `patch` makes of it is what counts.

local uv = require "luv"
local difference = require "runtime.lessons.difference"

local folder

local function write(name, text)
  local file = assert(io.open(folder .. "/" .. name, "w"))
  file:write(text)
  file:close()
end

local function read(name)
  local file = assert(io.open(folder .. "/" .. name))
  local text = file:read "*a"
  file:close()
  return text
end

local function patched(patch)
  write("the.patch", patch)
  return os.execute(("patch -s -p1 -d '%s' < '%s/the.patch'"):format(folder, folder))
end

local function lines(changes)
  local list = {}
  for i = 1, 30 do list[i] = (changes[i] or "line " .. i) .. "\n" end
  return table.concat(list)
end

describe("a difference", function()
  before_each(function()
    folder = assert(uv.fs_mkdtemp "/tmp/spec-difference-XXXXXX")
    uv.fs_mkdir(folder .. "/checks", 448)
  end)
  after_each(function() os.execute(("rm -rf '%s'"):format(folder)) end)

  for what, changes in pairs {
    ["in the middle"] = { [15] = "other" },
    ["in the first and the last line"] = { [1] = "first", [30] = "last" },
    ["near to each other"] = { [10] = "a", [12] = "b", [18] = "c" },
    ["beside each other"] = { [10] = "a", [11] = "b" },
  } do
    it("is what patch applies, of lines " .. what, function()
      write("checks/a.lua", lines {})
      assert.equal(0, patched(difference.of("checks/a.lua", lines {}, lines(changes))))
      assert.equal(lines(changes), read "checks/a.lua")
    end)
  end

  it("is what patch applies, of a new file", function()
    assert.equal(0, patched(difference.of("checks/new.lua", nil, lines {})))
    assert.equal(lines {}, read "checks/new.lua")
  end)
end)
