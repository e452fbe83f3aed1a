--- What a coordinator wants to look at again later in the same run. When it has no more to do, the run waits for
--- what is due next and goes on from there.

local async = require "runtime.async"

---@class FollowUps
---@field private list table[]   { id, at, reason }, the earliest first
local FollowUps = {}
FollowUps.__index = FollowUps

local follow_ups = {}

local MOST = 5

---@param latest number    when the last may be due
---@param emit fun(event: string, measurements?: table, metadata?: table)
---@return FollowUps
function follow_ups.new(latest, emit)
  return setmetatable({ list = {}, count = 0, latest = latest, emit = emit }, FollowUps)
end

local function fault(self, ms)
  if self.count >= MOST then return ("%d follow-ups were scheduled in this run, and no more are"):format(MOST) end
  local left = self.latest - async.now()
  if ms / 1000 < left then return end
  return ("in %.0f s the run must have its answer; schedule earlier, or be done and say what to look at later")
    :format(math.max(0, left))
end

---@param ms integer       from now
---@param reason string
---@return table? answer
---@return string? why     it is not scheduled
function FollowUps:add(ms, reason)
  local why = fault(self, ms)
  if why then
    self.emit("coordinator.schedule_rejected", { ms = ms }, { reason = why })
    return nil, why
  end
  self.count = self.count + 1
  local id = "f" .. self.count
  table.insert(self.list, { id = id, at = async.now() + ms / 1000, reason = reason })
  table.sort(self.list, function(a, b) return a.at < b.at end)
  self.emit("coordinator.schedule", { ms = ms }, { id = id, reason = reason })
  return { id = id, due_in_ms = ms }
end

--- Waits for the next one that is due.
---@return string? text    what to say to the model; nil: there is none, or we were cancelled. The reason is in its own
---  words, in its own call: it may quote the node, and is not said again as ours
function FollowUps:wait()
  local following = table.remove(self.list, 1)
  if not following then return nil end
  if not async.sleep(math.max(0, following.at - async.now())) then return nil end
  self.emit("coordinator.scheduled_reinvoke", nil, { id = following.id, reason = following.reason })
  return ("Your follow-up %s is due. Look again at what you scheduled it for, and be done."):format(following.id)
end

return follow_ups
