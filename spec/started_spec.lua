-- What specs start: that it hung, or that a signal ended it, is told and looks like no success.

local live = require "spec.support.live_node"
local program = require "spec.support.program"
local pty = require "spec.support.pty"
local until_true = require "spec.support.until_true"

describe("what a spec starts", function()
  for name, way in pairs { ["by itself"] = program, ["at a terminal"] = pty } do
    local function start(line) return way.start({ "-c", line }, { path = "sh" }) end

    it(name .. " tells what it exited with", live.test(function()
      assert.equal(7, (start("exit 7").wait()))
    end))

    it(name .. " tells the signal that ended it, as a shell does", live.test(function()
      assert.same({ 139, 11 }, { start("kill -SEGV $$").wait() })
    end))

    it(name .. " is an error where it does not end, with what it had said", live.test(function()
      local running = start "echo so far; exec sleep 600"
      until_true("its word", function() return running.stdout():find "so far" end)
      local _, err = pcall(running.wait, 1)
      assert.matches("did not end within 1 s, and was killed: -c echo so far; exec sleep 600\nit had said: so far", err,
        1, true)
    end))
  end
end)
