--- What stands between the events and a sink that takes its time: a queue with an end, and a task that
--- carries from it. A sink that fails or is slow costs the run nothing; what there was no room for is
--- counted and told, not once for each.

local async = require "runtime.async"
local telemetry = require "runtime.telemetry"

local outbox = { room = 200 }

---@class Outbox
---@field private condition Condition
---@field private send fun(item: any): true?, any
---@field private queue table
---@field private dropped integer   since it was told last
local Outbox = {}
Outbox.__index = Outbox

local function tell_dropped(self)
  if self.dropped == 0 then return end
  local count = self.dropped
  self.dropped = 0
  telemetry.emit("sink.dropped", { count = count }, { sink = self.condition.name })
end

local function wait(self)
  async.await(function(resume)
    self.wake = resume
    return function() self.wake = nil end
  end)
  self.wake = nil
end

local function carry(self)
  while not async.current().cancelled do
    local item = table.remove(self.queue, 1)
    if item ~= nil then
      self.carrying = true
      local ok, sent, why = pcall(self.send, item)
      if async.current().cancelled then return end
      self.carrying = false
      self.condition:is(ok and sent, ok and why or sent)
      tell_dropped(self)
    elseif self.closing then
      return
    else
      wait(self)
    end
  end
end

---@param condition Condition
---@param send fun(item: any): true?, any   may wait; nil, why where it was of no use
---@param hurry? fun()   called when the end is near: no long waiting any more
---@return Outbox
function outbox.new(condition, send, hurry)
  local self = setmetatable({ condition = condition, send = send, hurry = hurry, queue = {}, dropped = 0 }, Outbox)
  self.task = async.spawn(carry, self)
  return self
end

--- Never waits.
---@param item any
function Outbox:put(item)
  if #self.queue >= outbox.room then
    self.dropped = self.dropped + 1
    if self.full then return end
    self.full = true
    return self.condition:tell(("cannot keep up: %d events wait, those that follow are left out"):format(outbox.room))
  end
  if #self.queue < outbox.room / 2 then self.full = nil end
  self.queue[#self.queue + 1] = item
  if self.wake then self.wake() end
end

--- Waits until all is carried, but no longer than the deadline; what is left then is told.
---@param deadline number
function Outbox:close(deadline)
  self.closing = true
  if self.hurry then self.hurry() end
  if self.wake then self.wake() end
  self.task:join(deadline)
  if not self.task.finished then
    local left = #self.queue + (self.carrying and 1 or 0) + self.dropped
    self.task:cancel "closing"
    self.condition:tell(("did not take %d events in time"):format(left))
  end
  tell_dropped(self)
end

return outbox
