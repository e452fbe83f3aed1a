local async = require "runtime.async"
local process_start = require "runtime.process_start"
local until_true = require "spec.support.until_true"
local uv = require "luv"

describe("runtime.process_start", function()
  it("is the same for a process each time, and nothing where there is none", function()
    local started = process_start(uv.os_getpid())
    assert.matches("^%d+$", started)
    assert.equal(started, process_start(uv.os_getpid()))
    assert.is_nil(process_start(4194305)) -- Linux gives none above 4194304
  end)

  it("is nothing of a process that has ended, where its parent never asks how", function()
    local out = io.popen "sleep 600 > /dev/null & echo $! $$; exec sleep 600 > /dev/null"
    local child, parent = out:read "*l":match "(%d+) (%d+)"
    local before = process_start(tonumber(child))
    uv.kill(tonumber(child), "sigkill")
    async.run(function() until_true("its end", function() return not process_start(tonumber(child)) end) end)
    local still_listed = uv.fs_stat("/proc/" .. child) ~= nil
    uv.kill(tonumber(parent), "sigkill")
    out:close()
    assert.matches("^%d+$", before)
    assert.is_true(still_listed)
  end)
end)
