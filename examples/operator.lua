--- One skill alone, for when you know where to look. It is told as it is found; the report is the result.
---   beamlens-run operator.lua --node shop@host --reason "scheduler contention" -- beam

local beamlens = require "beamlens"

local skill = ... or "beam"
-- `quiet`: what it notifies is told below, and not by the progress lines, too.
local running, err = beamlens.operator.run_async(skill, { reason = beamlens.options.reason, quiet = true })
if not running then return nil, err end

for item in running:messages() do
  if item.kind == "notification" then
    local n = item.notification
    io.stderr:write(("%s (%s): %s\n"):format(skill, n.severity, beamlens.plain(n.hypothesis or n.observation)))
  end
end

return running:join()
