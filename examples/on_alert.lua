--- What an alert handler starts: the alert's own words are why somebody looks, and the exit code is what was found.
--- Where there is an `occasion`, the reason is in words of others: a model reads it inside a tool's result, and our
--- words as ours.
---   beamlens-run on_alert.lua --node shop@host --json -- "memory of shop above 80 % for 5 minutes"
--- A handler that can only send HTTP (Alertmanager, Grafana) wants the service, which takes one run at a time:
---   beamlens-run watch --node shop@host --listen 127.0.0.1:9464 --token-file /etc/beamlens/token
---   curl -H "Authorization: Bearer $(cat /etc/beamlens/token)" -d "memory alert triggered" http://127.0.0.1:9464/run

local beamlens = require "beamlens"

local alert = table.concat({ ... }, " ")
if alert == "" then error('no alert was given; put its words behind --: … -- "memory above 80 %"', 0) end

return beamlens.coordinator.run {
  reason = alert,
  occasion = "an alert fired",
  skills = { "beam", "ets", "system" }, -- those that may be looked with; who thinks decides which
  deadline = 120,                       -- who was woken does not wait five minutes
}
