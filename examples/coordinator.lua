--- Looks at one node with the skills given, and returns what was found: its verdict is the
--- exit code.  beamlens-run coordinator.lua --node shop@host [--skills beam,ets] [--reason TEXT]

local beamlens = require "beamlens"

-- Events are there for who wants them; this one rings the bell of the terminal.
beamlens.on("coordinator.insight_produced", function(_, _, insight)
  if insight.severity == "critical" and not beamlens.options.quiet then io.stderr:write "\a" end
end)

-- Without options of its own a run goes by the command line, the environment and the config.
return beamlens.coordinator.run()
