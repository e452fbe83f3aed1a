--- A node that is just being started: it loads modules and fills tables as never again, and whoever looks then takes
--- that for a leak. It is waited for, not for long: of some programs the start never ends, as they run in it.

local async = require "runtime.async"

local starting = {}

local PATIENCE_S, EVERY_S = 10, 0.25

-- Whoever answers nothing for so long does not answer the operators either, and they say so.
local ANSWER = { timeout = 3, priority = "normal" }

-- One that is up for a minute has done what it does once.
local STARTS = "element(1, erlang:statistics(wall_clock)) < 60000 andalso element(1, init:get_status()) =:= starting."

--- For the build, which parses what is sent.
function starting.own_texts() return { STARTS } end

--- Returns once the node has started, or is not to be waited for any longer.
---@param node table
---@return boolean answered
function starting.wait(node)
  local ends = async.now() + PATIENCE_S
  local starts = node.query(STARTS, nil, ANSWER)
  while starts and async.now() < ends do
    async.sleep(EVERY_S)
    starts = node.query(STARTS, nil, ANSWER)
  end
  return starts ~= nil
end

return starting
