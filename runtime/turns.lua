--- Who has to wait for their turn: one at a time, in the order they came, and no more waiting than
--- there is room for.

local async = require "runtime.async"

local turns = {}

---@class Turns
---@field private busy boolean
---@field private waiting function[]
local Turns = {}
Turns.__index = Turns

---@param room? integer   how many may wait; no limit if left out
---@return Turns
function turns.new(room) return setmetatable({ busy = false, waiting = {}, room = room or math.huge }, Turns) end

---@return integer   who wait, whoever has the turn not among them
function Turns:length() return #self.waiting end

local function take(self, deadline)
  if not self.busy then
    self.busy = true
    return true
  end
  if #self.waiting >= self.room then return nil, "full" end
  return async.await(function(resume)
    self.waiting[#self.waiting + 1] = resume
    return function()
      for i, other in ipairs(self.waiting) do
        if other == resume then return table.remove(self.waiting, i) end
      end
    end
  end, deadline)
end

local function give(self)
  local following = table.remove(self.waiting, 1)
  if following then following(true) else self.busy = false end
end

local function done(self, ok, ...)
  give(self)
  if not ok then error((...), 0) end
  return ...
end

--- Runs a function when it is its turn.
---@param fn fun(): any
---@param deadline? number   for the waiting alone
---@return any ...            what it returned; or nil and "full", "timeout", or why our task was cancelled
function Turns:run(fn, deadline)
  local ok, why = take(self, deadline)
  if not ok then return nil, why end
  return done(self, pcall(fn)) -- what it raises goes on, once the turn was passed
end

return turns
