--- What a door is at, for whoever waits before it: told when it begins, and how long it took.

local uv = require "luv"
local telemetry = require "runtime.telemetry"

local function ended(what, began, ...)
  telemetry.emit("door.answered", { duration = uv.hrtime() - began }, { what = what })
  return ...
end

--- Does it.
---@param what string    "asking aws for the tasks of shop"
---@param fn fun(...): ...
---@return ...           what it returns
return function(what, fn, ...)
  telemetry.emit("door.asking", {}, { what = what })
  return ended(what, uv.hrtime(), fn(...))
end
