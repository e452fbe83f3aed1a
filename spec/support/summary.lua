--- busted's plain output, counted once more for the last line, "N passed, N failed".
local counted = { passed = 0, failed = 0 }

return setmetatable(counted, {
  __call = function(_, options)
    local busted = require "busted"
    busted.subscribe({ "test", "end" }, function(_, _, status)
      local as = status == "success" and "passed" or "failed"
      if status ~= "pending" then counted[as] = counted[as] + 1 end
    end)
    busted.subscribe({ "error" }, function() counted.failed = counted.failed + 1 end)
    return require "busted.outputHandlers.plainTerminal"(options)
  end,
})
