--- One skill alone, for when you know where to look. It is told as it is found; the report is the result.
---   beamlens-run operator.lua --node shop@host --reason "scheduler contention" -- beam

local beamlens = require "beamlens"

local skill = ... or "beam"
local running, err = beamlens.operator.run_async(skill, { reason = beamlens.options.reason })
if not running then return nil, err end

for item in running:messages() do
  if item.kind == "notification" then
    io.stderr:write(("%s (%s): %s\n"):format(skill, item.notification.severity,
      beamlens.plain(item.notification.observation)))
  end
end

return running:join()
