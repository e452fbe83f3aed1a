--- A run every hour until Ctrl-C. A node that is away is told, and tried again an hour later.
---   beamlens-run scheduled.lua --node shop@host --quiet -- 3600
--- One run at a time can as well be started by cron or a systemd timer; its exit code is the verdict:
---   0 * * * *  beamlens-run coordinator.lua --node shop@host --quiet --reason "hourly look"

local beamlens = require "beamlens"

local every = tonumber((...)) or 3600
io.stdout:setvbuf "line" -- each line at once, into a pipe too

repeat
  local report, err = beamlens.coordinator.run { reason = "a look by the clock" }
  if report and report.incomplete == "interrupted" then break end -- by Ctrl-C: no look, so no row
  local words = report and report.verdict or tostring(err)
  for _, insight in ipairs(report and report.insights or {}) do words = words .. "; " .. insight.summary end
  print(os.date "!%Y-%m-%dT%H:%M:%SZ", beamlens.plain(words))
until not beamlens.sleep(every)
