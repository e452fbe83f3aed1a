--- Looks again and again until something is so. A loaded machine is slow: what never comes is what fails.

local async = require "runtime.async"

local PATIENCE_S = 60

--- Inside a task.
---@param what string   in the words of the failure
---@param look fun(): any
---@return any   what it saw
return function(what, look)
  local patience = async.now() + PATIENCE_S
  while true do
    local seen = look()
    if seen then return seen end
    assert(async.now() < patience, what .. " never came")
    async.sleep(0.01)
  end
end
