-- What is said to a pipe whose reader stops and reads on.
local allocated = require "spec.support.allocated"
local async = require "runtime.async"
local full_pipe = require "spec.support.full_pipe"
local outlet = require "runtime.outlet"
local uv = require "luv"

describe("an outlet", function()
  local pipe
  before_each(function() pipe = full_pipe.new() end)
  after_each(function() pipe:close() end)

  it("leaves out what does not fit, and says how much once there is room", function()
    async.run(function()
      local out = outlet.new(pipe.write_fd, 20)
      pipe:stop()
      for i = 1, 5 do out:write(("line %d\n"):format(i)) end
      pipe:read()
      assert(out:finish(30))
      out:write("and on\n")
      assert(out:finish(30))
      pipe:close_write_end()
      while not pipe.ended do async.sleep(0.01) end
    end)
    assert.equal("line 1\nline 2\n(3 lines were left out here: nobody read them)\nand on\n", pipe:text())
  end)

  it("leaves out nothing of a result", function()
    local long = ("a word "):rep(20000)
    async.run(function()
      local out = outlet.new(pipe.write_fd, 20)
      pipe:stop()
      out:result(long)
      pipe:read()
      assert(out:finish(30))
      pipe:close_write_end()
      while not pipe.ended do async.sleep(0.01) end
    end)
    assert.equal(long, pipe:text())
  end)

  it("does not copy what is left of a result with each piece of it", function()
    local mb = 1024 * 1024
    local long = ("a word "):rep(mb / 7)
    local file = assert(uv.fs_open("/dev/null", "w", 0))
    local used = allocated(function()
      async.run(function()
        local out = outlet.new(file)
        out:result(long)
        assert(out:finish(60))
      end)
    end)
    uv.fs_close(file)
    assert.is_true(used < 8 * mb, ("%d bytes for one megabyte"):format(used)) -- a copy for each piece makes 128 MB
  end)

  it("stops waiting for a reader who takes nothing", function()
    pipe:stop()
    async.run(function()
      local out = outlet.new(pipe.write_fd)
      out:write "line\n"
      assert.same({ nil, "nobody reads it", "ETIMEDOUT" }, { out:finish(0.05) })
      pipe:read() -- the thread that writes is let go
      while out:is_stuck() do async.sleep(0.01) end
    end)
  end)

  it("tells who speaks that the reader went away", function()
    local told
    async.run(function()
      local fd = assert(uv.fs_open("/dev/full", "w", 0))
      local out = outlet.new(fd)
      out.on_fault = function() told = true end
      out:write "line\n"
      assert.same({ nil, "No space left on device", "ENOSPC" }, { out:finish(30) })
      assert.same({ nil, "No space left on device" }, { out:write "line\n" })
      uv.fs_close(fd)
    end)
    assert.is_true(told)
  end)
end)
