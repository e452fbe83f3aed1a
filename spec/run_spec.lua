-- What lets a change land: a spec that fails for its company's sake is run once more alone, any other is red.
local uv = require "luv"
local async = require "runtime.async"
local ours = require "host.files"
local program = require "spec.support.program"

describe("the runner of specs", function()
  local folder

  before_each(function() folder = assert(uv.fs_mkdtemp "/tmp/spec-run-XXXXXX") end)
  after_each(function() os.execute(("rm -rf '%s'"):format(folder)) end)

  local function write(name, text)
    local path = ("%s/%s_spec.lua"):format(folder, name)
    local file = assert(io.open(path, "w"))
    file:write(text)
    file:close()
    return path
  end

  local function good(name) return write(name, [[it("is good", function() end)]]) end
  local function bad(name) return write(name, [[it("is bad", function() error "always" end)]]) end

  -- Fails until it has left a mark.
  local function shy(name)
    return write(name, ([[it("is shy", function()
      local mark = io.open(%q)
      if mark then return mark:close() end
      io.open(%q, "w"):close()
      error "the first time"
    end)]]):format(folder .. "/" .. name, folder .. "/" .. name))
  end

  local function run(...)
    local args, ran = { ours.root .. "/spec/run.lua", ... }
    async.run(function() ran = program.run(args, { path = ours.exe }) end)
    return ran.code, ran.stdout:match "([^\n]+)\n$", ran.stdout
  end

  it("counts what passed", function()
    local code, last, said = run(good "one", good "two")
    assert.same({ 0, "2 passed, 0 failed" }, { code, last })
    assert.is_nil(said:find("alone", 1, true))
  end)

  it("runs once more alone what failed beside others, and tells both", function()
    local code, last, said = run(good "one", shy "two")
    assert.same({ 0, "2 passed, 0 failed" }, { code, last })
    assert.matches("two_spec%.lua +0 passed +1 failed", said)
    assert.is_truthy(said:find("\nfailed beside others, passed alone: " .. folder .. "/two_spec.lua\n", 1, true), said)
  end)

  it("is red where it fails alone too", function()
    local code, last, said = run(good "one", bad "two")
    assert.same({ 1, "1 passed, 1 failed" }, { code, last })
    assert.is_truthy(said:find("\nFAILED " .. folder .. "/two_spec.lua\n", 1, true), said)
    assert.matches("always", said)
  end)

  it("is red where it failed and there was nobody beside it", function()
    local code, last = run(shy "one")
    assert.same({ 1, "0 passed, 1 failed" }, { code, last })
  end)

  it("is red where so many fail that it is not their company", function()
    local code, last = run(shy "one", shy "two", shy "three", shy "four")
    assert.same({ 1, "0 passed, 4 failed" }, { code, last })
  end)

  it("is red where a file does not load, or ends before its last line", function()
    local code, last = run(good "one", write("two", "it("), write("three", "os.exit(0)"))
    assert.same({ 1, "1 passed, 2 failed" }, { code, last })
  end)
end)
