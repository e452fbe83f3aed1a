--- What is done one at a time: the runs of one operator, those of the coordinator on one node. Who comes
--- meanwhile waits in the order of coming; when many wait already, a later one is refused in words.

local failure = require "runtime.failure"
local turns = require "runtime.turns"

local queues = { room = 16 }

local by_name = {}

local function refusal(name, why)
  if why == "full" then
    return failure.new("run", ("%d runs of %s wait already"):format(queues.room, name),
      "try again when one has ended", 4)
  elseif why == "timeout" then
    return failure.new("run", ("the time was up before it was the turn of %s"):format(name),
      "give it more with --deadline, or run fewer at once", 4)
  end
  return failure.new("run", ("stopped while it waited for the turn of %s: %s"):format(name, why), nil, 130)
end

--- Runs a function when it is its turn.
---@param name string        what is done one at a time, as people know it
---@param deadline number    of the waiting
---@param fn fun(): any
---@return any ...           what it returned; or nil, Failure, and "full", "timeout" or "cancelled"
function queues.run(name, deadline, fn)
  local queue = by_name[name] or turns.new(queues.room)
  by_name[name] = queue
  local began, ended = false, {}
  local function go()
    began = true
    ended = { fn() }
  end
  local _, why = queue:run(go, deadline)
  if queue:length() == 0 and not queue.busy then by_name[name] = nil end
  if began then return unpack(ended, 1, table.maxn(ended)) end
  return nil, refusal(name, why), (why == "full" or why == "timeout") and why or "cancelled"
end

--- How many wait, the one whose turn it is not among them.
---@param name string
---@return integer
function queues.length(name) return by_name[name] and by_name[name]:length() or 0 end

return queues
