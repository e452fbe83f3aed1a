--- Subscribes to what operators notify, and hands each notification to a command of yours, as a line on its stdin:
---   beamlens-run notify.lua --node shop@host -- "mail -s beamlens ops@example.org"
--- Without a command they are printed. For webhooks, syslog and files see `sinks` in config.lua.

local beamlens = require "beamlens"
local uv = require "luv"

local command = ...
local running = 0

-- A shell for each, and nobody waits for it while the run goes on.
local function hand(line)
  local stdin = uv.new_pipe()
  running = running + 1
  local options = { args = { "-c", command }, stdio = { stdin, 1, 2 } }
  assert(uv.spawn("/bin/sh", options, function() running = running - 1 end))
  stdin:write(line, function() stdin:close() end)
end

-- `observation` has the figures, and `notification` everything; what they come to is the hypothesis.
beamlens.on("operator.notification_sent", function(_, _, told)
  local text = told.notification.hypothesis or told.observation
  local line = ("%s says of %s (%s): %s"):format(told.operator, told.node, told.severity, text)
  line = beamlens.plain(line) .. "\n"
  if command then hand(line) else io.stdout:write(line):flush() end
end)

local report, err = beamlens.coordinator.run { reason = beamlens.options.reason }
while running > 0 do
  if not beamlens.sleep(0.05) then break end
end
if not report then return nil, err end
return report.verdict == "sick" and 1 or 0
