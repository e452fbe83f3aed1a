--- Subscribes to what operators notify, and hands each notification to a command of yours, as JSON on its stdin:
---   beamlens-run notify.lua --node shop@host -- "mail -s beamlens ops@example.org"
--- Without a command they are printed, a line each. For webhooks, syslog and files see `sinks` in config.lua.

local beamlens = require "beamlens"

local command = ...

beamlens.on("operator.notification_sent", function(_, _, told)
  local text = ("%s says of %s (%s): %s"):format(told.operator, told.node, told.severity, told.observation)
  local to = command and io.popen(command, "w") or io.stdout
  to:write(beamlens.plain(text), "\n")
  if command then to:close() else to:flush() end
end)

local report, err = beamlens.coordinator.run { reason = beamlens.options.reason }
if not report then return nil, err end
return report.verdict == "sick" and 1 or 0
