--- busted's plain output, and as the last line "N passed, N failed".
return function(options)
  local busted = require "busted"
  local handler = require "busted.outputHandlers.base"()
  local plain = require "busted.outputHandlers.plainTerminal"(options)
  plain:subscribe(options)
  handler:subscribe(options)
  function handler.closing()
    print(("%d passed, %d failed"):format(handler.successesCount, handler.failuresCount + handler.errorsCount))
    return nil, true
  end
  busted.subscribe({ "exit" }, handler.closing, { priority = 1 })
  return handler
end
