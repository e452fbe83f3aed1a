--- Two clocks. The one of the wall says dates, and somebody may set it, by years. The other says how long something
--- lasts: it reads as the first did when we began, and nobody sets it; time that the machine slept counts.

local uv = require "luv"
local async = require "runtime.async"

local clocks = {}

--- With fractions: a rate over seconds needs them.
---@return number   unix seconds
function clocks.wall()
  local seconds, micro = uv.gettimeofday()
  return seconds + micro / 1e6
end

local function since_boot()
  local file = io.open("/proc/uptime", "rb")
  local seconds = file and tonumber(file:read("*a"):match "^%S+")
  if file then file:close() end
  return seconds or async.now()
end

local began = clocks.wall() - since_boot()

---@return number   seconds
function clocks.steady() return began + since_boot() end

return clocks
