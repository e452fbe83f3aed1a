-- The names of secrets: the same in every run of a home, and its file nobody else's.

local uv = require "luv"
local async = require "runtime.async"
local live = require "spec.support.live_node"
local json = require "runtime.json"
local privacy = require "runtime.privacy"
local program = require "spec.support.program"
local pseudonyms = require "runtime.pseudonyms"
local ours = require "host.files"

-- A process of its own that says what stands for a secret.
local SAY = [[
local p, err = require("runtime.pseudonyms").open()
for i = 1, p and tonumber(arg[2]) or 0 do p:name("another secret " .. i .. " " .. arg[1]) end
print(p and p:name(arg[1]) or err)
io.stderr:write(p and p.why or "")
return 0]]

local function file_of(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read "*a"
  file:close()
  return text
end

describe("the names of secrets", function()
  local home, said, path

  local function start(secret, more)
    return program.start({ said, secret, more or "0" }, { path = ours.root .. "/build/spec-host",
      env = { HOME = home, XDG_STATE_HOME = home .. "/state" } })
  end

  local function say(secret)
    local running = start(secret)
    running.wait()
    return running.stdout() .. running.stderr()
  end

  before_each(function()
    home = assert(uv.fs_mkdtemp "/tmp/bl_pseudonyms_XXXXXX")
    said, path = home .. "/say.lua", home .. "/state/beamlens/pseudonyms"
    local file = assert(io.open(said, "w"))
    file:write(SAY)
    file:close()
  end)

  after_each(function() os.execute("rm -rf " .. home) end)

  it("are the same in two runs of one home", live.test(function()
    local first, second = say "hunter2", say "hunter2"
    assert.matches("^<secret:%x+>\n$", first)
    assert.equal(first, second)
  end))

  it("are others in another home", live.test(function()
    local first = say "hunter2"
    os.remove(path)
    assert.are_not.equal(first, say "hunter2")
  end))

  it("do not hold the secret", live.test(function()
    assert.is_nil(say("deadbeef"):find("deadbeef", 1, true))
  end))

  it("stand in a file that only its owner reads, with what they stand for", live.test(function()
    local name = say("hun\tter2"):match "^(.-)\n"
    assert.same({ 384, 448 }, { uv.fs_stat(path).mode % 4096, uv.fs_stat(home .. "/state/beamlens").mode % 4096 })
    local kept = file_of(path):match("\n" .. name .. "\t([^\n]+)\n$")
    assert.equal("hun\tter2", json.decode(kept))
  end))

  it("are written once", live.test(function()
    say "hunter2"
    local before = file_of(path)
    say "hunter2"
    assert.equal(before, file_of(path))
  end))

  it("are one for each secret when several runs begin at once", live.test(function()
    local running = {}
    for i = 1, 4 do running[i] = start("shared", "50") end
    for i = 5, 6 do running[i] = start("own " .. i, "50") end
    local names = {}
    for i, run in ipairs(running) do
      run.wait()
      names[i] = run.stdout()
    end
    assert.same({ names[1], names[1], names[1] }, { names[2], names[3], names[4] })
    assert.is_true(names[5] ~= names[6] and names[5] ~= names[1] and names[6] ~= names[1])
    local by_name, lines = {}, 0
    for name, secret in file_of(path):gmatch "\n(<secret:%x+>)\t([^\n]+)" do
      assert.is_true(by_name[name] == nil or by_name[name] == secret, name)
      by_name[name], lines = secret, lines + 1
    end
    local different = 0
    for _ in pairs(by_name) do different = different + 1 end
    assert.equal(3 * 51, different)
    assert.equal(lines + 1, select(2, file_of(path):gsub("\n", ""))) -- no line was written into another
  end))

  it("are refused from a file that others may read, with what to do", live.test(function()
    say "hunter2"
    uv.fs_chmod(path, 420)
    local why = say "hunter2"
    assert.matches(path:gsub("%p", "%%%0") .. " may be read by others, so it is not used", why)
    assert.matches("chmod go%-r", why)
  end))

  it("are refused from a file without a key", live.test(function()
    say "hunter2"
    local file = assert(io.open(path, "w"))
    file:write "something else\n"
    file:close()
    assert.matches("does not begin with a key", say "hunter2")
  end))

  it("are for one run only where nothing can be written, and it says so", live.test(function()
    uv.fs_mkdir(home .. "/state", 448)
    uv.fs_mkdir(home .. "/state/beamlens", 448)
    uv.fs_chmod(home .. "/state/beamlens", 511)
    local running = program.start({ said, "hunter2" }, { path = ours.root .. "/build/spec-host",
      env = { HOME = home, XDG_STATE_HOME = home .. "/state" } })
    running.wait()
    assert.matches("^<secret:%x+>\n$", running.stdout())
    assert.matches("^the names of secrets are for this run only: .*/beamlens may be written by others, so nothing "
      .. "is kept in it$", running.stderr())
  end))

  it("go on when the file is full", function()
    local most = pseudonyms.largest
    pseudonyms.largest = 100
    finally(function()
      pseudonyms.largest = most
      uv.os_unsetenv "XDG_STATE_HOME"
    end)
    uv.os_setenv("XDG_STATE_HOME", home .. "/state")
    local name = assert(pseudonyms.open()):name "a secret that has no room"
    assert.equal(name, pseudonyms.open():name "a secret that has no room")
    assert.is_nil(file_of(path):find("no room", 1, true))
  end)

  it("grow longer where two would be one", function()
    local p = pseudonyms.new()
    local taken = p:name("one"):match ":(%x+)>"
    p.by_secret.one, p.by_name[("<secret:%s>"):format(taken)] = nil, "another"
    assert.matches("^<secret:" .. taken .. "%x%x%x%x>$", p:name "one")
  end)

  it("serve what leaves: a text is masked by them", function()
    uv.os_setenv("XDG_STATE_HOME", home .. "/state")
    finally(function() uv.os_unsetenv "XDG_STATE_HOME" end)
    local first = async.run(function() return assert(privacy.open()):text "password=hunter2" end)
    local again = async.run(function() return assert(privacy.open()):text "a pwd: hunter2" end)
    assert.equal(first:match "<.*>", again:match "<.*>")
    local forgetful = async.run(function() return assert(privacy.open(true)):text "password=hunter2" end)
    assert.are_not.equal(first, forgetful)
  end)

  it("leave a key of our own out of the file, and hide it by the same name in every run", function()
    uv.os_setenv("XDG_STATE_HOME", home .. "/state")
    finally(function() uv.os_unsetenv "XDG_STATE_HOME" end)
    local function say_it()
      return async.run(function()
        local p = assert(privacy.open())
        p:know "sk-our-own-key-0123456789"
        return p:text "it is sk-our-own-key-0123456789, password=hunter2"
      end)
    end
    assert.equal(say_it(), say_it())
    assert.matches("^it is <secret:%x+>, password=<secret:%x+>$", say_it())
    local kept = file_of(path)
    assert.is_nil(kept:find("our-own-key", 1, true))
    assert.is_truthy(kept:find("hunter2", 1, true))
  end)
end)
