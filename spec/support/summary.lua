--- busted's plain output, counted once more for the last line, "N passed, N failed".
local counted = { passed = 0, failed = 0 }

return setmetatable(counted, {
  __call = function(_, options)
    local busted = require "busted"
    busted.subscribe({ "test", "end" }, function(_, _, status)
      local as = status == "success" and "passed" or "failed"
      if status ~= "pending" then counted[as] = counted[as] + 1 end
    end)
    -- One that a test raised is told at its end too; of the others (a setup, a file) this is all there is.
    busted.subscribe({ "error" }, function(element)
      if element.descriptor ~= "it" then counted.failed = counted.failed + 1 end
    end)
    return require "busted.outputHandlers.plainTerminal"(options)
  end,
})
