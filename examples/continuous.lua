--- Continuous mode: operators that go on until Ctrl-C. A model sets its pace by `wait`, and each look costs money;
--- the analyst looks every so many seconds, for nothing. `watch` does this with restarts and with what a day costs.
---   beamlens-run continuous.lua --node shop@host -- 30

local beamlens = require "beamlens"

local every = tonumber((...)) or 30
io.stdout:setvbuf "line" -- each line at once, into a pipe too

beamlens.on("operator.state_change", function(_, _, m)
  print(("%s is %s: %s"):format(m.operator, m.to, beamlens.plain(m.reason or "")))
end)
beamlens.on("operator.notification_sent", function(_, _, m)
  print(("%s says (%s): %s"):format(m.operator, m.severity, beamlens.plain(m.notification.hypothesis or m.observation)))
end)

-- One connection for all of them.
local node, err = beamlens.connect()
if not node then return nil, err end

-- Those of the config, where it has any: operators = { { name = "tables", skill = "ets", mode = "continuous" } }.
local running
running, err = beamlens.operators { node = node, every = every }
if not running then return nil, err end

for _, skill in ipairs(#running == 0 and beamlens.options.skills or {}) do
  running[#running + 1], err = beamlens.operator.start(skill, { node = node, mode = "continuous", every = every })
  if err then return nil, err end
end

-- One ends where its limits are spent, its key is refused or the node is gone for good.
local lost = false
for _, operator in ipairs(running) do
  local report = operator:join()
  lost = lost or report ~= nil and report.lost
end
return lost and 3 or 0
