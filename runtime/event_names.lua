--- The names by which events are asked for: one event, "operator.*" for those of a kind, "*" for all; each with
--- "beamlens." in front, too.

local events = require "runtime.events"
local failure = require "runtime.failure"

local event_names = {}

local known, kinds = {}, { ["*"] = true }
for name in pairs(events) do
  known[#known + 1] = name
  kinds[name:match "^[^.]*" .. ".*"] = true
end
table.sort(known)

--- The name as it is emitted.
---@param name string
---@return string?
---@return string? why       there is none
---@return string? next_step
function event_names.read(name)
  local bare = name:gsub("^beamlens%.", "")
  if events[bare] or kinds[bare] then return bare end
  return nil, ("there is no event %s"):format(bare), failure.meant(bare, known, "see `beamlens-run help events`")
end

return event_names
